package dashboards

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// answers is what the queries say of a small company: Ann, user u1, comes by an advertisement, is met at a fair, comes
// again by an e-mail and orders for 100, of which 25 are refunded; in April she comes by herself and orders for 40.
// Somebody else comes once by a search. A program comes, too.
var answers = map[string]string{
	"assists": `
project|kind|channel|closes|assists
co|Order Completed|Direct|1|0
co|Order Completed|Email|1|0
co|Order Completed|Paid Search|0|1
co|Order Completed|Trade Fairs|0|1`,
	"bots": `
project|sender|events|percent
co|people|8|88.9
co|user agent: Googlebot|1|11.1`,
	"campaigns": `
project|kind|channel|source|campaign|conversions|credited
co|Order Completed|Paid Search|google|brand|0.33|25
co|Order Completed|Trade Fairs||fair|0.33|25
co|Order Completed|Email|newsletter|spring|0.33|25`,
	"channels": `
project|kind|channel|first|last|linear|markov|shapley
co|Order Completed|Direct|1|1|1|0.5|1
co|Order Completed|Email|0|1|0.33|0.5|0.33
co|Order Completed|Paid Search|1|0|0.33|0.5|0.33
co|Order Completed|Trade Fairs|0|0|0.33|0.5|0.33`,
	"cohorts": `
project|kind|month|channel|people|months_after|earned|earned_per_person
co|Order Completed|2026-03-01|Paid Search|1|0|75|75
co|Order Completed|2026-03-01|Paid Search|1|1|115|115`,
	"customers": `
project|kind|channel|new|returning
co|Order Completed|Email|0.33|0
co|Order Completed|Paid Search|0.33|0
co|Order Completed|Trade Fairs|0.33|0
co|Order Completed|Direct|0|1`,
	"journeys": `
project|kind|journeys|median_touches|p90_touches|median_days|p90_days
co|Order Completed|2|3|3|2|2`,
	"landing_pages": `
project|landing_page|sessions|led_to_conversion|percent
co|/|3|2|66.7
co|/lamps|1|1|100`,
	"matrix": `
project|kind|first|last|converted|earned|ended|percent
co|Order Completed|Paid Search|Email|1|75|0|100
co|Order Completed|Direct|Direct|1|40|0|100
co|Order Completed|Organic Search|Organic Search|0|0|1|0`,
	"months": `
project|kind|month|channel|credited
co|Order Completed|2026-03-01|Email|25
co|Order Completed|2026-03-01|Paid Search|25
co|Order Completed|2026-03-01|Trade Fairs|25
co|Order Completed|2026-04-01|Direct|40`,
	"offline": `
project|channel|touches|spent|conversions|credited
co|Trade Fairs|1|300|0.33|25`,
	"pairs": `
project|kind|a|b|a_only|a_only_percent|b_only|b_only_percent|both|both_percent|a_first|a_first_percent|b_first|b_first_percent
co|Order Completed|Email|Paid Search|0|0|0|0|1|100|0|0|1|100
co|Order Completed|Email|Trade Fairs|0|0|0|0|1|100|0|0|1|100
co|Order Completed|Paid Search|Trade Fairs|0|0|0|0|1|100|1|100|0|0`,
	"paths": `
project|kind|channels|conversions|nulls|percent
co|Order Completed|Direct|1|0|100
co|Order Completed|Paid Search > Trade Fairs > Email|1|0|100
co|Order Completed|Organic Search|0|1|0`,
	"refunds": `
project|kind|month|currency|conversions|gross|returned|percent
co|Order Completed|2026-03-01|EUR|1|100|25|25
co|Order Completed|2026-04-01|EUR|1|40|0|0`,
}

