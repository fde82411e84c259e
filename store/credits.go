package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/attribution"
)

// creditRows is how many rows are sent at once.
const creditRows = 200_000

// Credits takes the rows of table credits.
func (db *DB) Credits(ctx context.Context, p attribution.Params) (attribution.CreditWriter, error) {
	return &creditWriter{ctx: ctx, db: db, params: p}, nil
}

// creditWriter collects columns, because the client takes them an order of magnitude faster than rows.
type creditWriter struct {
	ctx    context.Context
	db     *DB
	params attribution.Params

	models, conversions, persons, touches []string
	converted, touched                    []time.Time
	positions                             []uint32
	channels, sources, mediums, campaigns []string
	credits, values                       []decimal.Decimal
}

func (w *creditWriter) Write(r attribution.CreditRow) error {
	t := r.Touch()
	w.models = append(w.models, r.Model)
	w.conversions = append(w.conversions, r.Journey.ConversionID)
	w.converted = append(w.converted, r.Journey.Converted)
	w.persons = append(w.persons, r.Journey.Person)
	w.touches = append(w.touches, t.ID)
	w.positions = append(w.positions, uint32(r.Position)) //nolint:gosec // positions count touches
	w.touched = append(w.touched, t.Time)
	w.channels = append(w.channels, t.Channel)
	w.sources = append(w.sources, t.Source)
	w.mediums = append(w.mediums, t.Medium)
	w.campaigns = append(w.campaigns, t.Campaign)
	w.credits = append(w.credits, decimal.New(r.Credit, -12))
	w.values = append(w.values, decimal.New(r.Value, -6))
	if len(w.models) < creditRows {
		return nil
	}
	return w.flush()
}

func (w *creditWriter) Close() error { return w.flush() }

func (w *creditWriter) flush() error {
	rows := len(w.models)
	if rows == 0 {
		return nil
	}
	batch, err := w.db.conn.PrepareBatch(w.ctx, "INSERT INTO touchline_work.credits")
	if err != nil {
		return fmt.Errorf("insert credits: %w", err)
	}
	for i, column := range []any{
		repeat(w.params.Project.ID, rows), repeat(w.params.Conversion.Event, rows), repeat("person", rows),
		w.models, w.conversions, w.converted, w.persons, w.touches, w.positions, w.touched,
		w.channels, w.sources, w.mediums, w.campaigns, w.credits, w.values,
	} {
		if err := appendColumn(batch, i, column); err != nil {
			return err
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert credits: %w", err)
	}
	*w = creditWriter{ctx: w.ctx, db: w.db, params: w.params}
	return nil
}

func appendColumn(batch driver.Batch, i int, column any) error {
	if err := batch.Column(i).Append(column); err != nil {
		return fmt.Errorf("insert credits, column %d: %w", i, err)
	}
	return nil
}

func repeat(s string, n int) []string {
	column := make([]string, n)
	for i := range column {
		column[i] = s
	}
	return column
}
