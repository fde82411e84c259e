package store

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/attribution"
)

// Channels lists the channels of touches at hand.
func (db *DB) Channels(ctx context.Context, _ *attribution.Update) ([]string, error) {
	var channels []string
	err := db.query(ctx, "Channels", nil, func(r driver.Rows) error {
		var name string
		err := r.Scan(&name)
		channels = append(channels, name)
		return err
	})
	return channels, err
}

// Credit keeps what split makes of each journey at hand that converted. It reads and writes whole columns, because rows
// take the other client an order of magnitude longer.
func (db *DB) Credit(ctx context.Context, u *attribution.Update, channels []string, split attribution.Split) error {
	from, err := db.dial(ctx)
	if err != nil {
		return err
	}
	defer from.Close() // nothing is pending on it
	to, err := db.dial(ctx)
	if err != nil {
		return err
	}
	defer to.Close() // likewise
	in, out := newJourneyColumns(), newShareColumns(channels, len(u.Models), split)
	err = from.Do(ctx, ch.Query{
		Body: statement("JourneysToCredit"), Result: in.results(),
		OnResult: func(ctx context.Context, _ proto.Block) error {
			input := out.split(in)
			return to.Do(ctx, ch.Query{Body: "INSERT INTO touchline_work.shares " + input.Columns() + " VALUES", Input: input})
		},
	})
	if err != nil {
		return fmt.Errorf("statement JourneysToCredit: %w", err)
	}
	return nil
}

// Paths are all paths of a kind and level with what the update changes.
func (db *DB) Paths(ctx context.Context, u *attribution.Update, kind, level string) (*attribution.Paths, error) {
	p := updateParams(u)
	p["kind"], p["level"] = kind, level
	var b pathBuilder
	err := db.query(ctx, "Paths", p, b.add)
	return b.Paths(), err
}

// pathBuilder builds paths of rows: channels, conversions, value, nulls.
type pathBuilder struct {
	attribution.Builder
	touches []attribution.Channel
}

func (b *pathBuilder) add(r driver.Rows) error {
	var path []string
	var conversions, nulls int64
	var value float64
	if err := r.Scan(&path, &conversions, &value, &nulls); err != nil {
		return err
	}
	b.touches = b.touches[:0]
	for _, name := range path {
		b.touches = append(b.touches, b.Channel(name))
	}
	id, err := b.Path(b.touches)
	if err != nil {
		return err
	}
	return b.Add(id, float64(conversions), value, float64(nulls))
}

// ConversionDays counts the conversions of each day in the project's time zone.
func (db *DB) ConversionDays(ctx context.Context, u *attribution.Update, kind, level string) ([]attribution.Day, error) {
	p := updateParams(u)
	p["kind"], p["level"] = kind, level
	var days []attribution.Day
	err := db.query(ctx, "ConversionDays", p, func(r driver.Rows) error {
		var d attribution.Day
		var value, unattributed decimal.Decimal
		err := r.Scan(&d.Day, &d.Conversions, &value, &d.Unattributed, &unattributed)
		d.Value, d.UnattributedValue = micros(value), micros(unattributed)
		days = append(days, d)
		return err
	})
	return days, err
}

func micros(d decimal.Decimal) int64 { return d.Shift(6).IntPart() }

// WriteChain keeps removal effects and transitions.
func (db *DB) WriteChain(ctx context.Context, u *attribution.Update, kind, level string, c attribution.Chain) error {
	removal, err := db.conn.PrepareBatch(ctx, "INSERT INTO touchline_work.removal_effects")
	if err != nil {
		return fmt.Errorf("insert removal effects: %w", err)
	}
	for i, r := range c.Removal {
		if err = removal.Append(u.Project.ID, kind, level, c.Channels[i], r.Conversions, r.Value); err != nil {
			return fmt.Errorf("insert removal effects: %w", err)
		}
	}
	if err = removal.Send(); err != nil {
		return fmt.Errorf("insert removal effects: %w", err)
	}
	transitions, err := db.conn.PrepareBatch(ctx, "INSERT INTO touchline_work.transitions")
	if err != nil {
		return fmt.Errorf("insert transitions: %w", err)
	}
	for _, t := range c.Transitions {
		if err := transitions.Append(u.Project.ID, kind, level, t.From, t.To, t.Probability); err != nil {
			return fmt.Errorf("insert transitions: %w", err)
		}
	}
	return transitions.Send()
}

// WriteChannelCredits keeps credit of a model whose totals are not sums over conversions.
func (db *DB) WriteChannelCredits(ctx context.Context, u *attribution.Update, kind, level string, rows []attribution.ChannelDay) error {
	batch, err := db.conn.PrepareBatch(ctx, "INSERT INTO touchline_work.channel_credits_raw")
	if err != nil {
		return fmt.Errorf("insert channel credits: %w", err)
	}
	for _, r := range rows {
		err := batch.Append(u.Project.ID, kind, level, r.Model, "channel", r.Channel, r.Day,
			decimal.New(r.Conversions, -12), decimal.New(r.Value, -6), u.Number, uint8(0))
		if err != nil {
			return fmt.Errorf("insert channel credits: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert channel credits: %w", err)
	}
	p := updateParams(u)
	p["kind"], p["level"] = kind, level
	return db.exec(ctx, "BuryChannelCredits", p)
}
