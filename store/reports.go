package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/attribution"
)

// PathGroups adds up the selected journeys, but for pending ones, by what their paths have in common: the top groups with
// most conversions, and all others as one.
func (db *DB) PathGroups(ctx context.Context, s attribution.Selection, by attribution.PathKey, top int) ([]attribution.PathGroup, error) {
	var groups []attribution.PathGroup
	p, err := db.selection(ctx, &s)
	if err != nil {
		return nil, err
	}
	p["key"], p["top"] = string(by), top
	err = db.query(ctx, "PathGroups", p, func(r driver.Rows) error {
		var g attribution.PathGroup
		var value decimal.Decimal
		err = r.Scan(&g.Key, &g.Groups, &g.Conversions, &value, &g.Nulls)
		g.Value = micros(value)
		groups = append(groups, g)
		return err
	})
	return groups, err
}

// Lags counts the selected conversions by the days that they took.
func (db *DB) Lags(ctx context.Context, s attribution.Selection) ([]attribution.LagDay, error) {
	var days []attribution.LagDay
	p, err := db.selection(ctx, &s)
	if err != nil {
		return nil, err
	}
	err = db.query(ctx, "Lags", p, func(r driver.Rows) error {
		var d attribution.LagDay
		var value decimal.Decimal
		err = r.Scan(&d.Days, &d.Conversions, &value)
		d.Value = micros(value)
		days = append(days, d)
		return err
	})
	return days, err
}

// CustomerCredits adds up a model's credit for the selected conversions by channel, for new and for returning customers.
func (db *DB) CustomerCredits(ctx context.Context, s attribution.Selection, model string) ([]attribution.CustomerCredit, error) {
	var channels []attribution.CustomerCredit
	p, err := db.selection(ctx, &s)
	if err != nil {
		return nil, err
	}
	p["model"] = model
	err = db.query(ctx, "CustomerCredits", p, func(r driver.Rows) error {
		var c attribution.CustomerCredit
		err = r.Scan(&c.Channel, &c.New.Conversions, &c.New.Value, &c.Returning.Conversions, &c.Returning.Value)
		channels = append(channels, c)
		return err
	})
	return channels, err
}

// CreditChanges compares a model's credit for the selected conversions with that from before until s.From.
func (db *DB) CreditChanges(ctx context.Context, s attribution.Selection, before time.Time, model string) ([]attribution.CreditChange, error) {
	var channels []attribution.CreditChange
	p, err := db.selection(ctx, &s)
	if err != nil {
		return nil, err
	}
	p["before"], p["model"] = before.UnixMilli(), model
	err = db.query(ctx, "CreditChanges", p, func(r driver.Rows) error {
		var c attribution.CreditChange
		err = r.Scan(&c.Channel, &c.Now.Conversions, &c.Now.Value, &c.Before.Conversions, &c.Before.Value,
			&c.Difference.Conversions, &c.Difference.Value)
		channels = append(channels, c)
		return err
	})
	return channels, err
}

// Cohorts returns, in no order, how many people or accounts each cohort has and what they brought in each month. s.From
// and s.To choose them by their first touch.
func (db *DB) Cohorts(ctx context.Context, s attribution.Selection) ([]attribution.CohortMonth, error) {
	var months []attribution.CohortMonth
	p, err := db.selection(ctx, &s)
	if err != nil {
		return nil, err
	}
	p["timezone"] = s.Project.Location.String()
	err = db.query(ctx, "Cohorts", p, func(r driver.Rows) error {
		var m attribution.CohortMonth
		var value decimal.Decimal
		err = r.Scan(&m.Month, &m.Channel, &m.After, &m.People, &m.Conversions, &value)
		m.Value = micros(value)
		months = append(months, m)
		return err
	})
	return months, err
}
