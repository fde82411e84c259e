package store

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go"

	"github.com/touchline-hq/touchline/event"
)

// Inserter inserts events over one connection of its own, which it opens when it needs one. It is for one goroutine.
type Inserter struct {
	db      *DB
	client  *ch.Client
	columns *eventColumns
}

// NewInserter returns an Inserter into table events_raw.
func (db *DB) NewInserter() *Inserter {
	return &Inserter{db: db, columns: newEventColumns()}
}

// Insert stores events. Of calls with the same token, which is not empty, only the first that has events has an effect.
// After an error it is not known whether the events are stored: call it again with the same token.
func (in *Inserter) Insert(ctx context.Context, token string, events []event.Event) error {
	if in.client == nil || in.client.IsClosed() {
		client, err := in.db.dial(ctx)
		if err != nil {
			return err
		}
		in.client = client
	}
	in.columns.reset()
	for i := range events {
		in.columns.append(&events[i])
	}
	err := in.client.Do(ctx, ch.Query{
		Body:  in.columns.input.Into("events_raw"),
		Input: in.columns.input,
		Settings: []ch.Setting{
			ch.SettingInt("async_insert", 0),
			ch.SettingInt("optimize_on_insert", 0),
			// An import may span decades, and a month is a partition. client_day is between 2000 and 2099.
			ch.SettingInt("max_partitions_per_insert_block", 1201),
			{Key: "insert_deduplication_token", Value: token, Important: true},
		},
	})
	if err != nil {
		in.Close()
		return fmt.Errorf("insert %d events: %w", len(events), err)
	}
	return nil
}

// Close ends the connection.
func (in *Inserter) Close() {
	if in.client != nil {
		_ = in.client.Close() // nothing is pending on it
		in.client = nil
	}
}
