package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

// drawSide draws events of people whose ids begin with the name of their side, so that two sides share nothing.
func drawSide(r *rapid.T, side string) []event.Event {
	var events []event.Event
	for n := range rapid.IntRange(1, 20).Draw(r, side) {
		e := drawEvent(r, n, unrated)
		for _, id := range []*string{&e.AnonymousID, &e.UserID, &e.AccountID, &e.PreviousID, &e.OrderID, &e.MessageID} {
			if *id != "" {
				*id = side + *id
			}
		}
		e.URL = strings.Replace(e.URL, "tl_touch=", "tl_touch="+side, 1)
		events = append(events, e)
	}
	return events
}

// An update writes rows of the people that new events touch, and of no others.
func TestUpdateWritesRowsOfThoseItAffects(t *testing.T) {
	db := storetest.Open(t)
	few(t, 6)
	worlds := 0
	rapid.Check(t, func(r *rapid.T) {
		worlds++
		project := fmt.Sprint("two sides ", worlds)
		newest := visit(project, "left-d0", "Email", 200) // so that as-of stays what it is
		left, right := append(drawSide(r, "left-"), newest), drawSide(r, "right-")
		known := rapid.IntRange(0, len(right)-1).Draw(r, "known")
		insertInto(r, db, project, slices.Concat(left, right[:known]))
		update(r, db, testProject(project))
		before := ofLeft(seen(r, db, project))
		insertInto(r, db, project, right[known:])
		u := update(r, db, testProject(project))
		if u.Full {
			r.Fatal("the second update is full")
		}
		for table, key := range map[string]string{"identities_raw": "device_key", "subjects_raw": "subject_key", "conversions_raw": "subject_key"} {
			written := column[string](r, db, fmt.Sprintf(`SELECT toString(tuple(*)) FROM %[1]s WHERE project = '%[2]s' AND version = %[3]d
				AND %[4]s IN (SELECT %[4]s FROM %[1]s WHERE project = '%[2]s' AND position(toString(tuple(*)), 'left-') > 0)`,
				table, project, u.Number, key))
			if len(written) > 0 {
				r.Fatalf("%s: rows of people whom nothing new touched:\n%s", table, strings.Join(written, "\n"))
			}
		}
		if after := ofLeft(seen(r, db, project)); !slices.Equal(after, before) {
			r.Fatalf("readers see of others\n%s\nand before\n%s", only(after, before), only(before, after))
		}
	})
}

// ofLeft are the lines that speak of a person of that side; what markov says of one journey depends on all of them.
func ofLeft(lines []string) []string {
	return slices.DeleteFunc(lines, func(s string) bool { return !strings.Contains(s, "left-") || strings.Contains(s, "'markov'") })
}

// Events that are committed after an update although they were inserted before it, and those that two updates see within
// the overlap, are taken up once.
func TestUpdateTakesEveryEventOnce(t *testing.T) {
	db := storetest.Open(t)
	const project, draft = "taken once", "taken once, not committed"
	takes := func(events, subjects uint64) {
		t.Helper()
		if u := update(t, db, testProject(project)); u.Events != events || u.Subjects != subjects {
			t.Errorf("an update took up %d events and computed %d subjects, want %d and %d", u.Events, u.Subjects, events, subjects)
		}
	}
	insert(t, db, visit(project, "d1", "Email", 0), visit(project, "d1", "Email", 1), visit(project, "d2", "Email", 1))
	takes(3, 2)
	takes(0, 0)
	insert(t, db, visit(project, "d2", "Email", 2))
	takes(1, 1)
	insert(t, db, visit(draft, "d3", "Email", 0))
	columns := strings.Join(column[string](t, db, "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'events_raw' AND default_kind = ''"), ", ")
	run(t, db, fmt.Sprintf(`INSERT INTO events_raw (%s, inserted_at) SETTINGS insert_allow_materialized_columns = 1
		SELECT * REPLACE ('%s' AS project), now64(3) - INTERVAL 9 MINUTE FROM (SELECT * FROM events_raw WHERE project = '%s')`, columns, project, draft))
	takes(1, 1)
	takes(0, 0)
	got := column[string](t, db, "SELECT concat(person, ' ', toString(events)) FROM persons WHERE project = '"+project+"' ORDER BY person")
	if want := []string{"d1 2", "d2 2", "d3 1"}; !slices.Equal(got, want) {
		t.Errorf("events of persons %q, want %q", got, want)
	}
}

