package load

import (
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var end = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// year loads a year of a project and returns the connection to it.
func year(t *testing.T, s Simulation) driver.Conn {
	t.Helper()
	conn := storetest.Open(t).Conn()
	if err := s.Year(t.Context(), conn, func(uint64) {}); err != nil {
		t.Fatal(err)
	}
	return conn
}

func scan(t *testing.T, conn driver.Conn, query string, args []any, dest ...any) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query, args...).Scan(dest...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// within tells whether got is near want, as far as some ten thousand people let it be.
func within(t *testing.T, what string, got, least, most float64) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %v, want between %v and %v", what, got, least, most)
	}
}

// The same simulation has the same events in whatever portions it is made, and another seed has others.
func TestSameEvents(t *testing.T) {
	whole := Simulation{Project: "whole", Seed: 7, Events: 20_000, End: end}
	conn := year(t, whole)
	portions := whole
	portions.Project = "portions"
	for _, p := range [][2]uint64{{0, 1}, {1, 1500}, {1501, 499}} {
		if err := portions.insert(t.Context(), conn, 0, p[0], p[1]); err != nil {
			t.Fatal(err)
		}
	}
	other := whole
	other.Project, other.Seed = "other", 8
	year(t, other)
	type sum struct{ rows, hash uint64 }
	sums := map[string]sum{}
	for _, project := range []string{"whole", "portions", "other"} {
		var s sum
		scan(t, conn, `SELECT count(), groupBitXor(sipHash64(message_id, type, event, anonymous_id, user_id, account_id, timestamp,
			received_at, url, referrer, source, campaign, click_id, channel, channel_reason, country, device, value, order_id, properties, traits, origin))
			FROM events WHERE project = ?`, []any{project}, &s.rows, &s.hash)
		sums[project] = s
	}
	if sums["whole"].rows == 0 || sums["whole"] != sums["portions"] || sums["whole"].hash == sums["other"].hash {
		t.Errorf("sums %v, want those of whole and portions to be one, and other's another", sums)
	}
}

// Half of the people have three events or fewer, one in a hundred 200 or more, and some very many.
func TestDistribution(t *testing.T) {
	s := Simulation{Project: "distribution", Seed: 1, Events: 200_000, End: end}
	conn := year(t, s)
	args := []any{s.Project}
	var people, rows, most uint64
	var median, p99 float64
	// A person is what their order numbers and user ids call them, and of others the device.
	scan(t, conn, `SELECT count(), sum(n), quantileExact(0.5)(n), quantileExact(0.99)(n), max(n)
		FROM (SELECT count() AS n FROM events WHERE project = ? AND anonymous_id != '' GROUP BY anonymous_id)`, args,
		&people, &rows, asFloat(&median), asFloat(&p99), &most)
	within(t, "devices", float64(people), 20_000, 21_000)
	within(t, "events", float64(rows), 195_000, 207_000)
	within(t, "median", median, 3, 3)
	within(t, "p99", p99, 150, 220)
	within(t, "most", float64(most), 3000, 10_000)

	var visits, direct, orders, refunds, users, members, accounts, shared, several float64
	var channels, campaigns, pages, countries uint64
	scan(t, conn, `SELECT countIf(visit) / count(), countIf(visit AND channel = 'Direct') / countIf(visit),
			uniqExactIf(order_id, event = 'Order Completed') / count(),
			countIf(event = 'Order Refunded') / uniqExactIf(order_id, event = 'Order Completed'),
			uniqExactIf(user_id, user_id != '') * 10, uniqExactIf(user_id, account_id != ''), uniqExactIf(account_id, account_id != ''),
			uniqExact(channel), uniqExactIf(campaign, campaign != ''), uniqExactIf(path, visit), uniqExactIf(country, country != '')
		FROM (SELECT *, origin = 'browser' AND NOT startsWith(referrer, 'https://shop.example') AS visit FROM events WHERE project = ?)`, args,
		&visits, &direct, &orders, &refunds, asFloat(&users), asFloat(&members), asFloat(&accounts), &channels, &campaigns, &pages, &countries)
	within(t, "share of events that begin a visit", visits, 0.23, 0.28)
	within(t, "share of visits without evidence", direct, 0.28, 0.32)
	within(t, "orders per event", orders, 0.0135, 0.0165)
	within(t, "share of orders that are refunded", refunds, 0.02, 0.04)
	within(t, "share of people who log in", users/float64(s.Events), 0.19, 0.22)
	within(t, "members of accounts", members/accounts, 2, 30)
	for what, counts := range map[string][2]uint64{
		"channels": {channels, 12}, "campaigns": {campaigns, 50}, "landing pages": {pages, 200}, "countries": {countries, 20},
	} {
		if counts[0] != counts[1] {
			t.Errorf("%d %s, want %d", counts[0], what, counts[1])
		}
	}
	scan(t, conn, `SELECT countIf(n > 1) / count() FROM (SELECT uniqExact(user_id) AS n FROM events
		WHERE project = ? AND anonymous_id != '' AND user_id != '' GROUP BY anonymous_id)`, args, &shared)
	within(t, "share of users' devices that are shared", shared, 0.001, 0.01)
	scan(t, conn, `SELECT countIf(n > 1) / count() FROM (SELECT uniqExact(anonymous_id) AS n FROM events
		WHERE project = ? AND anonymous_id != '' AND user_id != '' GROUP BY user_id)`, args, &several)
	within(t, "share of users with two devices", several, 0.12, 0.25)
}

