package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/attribution"
)

// FindConversion returns the published conversions that id names, of one kind or, if kind is empty, of any: at most one
// by its conversion id, first; and those of an order.
func (db *DB) FindConversion(ctx context.Context, project, kind, id string) ([]attribution.PublishedConversion, error) {
	var found []attribution.PublishedConversion
	p := params{"project": project, "kind": kind, "id": id}
	err := db.query(ctx, "FindConversion", p, func(r driver.Rows) error {
		var c attribution.PublishedConversion
		var amount, refunded, value decimal.Decimal
		err := r.Scan(&c.Kind, &c.ConversionID, &c.Person, &c.Identified, &c.Time, &c.OrderID, &c.Number,
			&amount, &refunded, &c.Currency, &value)
		c.Amount, c.Refunded, c.Value = micros(amount), micros(refunded), micros(value)
		found = append(found, c)
		return err
	})
	return found, err
}

// PublishedKinds returns as of when each kind of conversion was published.
func (db *DB) PublishedKinds(ctx context.Context, project, level string) (map[string]time.Time, error) {
	kinds := map[string]time.Time{}
	err := db.query(ctx, "PublishedKinds", params{"project": project, "level": level}, func(r driver.Rows) error {
		var kind string
		var asOf time.Time
		err := r.Scan(&kind, &asOf)
		kinds[kind] = asOf
		return err
	})
	return kinds, err
}

// ConversionTouches returns the touches that led to a conversion, and as of when its journey was judged: the zero Time if
// there is no journey at this level.
func (db *DB) ConversionTouches(ctx context.Context, s attribution.Selection, id string) ([]attribution.Touch, time.Time, error) {
	var touches []attribution.Touch
	var asOf time.Time
	p := params{"project": s.Project.ID, "kind": s.Kind, "level": s.Level, "id": id}
	err := db.query(ctx, "ConversionTouches", p, func(r driver.Rows) error {
		var ids, channels, sources, mediums, campaigns []string
		var times []time.Time
		err := r.Scan(&asOf, &ids, &times, &channels, &sources, &mediums, &campaigns)
		for i := range ids {
			touches = append(touches, attribution.Touch{
				ID: ids[i], Time: times[i], Channel: channels[i], Source: sources[i], Medium: mediums[i], Campaign: campaigns[i],
			})
		}
		return err
	})
	return touches, asOf, err
}

// ConversionCredits returns what each model gives the touches of a conversion.
func (db *DB) ConversionCredits(ctx context.Context, s attribution.Selection, id string, converted time.Time) ([]attribution.PublishedCredit, error) {
	var credits []attribution.PublishedCredit
	p := params{"project": s.Project.ID, "kind": s.Kind, "level": s.Level, "id": id, "converted": converted.UnixMilli()}
	err := db.query(ctx, "ConversionCredits", p, func(r driver.Rows) error {
		var c attribution.PublishedCredit
		var shares, values []decimal.Decimal
		err := r.Scan(&c.Model, &shares, &values)
		for i := range shares {
			c.Shares = append(c.Shares, shares[i].Shift(12).IntPart())
			c.Values = append(c.Values, micros(values[i]))
		}
		credits = append(credits, c)
		return err
	})
	return credits, err
}

// NearestTouch is the last touch of a person up to a time, nil if there is none.
func (db *DB) NearestTouch(ctx context.Context, project, person string, identified bool, until time.Time) (*attribution.Touch, error) {
	var nearest *attribution.Touch
	p := params{"project": project, "person": person, "identified": identified, "until": until.UnixMilli()}
	err := db.query(ctx, "NearestTouch", p, func(r driver.Rows) error {
		nearest = new(attribution.Touch)
		return r.Scan(&nearest.ID, &nearest.Time, &nearest.Channel, &nearest.Source, &nearest.Medium, &nearest.Campaign)
	})
	return nearest, err
}

// RemovalEffects returns those of the channels, nil where no run has kept them.
func (db *DB) RemovalEffects(ctx context.Context, s attribution.Selection) (map[string]float64, error) {
	var effects map[string]float64
	p := params{"project": s.Project.ID, "kind": s.Kind, "level": s.Level}
	err := db.query(ctx, "RemovalEffects", p, func(r driver.Rows) error {
		var channel string
		var effect float64
		if effects == nil {
			effects = map[string]float64{}
		}
		err := r.Scan(&channel, &effect)
		effects[channel] = effect
		return err
	})
	return effects, err
}
