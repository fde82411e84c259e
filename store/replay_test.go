package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestRefusedMessagesAreListedUntilReplayed(t *testing.T) {
	db := storetest.Open(t)
	const project = "rejected"
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	messages := make([]collector.RefusedMessage, 7)
	for i := range messages {
		messages[i] = collector.RefusedMessage{
			Project: project, MessageID: fmt.Sprintf("it's %d", i), Reason: "invalid event", Detail: "d", Hash: fmt.Sprint("h", i),
			ReceivedAt: at.Add(time.Duration(i/2) * time.Hour).UnixMilli(), Size: 5, Payload: "{}",
		}
	}
	messages[5].MessageID, messages[6].MessageID, messages[6].Reason = "", "", "malformed"
	in := db.NewInserter()
	defer in.Close()
	for range 2 {
		if err := in.RejectMessages(t.Context(), "rejected 1", messages); err != nil {
			t.Fatal(err)
		}
	}
	all := store.RefusedFilter{Project: project}
	listed := func(f store.RefusedFilter, limit int, want string) {
		t.Helper()
		list, err := db.Refused(t.Context(), f, limit)
		var got string
		for _, m := range list {
			got += m.Hash + " "
		}
		if err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	listed(all, 100, "h6 h5 h4 h2 h3 h0 h1 ")
	listed(all, 2, "h6 h5 ")
	listed(store.RefusedFilter{Project: project, Reason: "malformed"}, 100, "h6 ")
	listed(store.RefusedFilter{Project: project, Since: at.Add(2 * time.Hour)}, 100, "h6 h5 h4 ")
	listed(store.RefusedFilter{Project: "o'ther"}, 100, "")

	var last *collector.Rejected
	var order string
	for {
		list, err := db.RefusedAfter(t.Context(), all, last, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, m := range list {
			if m.RejectedAt.IsZero() || m.RefusedBy != collector.ByCollector {
				t.Errorf("%+v", m)
			}
			order += m.Hash + " "
		}
		last = &list[len(list)-1]
	}
	if order != "h0 h1 h2 h3 h5 h4 h6 " {
		t.Errorf("in order %s", order)
	}

	list, err := db.Refused(t.Context(), all, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"rejected 2", "rejected 3"} { // the second after a crash: booked once all the same
		if err := db.MarkReplayed(t.Context(), token, list); err != nil {
			t.Fatal(err)
		}
	}
	listed(all, 100, "h2 h3 h0 h1 ")
	wantBooked(t, db, project, " replayed invalid event 2", " replayed malformed 1")
	// A retry of what was replayed does not bring it back into the list.
	late := messages[4]
	late.ReceivedAt += 1000
	if err := in.RejectMessages(t.Context(), "rejected 4", []collector.RefusedMessage{late}); err != nil {
		t.Fatal(err)
	}
	listed(all, 100, "h2 h3 h0 h1 ")
	// A copy from a collector whose clock is behind was booked, too, and is replayed for itself.
	late.ReceivedAt = messages[4].ReceivedAt - 1000
	if err := in.RejectMessages(t.Context(), "rejected 5", []collector.RefusedMessage{late}); err != nil {
		t.Fatal(err)
	}
	if list, err = db.Refused(t.Context(), all, 1); err != nil || len(list) != 1 || list[0].Hash != "h4" {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := db.MarkReplayed(t.Context(), "rejected 6", list); err != nil {
		t.Fatal(err)
	}
	wantBooked(t, db, project, " replayed invalid event 3", " replayed malformed 1")
}

func TestRowsOfRefusedEventsAreReadAsWritten(t *testing.T) {
	db := storetest.Open(t)
	const project = "read back"
	in := db.NewInserter()
	defer in.Close()
	want := []event.Event{filled(t, project, 3), {Project: project, MessageID: "bare"}}
	want[0] = utf8Event(want[0])
	want[0].Project = project
	var refused []collector.RefusedEvent
	for i := range want {
		refused = append(refused, collector.RefusedEvent{Event: &want[i], Reason: "BAD", Detail: "bad"})
	}
	if err := in.Reject(t.Context(), "read back 1", refused); err != nil {
		t.Fatal(err)
	}
	list, err := db.Refused(t.Context(), store.RefusedFilter{Project: project}, 100)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	for _, m := range list {
		e, err := store.UnmarshalRow(m.Payload)
		if i := map[string]int{"bare": 1}[m.MessageID]; err != nil || e != want[i] || m.RefusedBy != collector.ByDatabase {
			t.Errorf("\ngot  %+v, %v\nwant %+v", e, err, want[i])
		}
	}
}

func FuzzUnmarshalRow(f *testing.F) {
	f.Add(`{"client_day":"2026-01-01","client_key":"5","timestamp":"2026-01-01 00:00:00.000","client_timestamp":"2026-01-01 00:00:00.000",` +
		`"sent_at":"2026-01-01 00:00:00.000","received_at":"2026-01-01 00:00:00.000","value":"1.5","seq":3,"event":"e"}`)
	f.Add(`{"client_day":7,"value":[],"seq":-1}`)
	f.Add(`[`)
	f.Add(`{"value":1e999999999}`)
	f.Fuzz(func(t *testing.T, payload string) {
		e, err := store.UnmarshalRow(payload)
		if err == nil && !strings.Contains(payload, e.MessageID) && !strings.Contains(payload, `\`) && utf8.ValidString(payload) {
			t.Errorf("%q has become %+v", payload, e)
		}
	})
}
