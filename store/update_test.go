package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

// attributionViews are what an update changes for readers.
var attributionViews = []string{
	"identities", "persons", "accounts", "touchpoints", "conversions", "journeys", "credits", "channel_credits", "path_stats",
	"removal_effects", "transitions",
}

func testProject(id string) attribution.Project {
	return attribution.Project{
		ID: id, Location: time.UTC, Currency: "EUR",
		Conversions: []attribution.Conversion{{Event: "Order Completed", Value: "revenue"}, {Event: "Signed Up"}},
		Milestones:  attribution.Milestones{Lead: "Lead Qualified", Opportunity: "Opportunity Created"},
		Touches:     []string{"Email Opened"},
		Lookback:    90 * 24 * time.Hour, Inactivity: 30 * 24 * time.Hour,
	}
}

// tester is a test, or one try of a property.
type tester interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}

func update(t tester, db *store.DB, p attribution.Project) *attribution.Update {
	t.Helper()
	u, err := job.Run(t.Context(), db, p, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// seen is all that readers see of a project, a line a row.
func seen(t tester, db *store.DB, project string) []string {
	t.Helper()
	var lines []string
	for _, view := range attributionViews {
		for _, row := range column[string](t, db, "SELECT toString(tuple(* EXCEPT project)) FROM "+view+" WHERE project = '"+project+"' ORDER BY 1") {
			lines = append(lines, view+" "+row)
		}
	}
	return lines
}

// unrated is a currency that no test imports a rate for.
const unrated = "ISK"

// drawEvent draws an event of a small world in which everything meets: people who share devices, join accounts, are joined
// by alias calls, buy by orders that several events report, and are late.
func drawEvent(r *rapid.T, n int, foreign string) event.Event {
	pick := func(label string, list ...string) string { return rapid.SampledFrom(list).Draw(r, label) }
	e := event.Event{
		MessageID: fmt.Sprint("m", n), Type: event.Track, Origin: event.OriginBrowser, Library: "test",
		AnonymousID: pick("device", "", "d1", "d2", "d3", "d4"), UserID: pick("user", "", "", "", "u1", "u2", "u3", "d4"),
		AccountID: pick("account", "", "", "", "", "acme"), Channel: "Direct", ChannelReason: "none",
		Country: pick("country", "", "DE", "FR"), Seq: uint32(n), //nolint:gosec // few events
		IsBot: pick("sender", "", "", "", "", "", "", "", "", "", "bot") != "",
	}
	e.Timestamp = dayOne + rapid.Int64Range(0, 150).Draw(r, "day")*day + rapid.SampledFrom([]int64{0, 1, 29, 31, 62, 90}).Draw(r, "minute")*60_000
	e.ClientTimestamp, e.ReceivedAt = e.Timestamp, e.Timestamp
	switch pick("what", "page", "page", "page", "page", "order", "order", "refund", "sign up", "identify", "group", "alias",
		"touchpoint", "opened", "lead", "opportunity", "click", "other") {
	case "page":
		e.Type, e.URL, e.Path = event.Page, "https://shop.example/p", "/p"
		if channel := pick("channel", "", "Email", "Display", "Search"); channel != "" {
			e.Channel, e.ChannelReason, e.Source, e.Campaign = channel, "utm", strings.ToLower(channel), pick("campaign", "", "x")
		} else if rapid.Bool().Draw(r, "linked") {
			e.URL += fmt.Sprint("?tl_touch=m", rapid.IntRange(0, n+5).Draw(r, "link"))
		}
	case "order":
		e.Name, e.OrderID, e.Currency = "Order Completed", pick("order", "", "o1", "o2", "o3"), pick("currency", "EUR", "EUR", foreign, unrated)
		e.Properties = `{"price": "` + pick("price", "3.50", "12", "") + `"}`
		e.Value = rapid.Int64Range(0, 100).Draw(r, "value") * 1_000_003
		e.Origin = rapid.SampledFrom([]event.Origin{event.OriginBrowser, event.OriginServer}).Draw(r, "origin")
	case "refund":
		e.Name, e.OrderID, e.Value = pick("refund", "Order Refunded", "Order Cancelled"), pick("order", "o1", "o2", "o3"), 500_000
	case "sign up":
		e.Name = "Signed Up"
	case "identify":
		e.Type, e.Traits = event.Identify, `{"role":"buyer"}`
	case "group":
		e.Type, e.AccountID, e.Traits = event.Group, pick("group", "acme", "bolt"), `{"name":"x"}`
	case "alias":
		e.Type, e.PreviousID = event.Alias, pick("previous", "d1", "d4", "u1", "u2", "u9")
		e.UserID = pick("aliased", "u1", "u2", "u3")
	case "touchpoint":
		e.Name, e.Channel, e.ChannelReason = "Touchpoint", "Trade Fair", "explicit"
	case "opened":
		e.Name, e.Channel, e.ChannelReason, e.Origin = "Email Opened", "Email", "utm", event.OriginPixel
	case "lead":
		e.Name, e.Origin = "Lead Qualified", event.OriginServer
	case "opportunity":
		e.Name, e.Origin = "Opportunity Created", event.OriginServer
	case "click":
		e.Name, e.Origin = "Link Clicked", event.OriginLink
		e.Channel, e.ChannelReason, e.Source = "Email", "utm", "news"
	case "other":
		e.Name = "Product Viewed"
	}
	return e
}

// settings are what a project may be changed to between updates.
var settings = []func(*attribution.Project){
	func(*attribution.Project) {},
	func(p *attribution.Project) { p.Lookback, p.Inactivity = 20*24*time.Hour, 10*24*time.Hour },
	func(p *attribution.Project) {
		p.Conversions = []attribution.Conversion{{Event: "Product Viewed"}, {Event: "Order Completed", Value: "price"}}
		p.Milestones = attribution.Milestones{Lead: "Signed Up"}
	},
	func(p *attribution.Project) {
		p.Touches, p.RoleTrait, p.Location = []string{"Product Viewed"}, "role", time.FixedZone("Etc/GMT-14", 14*60*60)
	},
}

// act is one thing that happens between updates.
type act struct {
	events   []event.Event
	unlinked *store.Unlinked
	rate     *collector.ExchangeRate
	expire   int64 // events received before are deleted; 0: none
	settings int   // of the project from now on; 0: as they are
}

func drawActs(r *rapid.T, foreign string) []act {
	var acts []act
	for n := range rapid.IntRange(1, 40).Draw(r, "events") {
		e := drawEvent(r, n, foreign)
		acts = append(acts, act{events: []event.Event{e}})
		if rapid.IntRange(0, 9).Draw(r, "retry") == 0 { // which another skew is applied to, by another address
			e.ReceivedAt += 1000
			e.Timestamp += 20_000
			e.Country = "IT"
			acts = append(acts, act{events: []event.Event{e}})
		}
	}
	for range rapid.IntRange(0, 2).Draw(r, "unlinks") {
		acts = append(acts, act{unlinked: &store.Unlinked{
			Device: rapid.SampledFrom([]string{"d1", "d2", "d3"}).Draw(r, "unlinked device"),
			User:   rapid.SampledFrom([]string{"u1", "u2", "u3"}).Draw(r, "unlinked user"),
			At:     time.UnixMilli(dayOne + rapid.Int64Range(0, 150).Draw(r, "until")*day),
		}})
	}
	first := int32(dayOne / day) //nolint:gosec // of 2024
	for _, d := range rapid.SliceOfNDistinct(rapid.Int32Range(0, 20), 0, 4, rapid.ID[int32]).Draw(r, "rates") {
		acts = append(acts, act{rate: &collector.ExchangeRate{Day: first + 8*d, Currency: foreign, Base: "EUR", Quoted: "0.9"}})
	}
	for range rapid.IntRange(0, 1).Draw(r, "expiries") {
		acts = append(acts, act{expire: dayOne - day/2 + rapid.Int64Range(0, 100).Draw(r, "expired")*day})
	}
	for range rapid.IntRange(0, 1).Draw(r, "changes") {
		acts = append(acts, act{settings: rapid.IntRange(1, len(settings)-1).Draw(r, "settings")})
	}
	return rapid.Permutation(acts).Draw(r, "order")
}

// world is a project to which things happen.
type world struct {
	db       *store.DB
	project  attribution.Project
	stored   []event.Event // that have not expired
	unlinked []store.Unlinked

	settings, expiries int
	published          string // settings and expiries as the tables know them; empty: they must be computed anew
	filled             bool   // the tables are of any events
}

func newWorld(db *store.DB, id string) *world { return &world{db: db, project: testProject(id)} }

func (w *world) state() string { return fmt.Sprint(w.settings, " ", w.expiries) }

func (w *world) change(to int) {
	id := w.project.ID
	w.settings, w.project = to, testProject(id)
	settings[to](&w.project)
}

func (w *world) insert(t tester, events []event.Event) {
	if len(events) > 0 {
		w.stored = append(w.stored, events...)
		insertInto(t, w.db, w.project.ID, events)
	}
}

func (w *world) unlink(t tester, u store.Unlinked) {
	w.unlinked = append(w.unlinked, u)
	if err := w.db.Unlink(t.Context(), w.project.ID, u); err != nil {
		t.Fatal(err)
	}
}

func (w *world) expire(t tester, before int64) {
	kept := slices.DeleteFunc(slices.Clone(w.stored), func(e event.Event) bool { return e.ReceivedAt < before })
	if len(kept) < len(w.stored) {
		w.expiries++
	}
	w.stored = kept
	if err := w.db.DeleteExpired(t.Context(), w.project.ID, time.UnixMilli(before)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) apply(t *rapid.T, acts []act) {
	var events []event.Event
	for _, a := range acts {
		events = append(events, a.events...)
		switch {
		case a.unlinked != nil:
			w.unlink(t, *a.unlinked)
		case a.rate != nil:
			if _, err := w.db.InsertRates(t.Context(), []collector.ExchangeRate{*a.rate}); err != nil {
				t.Fatal(err)
			}
		case a.expire != 0:
			w.insert(t, events)
			w.expire(t, a.expire)
			events = nil
		case a.settings != 0:
			w.change(a.settings)
		}
	}
	w.insert(t, events)
}

// update is one turn, which may be killed after a step, or after so many tables were published.
func (w *world) update(t *rapid.T, after string, tables int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &killed{Store: w.db, db: w.db, tables: tables}
	_, err := job.Run(ctx, s, w.project, slog.New(&killer{slog.DiscardHandler, after, cancel}))
	if s.begun == nil {
		t.Fatal(err)
	}
	// of the newest event's copies an earlier one can come later, and take as-of back
	if full := w.published != w.state() || s.begun.AsOf.Before(s.begun.OldAsOf); len(w.stored) > 0 && s.begun.Full != full {
		t.Fatalf("full is %t, want %t: published %q, now %q", s.begun.Full, full, w.published, w.state())
	}
	switch {
	case len(w.stored) == 0 && !w.filled:
	case err == nil || errors.Is(err, errKilled):
		w.published, w.filled = w.state(), len(w.stored) > 0
	case !errors.Is(err, context.Canceled):
		t.Fatal(err)
	case s.begun.Full:
		w.published = ""
	}
}

var errKilled = errors.New("killed while it published")

// killed ends an update in the middle of publishing, unless tables are less than none.
type killed struct {
	attribution.Store
	db     *store.DB
	tables int
	begun  *attribution.Update
}

func (k *killed) Begin(ctx context.Context, p attribution.Project, models []string) (u *attribution.Update, err error) {
	k.begun, err = k.Store.Begin(ctx, p, models)
	return k.begun, err
}

func (k *killed) Publish(ctx context.Context, u *attribution.Update) error {
	if k.tables < 0 {
		return k.Store.Publish(ctx, u)
	}
	return errors.Join(errKilled, store.PublishPart(ctx, k.db, u, k.tables))
}

// killer ends an update after a step.
type killer struct {
	slog.Handler
	after string
	kill  context.CancelFunc
}

func (*killer) Enabled(context.Context, slog.Level) bool { return true }

func (k *killer) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "step" && a.Value.String() == k.after {
			k.kill()
		}
		return true
	})
	return nil
}

