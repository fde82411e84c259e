package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/collector"
)

// expiring is the outcome of events whose deletion is announced and not known to have ended.
const expiring collector.Outcome = "expiring"

// DeleteExpired deletes the events of a project that were received before a time, refused ones too. A deletion touches
// every part of the table, so it looks first whether there is such an event.
//
// The ledger counts each deleted message once, whatever interrupts the deletion: it is announced with its number, done,
// and booked; what was announced and not booked is finished first.
func (db *DB) DeleteExpired(ctx context.Context, project string, before time.Time) error {
	if err := db.finishExpiry(ctx, project); err != nil {
		return err
	}
	p := params{"project": project, "before": before.UnixMilli()}
	var events, rejected uint64
	err := db.query(ctx, "CountExpired", p, func(r driver.Rows) error { return r.Scan(&events, &rejected) })
	if err == nil && rejected > 0 {
		err = db.exec(ctx, "DeleteExpiredRejected", p)
	}
	if err != nil || events == 0 {
		return err
	}
	if err := db.bookExpiry(ctx, project, expiring, before.UnixMilli(), events); err != nil {
		return err
	}
	return db.finishExpiry(ctx, project)
}

// finishExpiry deletes and books what has been announced.
func (db *DB) finishExpiry(ctx context.Context, project string) error {
	var announced []struct {
		before int64
		events uint64
	}
	err := db.query(ctx, "Expiring", params{"project": project}, func(r driver.Rows) error {
		announced = append(announced, struct {
			before int64
			events uint64
		}{})
		a := &announced[len(announced)-1]
		return r.Scan(&a.before, &a.events)
	})
	if err != nil {
		return err
	}
	for _, a := range announced {
		if err := db.exec(ctx, "DeleteExpired", params{"project": project, "before": a.before}); err != nil {
			return err
		}
		if err := db.bookExpiry(ctx, project, collector.Expired, a.before, a.events); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) bookExpiry(ctx context.Context, project string, outcome collector.Outcome, before int64, events uint64) error {
	token := fmt.Sprintf("%s:%s:%d", project, outcome, before)
	return db.book(ctx, token, "", fmt.Sprint(before), []collector.Entry{{Project: project, Outcome: outcome, Events: events}})
}
