package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func lock(t *testing.T, db *store.DB, holder string) (context.Context, func()) {
	t.Helper()
	for {
		held, release, err := db.LockAttribution(t.Context(), holder)
		if err == nil {
			return held, release
		}
		if !errors.As(err, new(*store.LockedError)) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // the server takes a moment to end a former holder's
	}
}

func TestOneHolderOfTheLock(t *testing.T) {
	one, other := storetest.Open(t), storetest.Open(t)
	for _, holder := range []string{"the first's", "the second"} {
		held, release := lock(t, one, holder)
		for _, db := range []*store.DB{one, other} {
			_, _, err := db.LockAttribution(t.Context(), "nobody")
			if locked := (*store.LockedError)(nil); !errors.As(err, &locked) || locked.Holder != holder {
				t.Errorf("%v, want that it is locked by %s", err, holder)
			}
		}
		if err := held.Err(); err != nil {
			t.Error(err)
		}
		release()
		if err := held.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("%v after the release", err)
		}
	}
}

func TestALostLockEndsWhatItGuards(t *testing.T) {
	db := storetest.Open(t)
	held, release := lock(t, db, "one")
	run(t, storetest.Open(t), "KILL QUERY WHERE query_id = 'touchline-attribution' SYNC")
	select {
	case <-held.Done():
	case <-time.After(time.Minute):
		t.Fatal("it goes on without the lock")
	}
	if err := context.Cause(held); !strings.HasPrefix(err.Error(), "the lock on attribution was lost: ") {
		t.Errorf("it ended with %v", err)
	}
	release()
	_, release = lock(t, db, "another")
	release()
}

func TestALockThatCannotBeHad(t *testing.T) {
	db := storetest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := db.LockAttribution(ctx, "one"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
}
