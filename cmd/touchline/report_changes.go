package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/touchline-hq/touchline/attribution"
)

type changesReport struct {
	reportFlags
	modelFlag
}

func (c *changesReport) Run(ctx context.Context, g *globals) error {
	if err := c.check(); err != nil {
		return err
	}
	days, err := wholeDays(c.From, c.To)
	if err != nil {
		return usageError{err}
	}
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		former := r.selection
		former.From, former.To = r.selection.From.AddDate(0, 0, -days), r.selection.From
		before, err := r.db.Coverage(ctx, &former)
		if err != nil {
			return nil, err
		}
		changes, err := r.db.CreditChanges(ctx, r.selection, former.From, c.Model)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(r.stderr, "before: %d days from %s, %d conversions worth %s\n",
			days, former.From.Format(time.DateOnly), before.Conversions, moneyText(before.Value))
		if r.selection.To.After(r.published.AsOf) {
			fmt.Fprintln(r.stderr, "the period ends after as-of: it is not over yet")
		}
		c.note(r)
		return changeTable(changes), nil
	})
}

// wholeDays counts the days from one to another, both included. The clock of no time zone plays a part: a day is one even
// if it has 23 hours.
func wholeDays(from, to string) (int, error) {
	first, err1 := time.Parse(time.DateOnly, from)
	last, err2 := time.Parse(time.DateOnly, to)
	if errors.Join(err1, err2) != nil {
		return 0, fmt.Errorf("report changes compares whole days: want --from and --to as days like 2026-01-31, not %q and %q", from, to)
	}
	return int(last.Sub(first)/(24*time.Hour)) + 1, nil
}

func changeTable(changes []attribution.CreditChange) *table {
	t := &table{header: []string{
		"channel", "conversions", "conversions_before", "conversions_difference", "value", "value_before", "value_difference",
	}}
	for _, c := range changes {
		t.rows = append(t.rows, []cell{
			text(c.Channel),
			number(c.Now.Conversions), number(c.Before.Conversions), number(c.Difference.Conversions),
			number(c.Now.Value), number(c.Before.Value), number(c.Difference.Value),
		})
	}
	return t
}
