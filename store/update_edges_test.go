package store_test

import (
	"slices"
	"testing"
	"time"

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
