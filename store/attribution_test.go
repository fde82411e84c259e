package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store/storetest"
)

// strange are texts that break whatever quotes or escapes them once too often or too seldom.
func strange() []string {
	list := []string{`'`, `\`, `\\`, `\'`, `\n`, `"`, "`", `{project:String}`, `',`, `]`, `\N`, `NULL`, ` `, "ü", "🎉", "\u2028", "\xff", "tail\\"}
	for b := range 0x80 {
		list = append(list, fmt.Sprintf("byte %c here", b))
	}
	return list
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

func TestAsOf(t *testing.T) {
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
	if asOf, err := db.AsOf(t.Context(), "nobody's project"); err != nil || !asOf.IsZero() {
		t.Errorf("%v, %v; want the zero Time", asOf, err)
	}
}