// Whoever reads while an update is published sees a table as it was or as it will be.
func TestReadersSeeWholeTables(t *testing.T) {
	db := storetest.Open(t)
	const project, people, updates = "whole tables", 20, 8
	read := func(t tester, view string) string {
		return strings.Join(column[string](t, db, "SELECT toString(tuple(* EXCEPT project)) FROM "+view+" WHERE project = '"+project+"' ORDER BY 1"), "\n")
	}
	views := []string{"persons", "touchpoints", "conversions", "path_stats", "channel_credits", "removal_effects"}
	whole := map[string]bool{"": true} // as it is before the first update
	var lock sync.Mutex
	meanwhile := map[string]string{} // what was read, and in which view
	stop, reading := make(chan struct{}), make(chan struct{}, updates)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			view := views[n%len(views)]
			text := read(t, view)
			lock.Lock()
			meanwhile[text] = view
			lock.Unlock()
			select {
			case reading <- struct{}{}:
			default:
			}
		}
	})
	for n := range updates {
		var events []event.Event
		for i := range people { // everybody's device gets another user each time
			device := fmt.Sprint("d", i)
			events = append(events, visit(project, device, "Email", n), conversion(project, device, fmt.Sprint("u", i, " ", n), "Signed Up", n))
		}
		insert(t, db, events...)
		p := testProject(project)
		settings[n/4](&p) // the fifth is a full one
		<-reading
		update(t, db, p)
		for _, view := range views {
			whole[read(t, view)] = true
		}
	}
	close(stop)
	wg.Wait()
	for text, view := range meanwhile {
		if !whole[text] {
			t.Errorf("somebody has read of %s what is neither before nor after an update:\n%s", view, text)
		}
	}
}

