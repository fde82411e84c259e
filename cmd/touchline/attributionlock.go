package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/touchline-hq/touchline/store"
)

// lockPause is between two attempts to get the lock on attribution.
const lockPause = 300 * time.Millisecond

// lockAttribution waits until no other process computes attribution in this database and takes that right; waiting is
// told once who has it. For what it returns see store.DB.LockAttribution.
func (in *installation) lockAttribution(ctx context.Context, waiting func(holder string)) (held context.Context, release func(), err error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, nil, fmt.Errorf("lock attribution: %w", err)
	}
	us := fmt.Sprintf("process %d on %s", os.Getpid(), host)
	tick := time.NewTicker(lockPause)
	defer tick.Stop()
	for try := 1; ; try++ {
		held, release, err = in.db.LockAttribution(ctx, us)
		locked := (*store.LockedError)(nil)
		if !errors.As(err, &locked) {
			return held, release, err
		}
		if try == 2 { // the server takes a moment to notice that a holder has ended
			waiting(locked.Holder)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

func (in *installation) logHolder(holder string) {
	in.log.Info("attribution waits for another run to end", "holder", holder)
}
