package store

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ClickHouse/ch-go"

	"github.com/touchline-hq/touchline/collector"
)

// Inserter inserts events over one connection of its own, which it opens when it needs one. It is for one goroutine.
//
// The server remembers the last 10,000 tokens of a table (non_replicated_deduplication_window), those of all who insert.
// A collector repeats a batch alone and sends nothing else meanwhile, so what can push its token out before the repeat
// are only the inserts of others. A repeat follows the insert whose answer was lost within 310 s at most: readTimeout
// and the longest wait between attempts. A collector makes 1 insert a second, or up to 10 when its batches are full; 30
// collectors at 1/s make 9,300 in that time, 3 at 10/s as many. Beyond, as after a night without the collector's machine,
// a repeat is stored once more and the view shows it once, because its rows are the same: so with the ledger.
type Inserter struct {
	Spool string // id of the spool that the batches come from, for the ledger; "" for none

	db      *DB
	client  *ch.Client
	columns *eventColumns
}

// NewInserter returns an Inserter into table events_raw.
func (db *DB) NewInserter() *Inserter {
	return &Inserter{db: db, columns: newEventColumns()}
}

// blockRows is how many rows are encoded at a time. The server joins the blocks of an insert before it writes them, so
// small ones save memory here and cost nothing there.
const blockRows = 8192

// Insert stores events, which come in their binary form. Of calls with the same token, which is not empty, only the first
// that has events has an effect. After a *collector.RefusedError, or an error that wraps event.ErrCodec, nothing is stored,
// unless an attempt before has; after any other error it is not known whether the events are stored: call it again with the
// same token.
func (in *Inserter) Insert(ctx context.Context, token string, records [][]byte) error {
	if in.client == nil || in.client.IsClosed() {
		client, err := in.db.dial(ctx)
		if err != nil {
			return err
		}
		in.client = client
	}
	in.columns.reset()
	rest := records
	err := in.client.Do(ctx, ch.Query{
		Body:  in.columns.input.Into("events_raw"),
		Input: in.columns.input,
		OnInput: func(context.Context) error {
			in.columns.reset()
			if len(rest) == 0 {
				return io.EOF
			}
			n := min(len(rest), blockRows)
			block := rest[:n]
			rest = rest[n:]
			return in.columns.appendAll(block)
		},
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
		if refused := refusal(err); refused != nil {
			err = refused
		}
		return fmt.Errorf("insert %d events: %w", len(records), err)
	}
	return nil
}

// Book enters into the ledger what became of a batch that came with token. Of calls with the same token, only the first
// has an effect.
func (in *Inserter) Book(ctx context.Context, token string, entries []collector.Entry) error {
	return in.db.book(ctx, token, in.Spool, strings.TrimPrefix(token, in.Spool+":"), entries)
}

// ActiveParts is that of the database.
func (in *Inserter) ActiveParts(ctx context.Context) (int, error) { return in.db.ActiveParts(ctx) }

// Close ends the connection.
func (in *Inserter) Close() {
	if in.client != nil {
		_ = in.client.Close() // nothing is pending on it
		in.client = nil
	}
}
