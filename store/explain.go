package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/attribution"
)

// FindConversion returns the published conversions that id names, of s.Kind or, if that is empty, of any kind: at most one
// by its conversion id, first; and those of an order.
func (db *DB) FindConversion(ctx context.Context, s attribution.Selection, id string) ([]attribution.PublishedConversion, error) {
	var found []attribution.PublishedConversion
	p := params{"project": s.Project.ID, "kind": s.Kind, "level": s.Level, "id": id}
	err := db.query(ctx, "FindConversion", p, func(r driver.Rows) error {
		var c attribution.PublishedConversion
		var amount, refunded, value decimal.Decimal
		var ids, channels, sources, mediums, campaigns []string
		var times []time.Time
		err := r.Scan(&c.Subject.Key, &c.Subject.Slot, &c.Kind, &c.ConversionID, &c.Person, &c.Account, &c.Time, &c.OrderID, &c.Number,
			&amount, &refunded, &c.Currency, &value, &c.Rated, &c.Lead, &c.Opportunity,
			&ids, &times, &channels, &sources, &mediums, &campaigns)
		c.Amount, c.Refunded, c.Value = micros(amount), micros(refunded), micros(value)
		for i := range ids {
			c.Touches = append(c.Touches, attribution.Touch{
				ID: ids[i], Time: times[i], Channel: channels[i], Source: sources[i], Medium: mediums[i], Campaign: campaigns[i],
			})
		}
		found = append(found, c)
		return err
	})
	return found, err
}

// ConversionCredits returns what each model gives the touches of a conversion.
func (db *DB) ConversionCredits(ctx context.Context, s attribution.Selection, id string) ([]attribution.PublishedCredit, error) {
	var credits []attribution.PublishedCredit
	p := params{"project": s.Project.ID, "kind": s.Kind, "level": s.Level, "id": id}
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

// NearestTouch is the last touch of a person or account up to a time, nil if there is none.
func (db *DB) NearestTouch(ctx context.Context, project string, of attribution.Subject, until time.Time) (*attribution.Touch, error) {
	var nearest *attribution.Touch
	p := params{"project": project, "subject": of.Key, "slot": of.Slot, "until": until.UnixMilli()}
	err := db.query(ctx, "NearestTouch", p, func(r driver.Rows) error {
		nearest = new(attribution.Touch)
		return r.Scan(&nearest.ID, &nearest.Time, &nearest.Channel, &nearest.Source, &nearest.Medium, &nearest.Campaign)
	})
	return nearest, err
}

// RemovalEffects returns those of the channels.
func (db *DB) RemovalEffects(ctx context.Context, s attribution.Selection) (map[string]float64, error) {
	effects := map[string]float64{}
	p := params{"project": s.Project.ID, "kind": s.Kind, "level": s.Level}
	err := db.query(ctx, "RemovalEffects", p, func(r driver.Rows) error {
		var channel string
		var effect float64
		err := r.Scan(&channel, &effect)
		effects[channel] = effect
		return err
	})
	return effects, err
}