// drawUpdate is an update of which a third are killed.
func (w *world) drawUpdate(r *rapid.T) {
	after, tables := "", -1
	switch rapid.IntRange(0, 5).Draw(r, "killed") {
	case 4:
		after = rapid.SampledFrom([]string{
			"begin", "take events", "adopt links", "find owners", "find orders", "build journeys", "solve chains", "check sums",
		}).Draw(r, "after")
	case 5:
		tables = rapid.IntRange(0, store.Moves).Draw(r, "tables")
	}
	w.update(r, after, tables)
}

// In whatever order things happen, however many updates there are between them and wherever these are killed, readers see
// what one update over all of it makes. Other projects in the database have the same ids.
func TestUpdatesInAnyOrder(t *testing.T) {
	db := storetest.Open(t)
	few(t, 8) // each is half a dozen updates of about forty statements
	worlds := 0
	rapid.Check(t, func(r *rapid.T) {
		worlds++
		acts := drawActs(r, fmt.Sprint("currency ", worlds))
		parts := newWorld(db, fmt.Sprint("parts ", worlds))
		for len(acts) > 0 {
			n := rapid.IntRange(1, len(acts)).Draw(r, "next")
			parts.apply(r, acts[:n])
			acts = acts[n:]
			parts.drawUpdate(r)
		}
		parts.update(r, "", -1)

		whole := newWorld(db, fmt.Sprint("whole ", worlds))
		whole.change(parts.settings)
		whole.insert(r, parts.stored)
		for _, u := range parts.unlinked {
			whole.unlink(r, u)
		}
		whole.update(r, "", -1)
		want, got := seen(r, db, whole.project.ID), seen(r, db, parts.project.ID)
		if !slices.Equal(got, want) {
			r.Fatalf("readers see\n%s\nwant\n%s", only(got, want), only(want, got))
		}
	})
}

// few lets rapid check a property less often than it does by default, unless the command line says how often.
func few(t *testing.T, checks int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f.Value.String() == f.DefValue {
		if err := f.Value.Set(strconv.Itoa(checks)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
	}
}

// only are the lines that b does not have.
func only(a, b []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) }), "\n")
}

func insertInto(t tester, db *store.DB, project string, events []event.Event) {
	t.Helper()
	list := slices.Clone(events)
	for i := range list {
		list[i].Project = project
		list[i].SetStorageKey()
	}
	insert(t, db, list...)
}
