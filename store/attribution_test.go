package store_test

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

var (
	projectTables = []string{"identities", "persons", "touchpoints"}
	kindTables    = []string{"conversions", "journeys", "path_stats", "credits", "channel_credits"}
)

// strange are texts that break whatever quotes or escapes them once too often or too seldom.
func strange() []string {
	list := []string{`'`, `\`, `\\`, `\'`, `\n`, `"`, "`", `{project:String}`, `',`, `]`, `\N`, `NULL`, ` `, "ü", "🎉", "\u2028", "\xff", "tail\\"}
	for b := range 0x80 {
		list = append(list, fmt.Sprintf("byte %c here", b))
	}
	return list
}

func params(project, kind string) attribution.Params {
	return attribution.Params{
		Project: attribution.Project{
			ID: project, Location: time.UTC, Currency: "EUR", Lookback: 90 * 24 * time.Hour, Inactivity: 30 * 24 * time.Hour,
		},
		Conversion: attribution.Conversion{Event: kind},
		Models:     []attribution.Model{model.Linear{}, model.Markov{}},
		Publish:    true,
	}
}

func attribute(t *testing.T, db *store.DB, project, kind string) job.Report {
	t.Helper()
	report, err := job.Run(t.Context(), db, params(project, kind), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

const day = 24 * 60 * 60 * 1000

var dayOne = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()

func happened(e event.Event, on int) event.Event {
	e.Timestamp = dayOne + int64(on)*day
	e.ClientTimestamp, e.ReceivedAt = e.Timestamp, e.Timestamp
	e.MessageID = fmt.Sprint(e.Project, e.Type, e.Name, e.UserID, e.AnonymousID, on)
	e.SetStorageKey()
	return e
}

func visit(project, device, channel string, on int) event.Event {
	return happened(event.Event{
		Project: project, Type: event.Page, AnonymousID: device, Origin: event.OriginBrowser,
		Channel: channel, ChannelReason: "utm", Source: channel,
	}, on)
}

func conversion(project, device, user, kind string, on int) event.Event {
	return happened(event.Event{
		Project: project, Type: event.Track, Name: kind, AnonymousID: device, UserID: user, Origin: event.OriginServer,
		Value: 10_000_000, Currency: "EUR",
	}, on)
}

// published is what readers see of projects, as one number for each table, project and kind.
func published(t *testing.T, db *store.DB, projects ...string) map[string]uint64 {
	t.Helper()
	seen := map[string]uint64{}
	add := func(table, kind string) {
		rows, err := db.Conn().Query(t.Context(), "SELECT project, "+kind+" AS kind, groupBitXor(cityHash64(*)) FROM "+table+" GROUP BY project, kind")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var project, kind string
			var hash uint64
			if err := rows.Scan(&project, &kind, &hash); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(projects, project) {
				seen[table+" of "+strconv.Quote(project)+" "+strconv.Quote(kind)] = hash
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range projectTables {
		add(table, "''")
	}
	for _, table := range kindTables {
		add(table, "kind")
	}
	return seen
}

// changed are the keys whose values differ.
func changed(before, after map[string]uint64) []string {
	keys := map[string]bool{}
	for _, m := range []map[string]uint64{before, after} {
		for key := range m {
			if before[key] != after[key] {
				keys[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

func tablesOf(project, kind string) []string {
	var keys []string
	for _, table := range projectTables {
		keys = append(keys, table+" of "+strconv.Quote(project)+` ""`)
	}
	for _, table := range kindTables {
		keys = append(keys, table+" of "+strconv.Quote(project)+" "+strconv.Quote(kind))
	}
	return slices.Sorted(slices.Values(keys))
}

func wantChanged(t *testing.T, when string, before, after map[string]uint64, want []string) {
	t.Helper()
	if got := changed(before, after); !slices.Equal(got, want) {
		t.Errorf("%s: changed\n%q, want\n%q", when, got, want)
	}
}

func TestPublishReplacesProjectAndKind(t *testing.T) {
	db := storetest.Open(t)
	projects := []string{`pub 'a' "b" \ ü` + "\n\t\x00", `pub\`}
	kinds := []string{`it's "done" \o/ 🎉` + "\n", `done\`}
	for _, project := range projects {
		var events []event.Event
		for _, kind := range kinds {
			events = append(events, visit(project, "d", "Email", 0), visit(project, "d", "Direct", 1), conversion(project, "d", "u", kind, 2))
		}
		insert(t, db, events...)
	}

	state := published(t, db, projects...)
	wantChanged(t, "before", nil, state, nil)
	for i, pair := range [][2]string{{projects[0], kinds[0]}, {projects[0], kinds[1]}, {projects[1], kinds[0]}} {
		report := attribute(t, db, pair[0], pair[1])
		if report.Coverage.Conversions != 1 || report.Coverage.Value != 10_000_000 {
			t.Errorf("%q: coverage %+v", pair, report.Coverage)
		}
		want := tablesOf(pair[0], pair[1])
		if i == 1 { // those of the project are as they were
			want = slices.DeleteFunc(want, func(key string) bool { return slices.Contains(tablesOf(projects[0], kinds[0]), key) })
		}
		next := published(t, db, projects...)
		wantChanged(t, "first run", state, next, want)
		state = next
	}

	insert(t, db, visit(projects[0], "f", "Display", 1), conversion(projects[0], "e", "v", kinds[0], 3))
	got := attribute(t, db, projects[0], kinds[0]).Coverage
	if want := (attribution.Coverage{Conversions: 2, Unattributed: 1, Value: 20_000_000, Pending: 1, UnattributedValue: 10_000_000}); got != want {
		t.Errorf("coverage %+v, want %+v", got, want)
	}
	next := published(t, db, projects...)
	wantChanged(t, "with new events", state, next, tablesOf(projects[0], kinds[0]))

	run(t, db, "DELETE FROM events_raw WHERE project = {project:String}", clickhouse.Named("project", projects[0]))
	insert(t, db, happened(event.Event{Project: projects[0], Type: event.Track, Name: "by nobody"}, 1))
	attribute(t, db, projects[0], kinds[0])
	last := published(t, db, projects...)
	wantChanged(t, "without journeys", next, last, tablesOf(projects[0], kinds[0]))
	for _, key := range tablesOf(projects[0], kinds[0]) {
		if _, ok := last[key]; ok {
			t.Errorf("%s has rows, want none", key)
		}
	}
}