// The collector makes of each address, referrer and campaign what the columns hold.
func TestCollectorSeesTheSame(t *testing.T) {
	s := Simulation{Project: "collected", Seed: 3, Events: 20_000, End: end}
	conn := year(t, s)
	rows, err := conn.Query(t.Context(), `SELECT type, url, host, path, referrer, source, medium, campaign, click_id, click_id_type,
			channel, channel_reason, origin
		FROM events WHERE project = ?`, s.Project)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	project := &collector.Project{ID: s.Project}
	reasons := map[string]int{}
	for rows.Next() {
		var stored event.Event
		err := rows.Scan((*string)(&stored.Type), &stored.URL, &stored.Host, &stored.Path, &stored.Referrer, &stored.Source, &stored.Medium,
			&stored.Campaign, &stored.ClickID, &stored.ClickIDType, &stored.Channel, &stored.ChannelReason, (*string)(&stored.Origin))
		if err != nil {
			t.Fatal(err)
		}
		reasons[stored.ChannelReason]++
		sent := event.Event{Type: stored.Type, URL: stored.URL, Referrer: stored.Referrer, Origin: stored.Origin}
		if strings.HasPrefix(stored.Referrer, "https://shop.example") { // the script repeats the campaign of the visit
			sent.ClickID, sent.ClickIDType = stored.ClickID, stored.ClickIDType
			if stored.ChannelReason == enrich.ReasonUTM {
				sent.Source, sent.Medium, sent.Campaign = stored.Source, stored.Medium, stored.Campaign
			}
		}
		enrich.Pipeline{enrich.Page{}, enrich.Channel{}}.Enrich(project, &event.Client{}, &sent)
		if sent != stored {
			t.Fatalf("the collector makes of it\n%+v, stored is\n%+v", sent, stored)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{enrich.ReasonUTM, enrich.ReasonClickID, enrich.ReasonReferrer, enrich.ReasonSelfReferral, enrich.ReasonNone} {
		if reasons[reason] == 0 {
			t.Errorf("no event has the reason %s", reason)
		}
	}
}

// A later day has a few people's visits, newcomers, late reports and late logins, and repeats nothing.
func TestDay(t *testing.T) {
	s := Simulation{Project: "days", Seed: 5, Events: 200_000, End: end}
	conn := year(t, s)
	for day := uint32(1); day <= 2; day++ {
		if err := s.Day(t.Context(), conn, day); err != nil {
			t.Fatal(err)
		}
	}
	for day, from := range []time.Time{end, end.AddDate(0, 0, 1)} {
		var events, people, newcomers, late, logins, strays uint64
		scan(t, conn, `SELECT count(), uniqExact(device), uniqExactIf(device, device NOT IN (
					SELECT anonymous_id FROM events WHERE project = {project:String} AND received_at < {from:DateTime64(3)})),
				countIf(timestamp < {from:DateTime64(3)}), countIf(type = 'identify'),
				countIf(timestamp >= {from:DateTime64(3)} + INTERVAL 1 DAY OR timestamp < {from:DateTime64(3)} - INTERVAL 30 DAY)
			FROM (SELECT *, if(anonymous_id = '', user_id, anonymous_id) AS device FROM events
				WHERE project = {project:String} AND received_at >= {from:DateTime64(3)} AND received_at < {from:DateTime64(3)} + INTERVAL 1 DAY)`,
			[]any{driver.NamedValue{Name: "project", Value: s.Project}, driver.NamedDateValue{Name: "from", Value: from, Scale: uint8(3)}},
			&events, &people, &newcomers, &late, &logins, &strays)
		what := from.Format(time.DateOnly) + ": "
		within(t, what+"events", float64(events), 500, 1200)
		within(t, what+"people", float64(people), 220, 320)
		within(t, what+"newcomers", float64(newcomers), 15, 80)
		within(t, what+"late events", float64(late), 1, 40)
		within(t, what+"logins", float64(logins), 1, 20)
		if strays != 0 {
			t.Errorf("day %d: %d events are of no day that it reports", day+1, strays)
		}
	}
	var rows, ids uint64
	scan(t, conn, "SELECT count(), uniqExact(message_id) FROM events_raw WHERE project = ?", []any{s.Project}, &rows, &ids)
	if rows != ids {
		t.Errorf("%d rows have %d message ids", rows, ids)
	}
}

// asFloat scans whatever number a query yields.
func asFloat(f *float64) *number { return (*number)(f) }

type number float64

func (n *number) Scan(src any) error {
	switch v := src.(type) {
	case uint64:
		*n = number(v)
	case float64:
		*n = number(v)
	}
	return nil
}
