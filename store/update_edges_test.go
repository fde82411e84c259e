package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

// Where definitions end: to the day of the lookback, to the millisecond of an unlink.
func TestEdgesOfDefinitions(t *testing.T) {
	db := storetest.Open(t)
	const project = "edges"
	join := func(device, user, account string, on int) event.Event {
		return happened(event.Event{
			Project: project, Type: event.Group, AnonymousID: device, UserID: user, AccountID: account, Origin: event.OriginServer,
		}, on)
	}
	landing := func(device, channel, reason, link string) event.Event {
		e := visit(project, device, channel, 150)
		e.ChannelReason, e.URL = reason, "https://shop.example/?tl_touch="+link
		return e
	}
	click := happened(event.Event{
		Project: project, Type: event.Track, Name: "Link Clicked", AnonymousID: "clicked", Origin: event.OriginLink,
		Channel: "Email", ChannelReason: "utm", Source: "news",
	}, 150)
	undone := conversion(project, "lent", "borrower", "Product Viewed", 150)
	insert(t, db,
		visit(project, "silent", "Email", 0), visit(project, "silent", "Display", 30), visit(project, "silent", "Search", 61),
		visit(project, "late", "Email", 0), join("late", "late user", "acme", 89),
		visit(project, "too late", "Email", 0), join("too late", "too late user", "acme", 90),
		click, landing("clicked", "Referral", "referrer", click.MessageID), landing("paid", "Paid Search", "click_id", click.MessageID),
		visit(project, "lent", "Email", 149), undone,
		visit(project, "newest", "Email", 200),
	)
	err := db.Unlink(t.Context(), project, store.Unlinked{Device: "lent", User: "borrower", At: time.UnixMilli(undone.Timestamp)})
	if err != nil {
		t.Fatal(err)
	}
	update(t, db, testProject(project))
	touches := column[string](t, db, "SELECT concat(person, ': ', channel, if(account = '', '', concat(' for ', account))) AS s FROM touchpoints WHERE project = '"+project+"' AND person != 'newest' ORDER BY s")
	want := []string{
		"clicked: Email", "late user: Email for acme", "lent: Email", "paid: Paid Search",
		"silent: Display", "silent: Email", "silent: Search", "too late user: Email",
	}
	if !slices.Equal(touches, want) {
		t.Errorf("touches\n%q, want\n%q", touches, want)
	}
	ended := column[string](t, db, "SELECT concat(arrayStringConcat(touches.channel, ' > '), ' ', toString(toDate(ended))) AS s FROM journeys WHERE project = '"+project+"' AND person = 'silent' AND level = 'person' AND kind = 'Signed Up' ORDER BY s")
	if want := []string{"Email > Display 2024-04-30", "Search 2024-05-31"}; !slices.Equal(ended, want) {
		t.Errorf("journeys of 30 days of silence %q, want %q", ended, want)
	}
}

// Each person here has another reason to be computed anew, so that no other reason makes up for it.
func TestEachReasonToComputeAnew(t *testing.T) {
	db := storetest.Open(t)
	const parts, whole = "reasons in parts", "reasons at once"
	by := func(e event.Event, user string) event.Event { e.UserID = user; return e }
	at := func(e event.Event, account string) event.Event { e.AccountID = account; return e }
	earlier := func(e event.Event) event.Event { e.Timestamp -= 10 * 60 * 1000; e.MessageID += " earlier"; return e }
	call := func(typ event.Type, user, previous, account string, on int) event.Event {
		return happened(event.Event{Type: typ, UserID: user, PreviousID: previous, AccountID: account, Origin: event.OriginServer}, on)
	}
	page := func(device, channel string, on int) event.Event { return visit("", device, channel, on) }
	order := func(device, user string, on int) event.Event { return conversion("", device, user, "Signed Up", on) }
	click := happened(event.Event{
		Type: event.Track, Name: "Link Clicked", AnonymousID: "mail", Origin: event.OriginLink, Channel: "Email", ChannelReason: "utm", Source: "news",
	}, 20)
	landed := page("landed", "Referral", 20)
	landed.ChannelReason, landed.URL = "referrer", "https://shop.example/?tl_touch="+click.MessageID
	foreign := conversion("", "", "abroad", "Order Completed", 3)
	foreign.Currency = "reasons"
	plain := page("one session", "Direct", 5)
	plain.ChannelReason, plain.Source = "none", ""

	first := []event.Event{
		page("known", "Email", 1), call(event.Alias, "ka", "known", "", 2), // a device, as far as is known
		by(page("lent", "Email", 1), "borrower"), page("lent", "Search", 2), // to be unlinked
		foreign, // without a rate
		by(page("j1 phone", "Email", 1), "j1"), by(page("j2 phone", "Search", 2), "j2"), call(event.Alias, "j2", "j1", "", 3),
		by(page("two a", "Email", 1), "two"), by(page("two b", "Search", 2), "two"),
		at(plain, "vanishing"), // the only touch of its account
		page("joins later", "Email", 1),
		by(page("m1", "Email", 1), "m1"), call(event.Group, "m1", "", "members", 2), call(event.Group, "m2", "", "members", 2), by(page("m2", "Search", 3), "m2"),
		landed, order("landed", "", 21), // a referral until the click is known
		page("open", "Display", 10),                                                                                                           // a null when as-of has moved
		by(page("x", "Email", 1), "xa"), by(page("x", "Search", 2), "xb"), by(page("xb", "Email", 3), "xb"), by(page("xa", "Email", 4), "xa"), // share one device
		page("anonymous", "Email", 7), order("anonymous", "", 8), // until they are identified
	}
	late := []event.Event{
		call(event.Identify, "known", "", "", 4),
		by(page("j2 phone", "Email", 9), "j2"), order("", "j2", 10),
		by(page("two a", "Display", 4), "two"), order("", "two", 5),
		earlier(plain),
		call(event.Group, "joined", "", "joined", 9), by(page("joins later", "Email", 10), "joined"),
		by(page("m1", "Display", 4), "m1"),
		click,
		by(page("xa", "Display", 9), "xa"),
		by(page("anonymous", "Email", 9), "named"),
		page("newest", "Email", 60),
	}
	insertInto(t, db, parts, first)
	update(t, db, testProject(parts))
	insertInto(t, db, parts, late)
	insertInto(t, db, whole, slices.Concat(first, late))
	for _, project := range []string{parts, whole} {
		if err := db.Unlink(t.Context(), project, store.Unlinked{Device: "lent", User: "borrower", At: time.UnixMilli(dayOne + 5*day)}); err != nil {
			t.Fatal(err)
		}
	}
	rate := collector.ExchangeRate{Day: int32(foreign.Timestamp / day), Currency: "reasons", Base: "EUR", Quoted: "0.5"} //nolint:gosec // of 2024
	if _, err := db.InsertRates(t.Context(), []collector.ExchangeRate{rate}); err != nil {
		t.Fatal(err)
	}
	if u := update(t, db, testProject(parts)); u.Full {
		t.Error("the second update is full")
	}
	update(t, db, testProject(whole))
	if want, got := seen(t, db, whole), seen(t, db, parts); !slices.Equal(got, want) {
		t.Errorf("readers see\n%s\nwant\n%s", only(got, want), only(want, got))
	}
}
