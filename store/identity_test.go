package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestUnlinksAreKept(t *testing.T) {
	db := storetest.Open(t)
	at := time.UnixMilli(dayOne + 123).UTC()
	var want []store.Unlinked
	for i, s := range append(strange(), "d") {
		u := store.Unlinked{Device: "d" + s, User: s + "u", Reason: s, At: at.Add(time.Duration(i) * time.Millisecond)}
		if err := db.Unlink(t.Context(), "unlinked", u); err != nil {
			t.Fatal(err)
		}
		want = append(want, u)
	}
	if err := db.Unlink(t.Context(), "unlinked elsewhere", want[0]); err != nil {
		t.Fatal(err)
	}
	got, err := db.Unlinks(t.Context(), "unlinked")
	slices.Reverse(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v\nwant %q", got, err, want)
	}
}

func TestLinks(t *testing.T) {
	db := storetest.Open(t)
	const project = "links"
	alias := happened(event.Event{Project: project, Type: event.Alias, UserID: "bob", PreviousID: "phone", Origin: event.OriginServer}, 4)
	bot := conversion(project, "laptop", "ann", "Bot", 1)
	bot.IsBot = true
	insert(t, db,
		conversion(project, "laptop", "ann", "A", 1), conversion(project, "laptop", "bob", "A", 2), conversion(project, "laptop", "ann", "A", 3),
		visit(project, "phone", "Email", 1), alias, bot, conversion("links elsewhere", "laptop", "ann", "A", 1),
	)
	update(t, db, testProject(project))
	on := func(n int) time.Time { return time.UnixMilli(dayOne + int64(n)*day).UTC() }
	ann1 := store.Link{Device: "laptop", User: "ann", FirstSeen: on(1), LastSeen: on(1), Events: 1}
	bob2 := store.Link{Device: "laptop", User: "bob", FirstSeen: on(2), LastSeen: on(2), Events: 1}
	ann3 := store.Link{Device: "laptop", User: "ann", FirstSeen: on(3), LastSeen: on(3), Events: 1}
	bob4 := store.Link{Device: "phone", User: "bob", FirstSeen: on(4), LastSeen: on(4), Events: 1}
	for _, c := range []struct {
		device, user string
		want         []store.Link
		linking      uint64 // by day 3
	}{
		{"laptop", "", []store.Link{ann1, bob2, ann3}, 0},
		{"", "bob", []store.Link{bob2, bob4}, 0},
		{"laptop", "ann", []store.Link{ann1, ann3}, 2},
		{"phone", "bob", []store.Link{bob4}, 0},
		{"phone", "ann", nil, 0},
	} {
		got, err := db.Links(t.Context(), project, c.device, c.user)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: %v, %v\nwant %v", c.device, c.user, got, err, c.want)
		}
		if n, err := db.CountLinking(t.Context(), project, c.device, c.user, on(3)); n != c.linking || err != nil {
			t.Errorf("%s, %s: %d events link them, %v; want %d", c.device, c.user, n, err, c.linking)
		}
	}
	if n, err := db.CountLinking(t.Context(), project, "phone", "bob", on(4)); n != 1 || err != nil {
		t.Errorf("%d events link phone and bob, %v; want the alias", n, err)
	}
}