func TestQueries(t *testing.T) {
	db := storetest.Open(t)
	collect(t, db, company())
	analyst, err := db.Analyst(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer analyst.Close()
	files, err := filepath.Glob("query/*.sql")
	if err != nil || len(files) != len(answers) {
		t.Fatalf("%d files, %d answers, error %v", len(files), len(answers), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		t.Run(name, func(t *testing.T) {
			query, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(string(query), "\n"); !strings.HasPrefix(first, "-- ") || !strings.Contains(first, "?") {
				t.Errorf("first line %q, want the question it answers", first)
			}
			if got, want := ask(t, analyst, string(query)), strings.TrimSpace(answers[name]); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// company is the events that the answers speak of.
func company() []event.Event {
	at := func(month time.Month, day, hour, minute int) int64 {
		return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC).UnixMilli()
	}
	events := []event.Event{
		{Timestamp: at(3, 2, 10, 0), Type: event.Page, AnonymousID: "d1", Path: "/", Channel: "Paid Search", ChannelReason: "utm", Source: "google", Medium: "cpc", Campaign: "brand"},
		{Timestamp: at(3, 3, 12, 0), Type: event.Track, Name: event.Touchpoint, UserID: "u1", Origin: event.OriginServer, Channel: "Trade Fairs", ChannelReason: "explicit", Campaign: "fair", Properties: `{"channel":"Trade Fairs","cost":300}`},
		{Timestamp: at(3, 4, 10, 0), Type: event.Page, AnonymousID: "d1", Path: "/lamps", Channel: "Email", ChannelReason: "utm", Source: "newsletter", Medium: "email", Campaign: "spring"},
		{Timestamp: at(3, 4, 10, 5), Type: event.Track, Name: event.OrderCompleted, AnonymousID: "d1", UserID: "u1", Value: 100e6, Currency: "EUR", OrderID: "o1", Channel: "Direct", ChannelReason: "none"},
		{Timestamp: at(3, 20, 8, 0), Type: event.Track, Name: event.OrderRefunded, UserID: "u1", Origin: event.OriginServer, Value: 25e6, Currency: "EUR", OrderID: "o1", Channel: "Direct", ChannelReason: "none"},
		{Timestamp: at(4, 2, 9, 0), Type: event.Page, AnonymousID: "d1", Path: "/", Channel: "Direct", ChannelReason: "none"},
		{Timestamp: at(4, 2, 9, 10), Type: event.Track, Name: event.OrderCompleted, AnonymousID: "d1", UserID: "u1", Value: 40e6, Currency: "EUR", OrderID: "o2", Channel: "Direct", ChannelReason: "none"},
		{Timestamp: at(3, 5, 9, 0), Type: event.Page, AnonymousID: "d2", Path: "/", Channel: "Organic Search", ChannelReason: "referrer", Source: "google", Medium: "organic"},
		{Timestamp: at(4, 10, 9, 0), Type: event.Page, AnonymousID: "d3", Path: "/", IsBot: true, BotReason: "user agent: Googlebot", Channel: "Direct", ChannelReason: "none"},
	}
	for i := range events {
		e := &events[i]
		e.Project, e.MessageID, e.ClientTimestamp, e.ReceivedAt = "co", fmt.Sprintf("m%d", i), e.Timestamp, e.Timestamp
		if e.Origin == "" {
			e.Origin = event.OriginBrowser
		}
		e.SetStorageKey()
	}
	return events
}

// collect stores events and attributes the orders among them.
func collect(t *testing.T, db *store.DB, events []event.Event) {
	t.Helper()
	inserter := db.NewInserter()
	defer inserter.Close()
	if err := inserter.Insert(t.Context(), "token", event.Records(events)); err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	orders := attribution.Conversion{Event: event.OrderCompleted, Value: "revenue"}
	_, err := job.Run(t.Context(), db, attribution.Project{
		ID: events[0].Project, Location: time.UTC, Currency: "EUR", Conversions: []attribution.Conversion{orders},
		Lookback: 90 * day, Inactivity: 30 * day,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
}

// ask returns the answer as lines with the columns' names first.
func ask(t *testing.T, conn driver.Conn, query string) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	lines := []string{strings.Join(rows.Columns(), "|")}
	for rows.Next() {
		var values []any
		for _, column := range rows.ColumnTypes() {
			values = append(values, reflect.New(column.ScanType()).Interface())
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, v := range values {
			cells = append(cells, text(v))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// text is the value that a pointer leads to; days are written as days.
func text(pointer any) string {
	v := reflect.ValueOf(pointer)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if day, ok := v.Interface().(time.Time); ok {
		return day.Format(time.DateOnly)
	}
	return fmt.Sprint(v.Interface())
}
