package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
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

// drawEvent draws an event of a small world in which everything meets: people who share devices, join accounts, are joined
// by alias calls, buy by orders that several events report, and are late.
func drawEvent(r *rapid.T, n int) event.Event {
	pick := func(label string, list ...string) string { return rapid.SampledFrom(list).Draw(r, label) }
	e := event.Event{
		MessageID: fmt.Sprint("m", n), Type: event.Track, Origin: event.OriginBrowser, Library: "test",
		AnonymousID: pick("device", "", "d1", "d2", "d3", "d4"), UserID: pick("user", "", "", "", "u1", "u2", "u3", "d4"),
		AccountID: pick("account", "", "", "", "", "acme"), Channel: "Direct", ChannelReason: "none",
		Country: pick("country", "", "DE", "FR"), Seq: uint32(n), //nolint:gosec // few events
	}
	e.Timestamp = dayOne + rapid.Int64Range(0, 150).Draw(r, "day")*day + rapid.Int64Range(0, 90).Draw(r, "minute")*60_000
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
		e.Name, e.OrderID, e.Currency = "Order Completed", pick("order", "", "o1", "o2", "o3"), pick("currency", "EUR", "EUR", "USD", "XXX")
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

// In whatever order events come and however many updates there are between them, readers see what one update over all
// of them makes.
func TestUpdatesInAnyOrder(t *testing.T) {
	db := storetest.Open(t)
	run(t, db, `INSERT INTO rates_raw (day, currency, base, rate, inverse, quoted)
		SELECT toDate('2024-02-28') + number * 3, 'USD', 'EUR', 0.9, 1.111111, 'rate' FROM numbers(60)`)
	world := 0
	rapid.Check(t, func(r *rapid.T) {
		world++
		var events []event.Event
		for n := range rapid.IntRange(1, 40).Draw(r, "events") {
			e := drawEvent(r, n)
			events = append(events, e)
			if rapid.IntRange(0, 9).Draw(r, "retry") == 0 {
				e.ReceivedAt += 1000
				events = append(events, e)
			}
		}
		whole, parts := fmt.Sprint("whole ", world), fmt.Sprint("parts ", world)
		insertInto(t, db, whole, events)
		update(r, db, testProject(whole))
		left := rapid.Permutation(events).Draw(r, "order")
		updates := 0
		for len(left) > 0 {
			n := rapid.IntRange(1, len(left)).Draw(r, "next")
			insertInto(t, db, parts, left[:n])
			left = left[n:]
			u := update(r, db, testProject(parts))
			if updates++; u.Full != (updates == 1) {
				r.Fatalf("update %d: full is %t", updates, u.Full)
			}
		}
		want, got := seen(r, db, whole), seen(r, db, parts)
		if !slices.Equal(got, want) {
			r.Fatalf("after %d updates\n%s\nwant\n%s", updates, only(got, want), only(want, got))
		}
	})
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
