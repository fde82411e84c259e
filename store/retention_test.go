package store_test

import (
	"testing"
	"time"

	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestDeleteExpired(t *testing.T) {
	db := storetest.Open(t)
	const project, other = `expired 'in' \ part`, "expired in part"
	before := time.UnixMilli(1_700_000_000_123)
	received := func(project, id string, ms int64) event.Event {
		// When it happened is of no matter.
		return event.Event{Project: project, MessageID: id, ReceivedAt: before.UnixMilli() + ms, Timestamp: before.UnixMilli() - ms}
	}
	old, kept, late := received(project, "a", -1), received(project, "b", 0), received(project, "c", 1)
	foreign := received(other, "a", -1)
	insert(t, db, old, kept, late, foreign)
	if err := db.DeleteExpired(t.Context(), project, before); err != nil {
		t.Fatal(err)
	}
	wantStored(t, db, project, kept, late)
	wantStored(t, db, other, foreign)
}
