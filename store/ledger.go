package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/collector"
)

// Booked is the sum of all entries of one collector.
type Booked struct {
	collector.Entry
	Collector string // id of its spool; "" where none was involved
}

// Ledger is what became of all events so far.
func (db *DB) Ledger(ctx context.Context) ([]Booked, error) {
	var booked []Booked
	err := db.query(ctx, "Ledger", nil, func(r driver.Rows) error {
		var b Booked
		var outcome string
		if err := r.Scan(&b.Project, &b.Collector, &outcome, &b.Reason, &b.Events); err != nil {
			return err
		}
		b.Outcome = collector.Outcome(outcome)
		booked = append(booked, b)
		return nil
	})
	return booked, err
}

// RejectedSince is how many events were refused since a time and not replayed, by project and reason, the most frequent first.
func (db *DB) RejectedSince(ctx context.Context, since time.Time) ([]collector.Entry, error) {
	var entries []collector.Entry
	err := db.query(ctx, "RejectedSince", params{"since": since.UnixMilli()}, func(r driver.Rows) error {
		e := collector.Entry{Outcome: collector.Refused}
		err := r.Scan(&e.Project, &e.Reason, &e.Events)
		entries = append(entries, e)
		return err
	})
	return entries, err
}

// CountStored is the number of events in view events, by project.
func (db *DB) CountStored(ctx context.Context) (map[string]uint64, error) {
	stored := make(map[string]uint64)
	err := db.query(ctx, "CountStored", nil, func(r driver.Rows) error {
		var project string
		var n uint64
		err := r.Scan(&project, &n)
		stored[project] = n
		return err
	})
	return stored, err
}

// ActiveParts is the highest number of parts in a partition of events that are still to be merged.
func (db *DB) ActiveParts(ctx context.Context) (int, error) {
	var n uint64
	err := db.query(ctx, "ActiveParts", nil, func(r driver.Rows) error { return r.Scan(&n) })
	return int(n), err //nolint:gosec // a server takes no more than some thousands
}

// book enters entries of a batch into the ledger. All of them are one insert, so a repeat with the same token changes
// nothing even when it says something else.
func (db *DB) book(ctx context.Context, token, spool, batch string, entries []collector.Entry) error {
	now := time.Now()
	return db.insertOnce(ctx, "ledger_raw", token, len(entries), func(b driver.Batch, i int) error {
		e := &entries[i]
		return b.Append(e.Project, spool, string(e.Outcome), e.Reason, batch, e.Events, now)
	})
}

// insertOnce inserts n rows into a small table, unless the token has been inserted before.
func (db *DB) insertOnce(ctx context.Context, table, token string, n int, row func(driver.Batch, int) error) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert": 0, "optimize_on_insert": 0, "insert_deduplication_token": token,
	}))
	batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO "+table)
	if err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	defer func() { _ = batch.Close() }() // after Send it does nothing
	for i := range n {
		if err := row(batch, i); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	return nil
}