// What a process that was killed still inserts would come into the tables of the next update.
func TestBeginEndsRunningInserts(t *testing.T) {
	db := storetest.Open(t)
	insert(t, db, visit("after a kill", "d", "Email", 0))
	ended := make(chan error)
	go func() {
		ended <- db.Conn().Exec(t.Context(), `INSERT INTO touchline_work.affected_users SELECT toString(sleepEachRow(1)) FROM numbers(100000)
			SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0`)
	}()
	for len(column[uint8](t, db, "SELECT 1 FROM system.processes WHERE query LIKE 'INSERT INTO touchline\\\\_work.affected\\\\_users%sleepEachRow%'")) == 0 {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Begin(t.Context(), testProject("after a kill"), nil); err != nil {
		t.Fatal(err)
	}
	refused := (*clickhouse.Exception)(nil)
	if err := <-ended; !errors.As(err, &refused) || refused.Code != 394 { // QUERY_WAS_CANCELLED
		t.Errorf("the insert ended with %v", err)
	}
}

// More journeys than are sent at once.
func TestCreditKeepsEveryShare(t *testing.T) {
	db := storetest.Open(t)
	const project, more = "many journeys", 200_002
	insert(t, db, visit(project, "d", "Email", 0), visit(project, "d", "Direct", 1), conversion(project, "d", "u", "Signed Up", 2))
	u := update(t, db, testProject(project))
	run(t, db, fmt.Sprintf(`INSERT INTO touchline_work.subjects_raw
		SELECT * EXCEPT number REPLACE (number AS subject_key) FROM touchline_work.subjects_raw CROSS JOIN numbers(%d) AS n`, more))
	run(t, db, "TRUNCATE TABLE touchline_work.shares")
	channels, err := db.Channels(t.Context(), u)
	if err == nil {
		err = db.Credit(t.Context(), u, channels, func(s attribution.Sequence, value int64, shares, worth []int64) {
			for t := range s.Channels {
				shares[t*len(u.Models)], worth[t*len(u.Models)] = int64(s.Channels[t]), int64(s.Hours[t])+value
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	got := column[string](t, db, "SELECT toString(tuple(count(), uniqExact(subject_key), slot, kind, conversion, arrayFilter((c, i) -> i IN (1, 10), shares, arrayEnumerate(shares)), arrayFilter((w, i) -> i IN (1, 10), worth, arrayEnumerate(worth)))) FROM touchline_work.shares GROUP BY slot, kind, conversion, shares, worth")
	if want := []string{fmt.Sprintf("(%d,%d,0,'Signed Up',1,[1,0],[10000048,10000024])", more+1, more+1)}; !slices.Equal(channels, []string{"Direct", "Email"}) || !slices.Equal(got, want) {
		t.Errorf("channels %q, shares %q, want %q", channels, got, want)
	}
}

// wrong is a store whose sums do not add up.
type wrong struct {
	attribution.Store
	db *store.DB
}

func (w wrong) SumCredits(ctx context.Context, u *attribution.Update) error {
	return errors.Join(w.Store.SumCredits(ctx, u), w.db.Conn().Exec(ctx, `INSERT INTO touchline_work.channel_credits_raw
		SELECT * REPLACE ('too much' AS name) FROM touchline_work.channel_credits_raw WHERE model = 'last' AND dimension = 'medium' LIMIT 1`))
}

func TestCreditThatDoesNotAddUpIsNotPublished(t *testing.T) {
	db := storetest.Open(t)
	const project = "credit that does not add up"
	insert(t, db, visit(project, "d", "Email", 0), conversion(project, "d", "u", "Signed Up", 1))
	_, err := job.Run(t.Context(), wrong{db, db}, testProject(project), slog.New(slog.DiscardHandler))
	const want = "check sums: model last credits 2 conversions of Signed Up worth 20 by medium at level account, -1 and -10 too few: the credit must add up"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if lines := seen(t, db, project); len(lines) > 0 {
		t.Errorf("readers see %q", lines)
	}
	u := update(t, db, testProject(project))
	sums, err := db.Sums(t.Context(), u)
	if err != nil || len(sums) == 0 {
		t.Fatalf("%d sums, %v", len(sums), err)
	}
	for _, s := range sums {
		if s.Credit != (attribution.Credit{Conversions: 1, Value: 10}) || s.Missing != (attribution.Credit{}) {
			t.Errorf("%+v", s)
		}
	}
}

func TestWriteChain(t *testing.T) {
	db := storetest.Open(t)
	const project = `a chain's "project" \`
	insert(t, db, visit(project, "d", "Email", 0))
	u, err := db.Begin(t.Context(), testProject(project), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.WriteChain(t.Context(), u, "Signed Up", attribution.Account, attribution.Chain{
		Channels: []string{"Email", "Direct"}, Removal: []attribution.Credit{{Conversions: 0.5, Value: 0.25}, {Conversions: 1, Value: 0}},
		Transitions: []attribution.Transition{{From: "(start)", To: "Email", Probability: 0.75}, {From: "Email", To: "(null)", Probability: 1}},
	})
	if err == nil {
		err = db.Publish(t.Context(), u)
	}
	if err != nil {
		t.Fatal(err)
	}
	got := column[string](t, db, `SELECT r FROM (SELECT toString(tuple(kind, level, channel, '', effect, value_effect)) AS r FROM removal_effects WHERE project = {p:String}
		UNION ALL SELECT toString(tuple(kind, level, from_state, to_state, probability, 0)) AS r FROM transitions WHERE project = {p:String}) ORDER BY r`,
		clickhouse.Named("p", project))
	want := []string{
		"('Signed Up','account','(start)','Email',0.75,0)", "('Signed Up','account','Direct','',1,0)",
		"('Signed Up','account','Email','',0.5,0.25)", "('Signed Up','account','Email','(null)',1,0)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
