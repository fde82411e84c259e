package store

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Importer inserts events of one project that may be there already.
type Importer struct {
	db       *DB
	inserter *Inserter
	project  string
}

// NewImporter returns an Importer for events of project.
func (db *DB) NewImporter(project string) *Importer {
	return &Importer{db: db, inserter: db.NewInserter(), project: project}
}

// Insert stores events, whose message ids are distinct, and returns how many of them were not there before.
func (im *Importer) Insert(ctx context.Context, events []event.Event) (int, error) {
	if len(events) == 0 {
		return 0, nil
	}
	present, err := im.present(ctx, events)
	if err != nil {
		return 0, err
	}
	// Each insert has an effect: a repeated import is recognised by its message ids, one by one.
	token := rand.Text()
	if present < len(events) {
		if err = im.inserter.Insert(ctx, token, event.Records(events)); err != nil {
			return 0, err
		}
	}
	// An import that is killed here leaves events that the ledger does not know. Doing it again books them.
	err = im.inserter.Book(ctx, token, []collector.Entry{{Project: im.project, Outcome: collector.Imported, Events: uint64(len(events))}})
	return len(events) - present, err
}

// Close ends the connection.
func (im *Importer) Close() { im.inserter.Close() }

func (im *Importer) present(ctx context.Context, events []event.Event) (int, error) {
	wanted, err := ext.NewTable("wanted", ext.Column("day", "Int32"), ext.Column("key", "UInt64"), ext.Column("id", "String"))
	if err != nil {
		return 0, fmt.Errorf("look for events: %w", err)
	}
	for i := range events {
		e := &events[i]
		if err = wanted.Append(e.ClientDay, e.ClientKey, e.MessageID); err != nil {
			return 0, fmt.Errorf("look for events: %w", err)
		}
	}
	var n uint64
	ctx = clickhouse.Context(ctx, clickhouse.WithExternalTable(wanted))
	err = im.db.query(ctx, "CountPresent", params{"project": im.project}, func(r driver.Rows) error { return r.Scan(&n) })
	return int(n), err //nolint:gosec // at most len(events)
}
