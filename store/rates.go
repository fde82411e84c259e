package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/collector"
)

// InsertRates stores rates of exchange, of which no two are of the same day and pair, and says of each whether it is new.
// One that is there with another value is replaced; what is there already is left alone, so that nobody takes it for a change.
func (db *DB) InsertRates(ctx context.Context, rates []collector.ExchangeRate) (added []bool, err error) {
	known, err := db.knownRates(ctx, rates)
	if err != nil {
		return nil, err
	}
	batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO rates_raw")
	if err != nil {
		return nil, fmt.Errorf("insert rates: %w", err)
	}
	defer func() { _ = batch.Close() }() // after Send it does nothing
	now := time.Now()
	added = make([]bool, len(rates))
	for i := range rates {
		if added[i] = !known[rates[i]]; !added[i] {
			continue
		}
		if err := appendRate(batch, &rates[i], now); err != nil {
			return nil, fmt.Errorf("insert rates: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return nil, fmt.Errorf("insert rates: %w", err)
	}
	return added, nil
}

// rateDecimals are those of the columns rate and inverse.
const rateDecimals = 18

func appendRate(batch driver.Batch, r *collector.ExchangeRate, now time.Time) error {
	quoted, err := decimal.NewFromString(r.Quoted)
	if err != nil {
		return err
	}
	rate, inverse, side := quoted, decimal.NewFromInt(1).DivRound(quoted, rateDecimals), "rate"
	if r.Inverse {
		rate, inverse, side = inverse, rate, "inverse"
	}
	return batch.Append(dateOf(r.Day), r.Currency, r.Base, rate, inverse, side, now)
}

func dateOf(day int32) time.Time { return time.Unix(int64(day)*24*60*60, 0).UTC() }

// knownRates returns those of the rates' days and pairs that are stored.
func (db *DB) knownRates(ctx context.Context, rates []collector.ExchangeRate) (map[collector.ExchangeRate]bool, error) {
	wanted, err := ext.NewTable("wanted", ext.Column("day", "Int32"), ext.Column("currency", "String"), ext.Column("base", "String"))
	if err != nil {
		return nil, fmt.Errorf("look for rates: %w", err)
	}
	for i := range rates {
		if err = wanted.Append(rates[i].Day, rates[i].Currency, rates[i].Base); err != nil {
			return nil, fmt.Errorf("look for rates: %w", err)
		}
	}
	known := make(map[collector.ExchangeRate]bool)
	ctx = clickhouse.Context(ctx, clickhouse.WithExternalTable(wanted))
	return known, db.query(ctx, "KnownRates", nil, func(rows driver.Rows) error {
		var r collector.ExchangeRate
		err := rows.Scan(&r.Day, &r.Currency, &r.Base, &r.Quoted, &r.Inverse)
		known[r] = true
		return err
	})
}
