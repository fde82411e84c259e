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

// Importer inserts events of one project that may be there already. It is for one goroutine.
type Importer struct {
	db       *DB
	inserter *Inserter
	project  string

	absent  []event.Event
	refused []collector.RefusedEvent
}

// NewImporter returns an Importer for events of project.
func (db *DB) NewImporter(project string) *Importer {
	return &Importer{db: db, inserter: db.NewInserter(), project: project}
}

// Insert stores those of events that are not there yet, the first of each message, and returns how many it has stored and
// which the database will never take: these are in table rejected. The latter are valid until the next call. All are
// entered into the ledger.
func (im *Importer) Insert(ctx context.Context, events []event.Event) (added int, refused []collector.RefusedEvent, err error) {
	if len(events) == 0 {
		return 0, nil, nil
	}
	if err = im.findAbsent(ctx, events); err != nil {
		return 0, nil, err
	}
	// Each insert has an effect: a repeated import is recognised by its message ids, one by one.
	token := rand.Text()
	im.refused = im.refused[:0]
	if err = im.insert(ctx, token, im.absent); err != nil {
		return 0, nil, err
	}
	if len(im.refused) > 0 {
		if err = im.inserter.Reject(ctx, token, im.refused); err != nil {
			return 0, nil, err
		}
	}
	// An import that is killed here leaves events that the ledger does not know. Doing it again books them.
	if err = im.inserter.Book(ctx, token, im.entries(len(events))); err != nil {
		return 0, nil, err
	}
	return len(im.absent) - len(im.refused), im.refused, nil
}

// InsertAbsent stores those of events that are not there yet, the first of each message, and enters nothing into the
// ledger. It fails as Inserter.Insert does.
func (im *Importer) InsertAbsent(ctx context.Context, token string, events []event.Event) error {
	if err := im.findAbsent(ctx, events); err != nil || len(im.absent) == 0 {
		return err
	}
	return im.inserter.Insert(ctx, token, event.Records(im.absent))
}

// Close ends the connection.
func (im *Importer) Close() { im.inserter.Close() }

// insert stores the events that the database takes, and notes the others.
func (im *Importer) insert(ctx context.Context, token string, events []event.Event) error {
	return collector.InsertByHalves(token, events, func(token string, events []event.Event) error {
		return im.inserter.Insert(ctx, token, event.Records(events))
	}, func(e event.Event, why *collector.RefusedError) error {
		im.refused = append(im.refused, collector.RefusedEvent{Event: &e, Reason: why.Reason, Detail: why.Detail})
		return nil
	})
}

// entries are what became of n events.
func (im *Importer) entries(n int) []collector.Entry {
	reasons := make(map[string]uint64)
	for _, r := range im.refused {
		reasons[r.Reason]++
	}
	var entries []collector.Entry
	if taken := n - len(im.refused); taken > 0 {
		entries = append(entries, collector.Entry{Project: im.project, Outcome: collector.Imported, Events: uint64(taken)})
	}
	for reason, events := range reasons {
		entries = append(entries, collector.Entry{Project: im.project, Outcome: collector.Refused, Reason: reason, Events: events})
	}
	return entries
}

// place is where an event is stored: copies of a message have the same.
type place struct {
	day int32
	key uint64
	id  string
}

func placeOf(e *event.Event) place { return place{e.ClientDay, e.ClientKey, e.MessageID} }

// findAbsent copies the first of each message that is not there.
func (im *Importer) findAbsent(ctx context.Context, events []event.Event) error {
	known, err := im.present(ctx, events)
	if err != nil {
		return err
	}
	im.absent = im.absent[:0]
	for i := range events {
		if at := placeOf(&events[i]); !known[at] {
			known[at] = true
			im.absent = append(im.absent, events[i])
		}
	}
	return nil
}

func (im *Importer) present(ctx context.Context, events []event.Event) (map[place]bool, error) {
	wanted, err := ext.NewTable("wanted", ext.Column("day", "Int32"), ext.Column("key", "UInt64"), ext.Column("id", "String"))
	if err != nil {
		return nil, fmt.Errorf("look for events: %w", err)
	}
	for i := range events {
		at := placeOf(&events[i])
		if err = wanted.Append(at.day, at.key, at.id); err != nil {
			return nil, fmt.Errorf("look for events: %w", err)
		}
	}
	found := make(map[place]bool)
	ctx = clickhouse.Context(ctx, clickhouse.WithExternalTable(wanted))
	return found, im.db.query(ctx, "FindPresent", params{"project": im.project}, func(r driver.Rows) error {
		var at place
		if err := r.Scan(&at.day, &at.key, &at.id); err != nil {
			return err
		}
		found[at] = true
		return nil
	})
}