// A run that did not end leaves working tables full of rows, which the next one must not see.
func TestRunAfterAnInterruptedOne(t *testing.T) {
	db := storetest.Open(t)
	const project, other, kind = "undisturbed", "interrupted", "Done"
	insert(t, db,
		visit(project, "d", "Email", 0), conversion(project, "d", "u", kind, 2),
		visit(other, "d", "Display", 0), visit(other, "d", "Direct", 1), conversion(other, "d", "u", kind, 2))
	alone := attribute(t, db, project, kind)
	state := published(t, db, project, other)

	p := params(other, kind)
	for _, step := range []func() error{
		func() error { return db.Begin(t.Context()) },
		func() error { return db.LinkDevices(t.Context(), other) },
		func() error { return db.SetAliases(t.Context(), map[string]string{"u": "somebody"}) },
		func() error { return db.AssignPersons(t.Context(), other, nil) },
		func() error { return db.FindSessions(t.Context(), other) },
		func() error { return db.SummarisePersons(t.Context(), other) },
		func() error { return db.FindConversions(t.Context(), p) },
		func() error { return db.BuildJourneys(t.Context(), p, time.UnixMilli(dayOne)) },
		func() error { return db.SumPaths(t.Context(), p) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	wantChanged(t, "a run without Publish", state, published(t, db, project, other), nil)

	again := attribute(t, db, project, kind)
	if fmt.Sprint(again) != fmt.Sprint(alone) {
		t.Errorf("report\n%v after an interrupted run, want\n%v", again, alone)
	}
	wantChanged(t, "a run after it", state, published(t, db, project, other), nil)
}

func TestParametersKeepStrangeText(t *testing.T) {
	db := storetest.Open(t)
	var events []event.Event
	for i, s := range strange() {
		events = append(events, happened(event.Event{Project: "strange" + s, Type: event.Track, Name: "x"}, i))
	}
	insert(t, db, events...)
	for i, s := range strange() {
		newest, err := db.AsOf(t.Context(), "strange"+s)
		if want := dayOne + int64(i)*day; err != nil || newest.UnixMilli() != want {
			t.Errorf("project %q: newest event %d, %v; want %d", s, newest.UnixMilli(), err, want)
		}
	}

	const project = "strange kinds"
	events = nil
	for _, s := range append(strange(), "not asked for") {
		e := happened(event.Event{Project: project, Type: event.Track, Name: s, AnonymousID: "d", Properties: s}, 0)
		events = append(events, e)
	}
	insert(t, db, events...)
	if err := db.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.AssignPersons(t.Context(), project, strange()); err != nil {
		t.Fatal(err)
	}
	kept := column[string](t, db, "SELECT properties FROM touchline_work.person_events WHERE properties != '' ORDER BY properties")
	if want := slices.Sorted(slices.Values(strange())); !slices.Equal(kept, want) {
		t.Errorf("properties kept of %q, want %q", kept, want)
	}
}

func TestAsOfWithoutEvents(t *testing.T) {
	if asOf, err := storetest.Open(t).AsOf(t.Context(), "nobody's project"); err != nil || !asOf.IsZero() {
		t.Errorf("%v, %v; want the zero Time", asOf, err)
	}
}

// More rows than are sent at once.
func TestCreditsKeepsEveryRow(t *testing.T) {
	db := storetest.Open(t)
	if err := db.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := db.Credits(t.Context(), params("many credits", "Done"))
	if err != nil {
		t.Fatal(err)
	}
	const rows = 200_003
	touch := attribution.Touch{ID: "t", Time: time.UnixMilli(dayOne), Channel: "Email", Source: "s", Medium: "m", Campaign: "c"}
	j := &attribution.Journey{ConversionID: "c", Converted: time.UnixMilli(dayOne + 1), Person: "p", Touches: slices.Repeat([]attribution.Touch{touch}, rows)}
	for i := range rows {
		if err := w.Write(attribution.CreditRow{Journey: j, Model: "linear", Position: i + 1, Credit: 1, Value: 2}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(attribution.CreditRow{Journey: j, Model: "linear", Credit: attribution.ShareUnit - rows, Value: -1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := column[string](t, db, `SELECT toString((
			project, kind, level, model, conversion_id, toUnixTimestamp64Milli(converted), person, touch_id, channel, source, medium, campaign,
			toUnixTimestamp64Milli(min(touched)), count(), uniqExact(position), max(position), sum(credit), sum(value)))
		FROM touchline_work.credits
		GROUP BY project, kind, level, model, conversion_id, converted, person, touch_id, channel, source, medium, campaign
		ORDER BY touch_id`)
	want := []string{
		"('many credits','Done','person','linear','c',1709294400001,'p','','Unattributed','','','',1709294400001,1,1,0,0.999999799997,-0.000001)",
		"('many credits','Done','person','linear','c',1709294400001,'p','t','Email','s','m','c',1709294400000,200003,200003,200003,0.000000200003,0.400006)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%q, want\n%q", got, want)
	}
}
