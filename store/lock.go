package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// attributionLock is the id of the query whose running is the lock: a server runs one query of an id at a time, and
// ends it when its connection does. So the lock lasts exactly as long as its holder, without a clock or anything to tidy
// up after a kill.
const attributionLock = "touchline-attribution"

// LockedError says that another process computes attribution on this server.
type LockedError struct {
	Holder string // as it called itself; empty when it has just ended, or may not be seen
}

func (e *LockedError) Error() string { return "attribution is being computed by " + e.Holder }

// LockAttribution takes the right to compute attribution on this server, which one process has at a time; the error is a
// *LockedError when another one has it. holder is what others are told. The context that it returns ends with the lock,
// also when the connection is lost. release gives the lock up and is to be called once.
func (db *DB) LockAttribution(ctx context.Context, holder string) (held context.Context, release func(), err error) {
	held, lost := context.WithCancelCause(ctx)
	locked, ended := make(chan struct{}, 1), make(chan struct{})
	var failed error // to be read when ended
	go func() {
		defer close(ended)
		query := clickhouse.Context(held, clickhouse.WithQueryID(attributionLock), clickhouse.WithSettings(clickhouse.Settings{"log_comment": holder}))
		failed = db.query(query, "LockAttribution", nil, func(driver.Rows) error {
			select {
			case locked <- struct{}{}:
			default:
			}
			return nil
		})
		lost(fmt.Errorf("the lock on attribution was lost: %w", cmp.Or(failed, io.EOF)))
	}()
	select {
	case <-locked:
		return held, func() { lost(context.Canceled); <-ended }, nil
	case <-ended:
	}
	refused := (*clickhouse.Exception)(nil)
	if errors.As(failed, &refused) && refused.Code == codeSameQueryID {
		failed = &LockedError{db.lockHolder(ctx)}
	}
	return nil, nil, failed
}

// lockHolder is for people to read, so an error is as good as nobody.
func (db *DB) lockHolder(ctx context.Context) (holder string) {
	_ = db.query(ctx, "LockHolder", params{"id": attributionLock}, func(r driver.Rows) error { return r.Scan(&holder) })
	return holder
}
