package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/attribution"
)

var _ attribution.Reporter = (*DB)(nil)

// Select builds journeys with another lookback than the project's in working tables, if s asks for it.
func (db *DB) Select(ctx context.Context, s *attribution.Selection) error {
	if s.Lookback == 0 || s.Lookback == s.Project.Lookback {
		return nil
	}
	for _, table := range []string{"groups", "subjects_raw", "conversions_raw", "shares"} {
		if err := db.conn.Exec(ctx, "TRUNCATE TABLE touchline_work."+table); err != nil {
			return fmt.Errorf("empty the working table %s: %w", table, err)
		}
	}
	p := s.Project
	p.Lookback, p.Inactivity = s.Lookback, min(p.Inactivity, s.Lookback)
	u := &attribution.Update{Project: p, Full: true}
	if err := db.exec(ctx, "CopyGroups", updateParams(u)); err != nil {
		return err
	}
	if err := db.BuildJourneys(ctx, u); err != nil {
		return err
	}
	s.Built = true
	return db.FillConversions(ctx, u)
}

// selection is the parameters that choose journeys.
func (db *DB) selection(ctx context.Context, s *attribution.Selection) (params, error) {
	p := params{
		"tables": Database, "project": s.Project.ID, "kind": s.Kind, "level": s.Level, "by": s.By, "customers": string(s.Customers),
		"gross": s.Gross, "skip_direct": s.SkipDirect, "from": milliseconds(s.From), "to": int64(math.MaxInt64),
	}
	if s.Built {
		p["tables"] = "touchline_work"
	}
	if !s.To.IsZero() {
		p["to"] = milliseconds(s.To)
	}
	asOf, err := db.PublishedAsOf(ctx, s.Project)
	p["as_of"] = milliseconds(asOf)
	return p, err
}

// PublishedAsOf is the time of the newest event that the last update knew of; the zero Time before the first one.
func (db *DB) PublishedAsOf(ctx context.Context, p attribution.Project) (time.Time, error) {
	u := &attribution.Update{Project: p}
	if err := db.continueFrom(ctx, u); err != nil || u.Published == 0 {
		return time.Time{}, err
	}
	return u.OldAsOf, nil
}

// Coverage counts the selected journeys.
func (db *DB) Coverage(ctx context.Context, s *attribution.Selection) (attribution.Coverage, error) {
	var c attribution.Coverage
	p, err := db.selection(ctx, s)
	if err != nil {
		return c, err
	}
	var value, unattributed, direct decimal.Decimal
	err = db.query(ctx, "Coverage", p, func(r driver.Rows) error {
		return r.Scan(&c.Conversions, &c.Unattributed, &c.DirectOnly, &c.Unrated, &value, &unattributed, &direct, &c.Nulls, &c.Pending)
	})
	c.Value, c.UnattributedValue, c.DirectOnlyValue = micros(value), micros(unattributed), micros(direct)
	if asOf, _ := p["as_of"].(int64); asOf > 0 {
		c.AsOf = time.UnixMilli(asOf).UTC()
	}
	return c, err
}

// SelectedPaths are the paths of the selected journeys.
func (db *DB) SelectedPaths(ctx context.Context, s *attribution.Selection) (*attribution.Paths, error) {
	p, err := db.selection(ctx, s)
	if err != nil {
		return nil, err
	}
	var b pathBuilder
	err = db.query(ctx, "SelectedPaths", p, b.add)
	return b.Paths(), err
}

// SelectedJourneys calls f with each selected journey that converted and had touches.
func (db *DB) SelectedJourneys(ctx context.Context, s *attribution.Selection, f func(attribution.SelectedJourney) error) error {
	p, err := db.selection(ctx, s)
	if err != nil {
		return err
	}
	return db.query(ctx, "SelectedJourneys", p, func(r driver.Rows) error {
		var j attribution.SelectedJourney
		var ages []int64
		var lead, opportunity uint32
		var value decimal.Decimal
		if err := r.Scan(&j.Names, &ages, &lead, &opportunity, &value); err != nil {
			return err
		}
		for _, age := range ages {
			j.Hours = append(j.Hours, float64(age)/3_600_000)
		}
		j.Lead, j.Opportunity, j.Value = int(lead), int(opportunity), micros(value)
		return f(j)
	})
}
