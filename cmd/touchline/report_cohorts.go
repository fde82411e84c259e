package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/touchline-hq/touchline/attribution"
)

type cohortsReport struct{ reportFlags }

func (c *cohortsReport) Run(ctx context.Context, g *globals) error {
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		months, err := r.db.Cohorts(ctx, r.selection)
		if err != nil {
			return nil, err
		}
		asOf := r.published.AsOf.In(r.selection.Project.Location)
		r.selection.From, r.selection.To = time.Time{}, time.Time{} // they chose by first touch; the coverage is that of all there was
		r.published, err = r.db.Coverage(ctx, &r.selection)
		return cohortTable(cohorts(months, asOf)), err
	})
}

// cohort is people whose first touch was by the same channel in the same month.
type cohort struct {
	month   time.Time // first day, UTC
	channel string
	people  int64
	brought []attribution.CohortMonth // by months after the first touch, up to the present one; not added up
}

// cohorts sorts months into cohorts, the latest month first, within it the one with most people.
func cohorts(months []attribution.CohortMonth, asOf time.Time) []cohort {
	type key struct {
		month   time.Time
		channel string
	}
	index := map[key]*cohort{}
	for _, m := range months {
		k := key{m.Month.UTC(), m.Channel}
		c := index[k]
		if c == nil {
			c = &cohort{month: k.month, channel: k.channel, brought: make([]attribution.CohortMonth, max(monthsBetween(k.month, asOf), 0)+1)}
			index[k] = c
		}
		c.people += m.People
		if m.After >= 0 {
			b := &c.brought[min(int(m.After), len(c.brought)-1)]
			b.Conversions += m.Conversions
			b.Value += m.Value
		}
	}
	sorted := make([]cohort, 0, len(index))
	for _, c := range index {
		sorted = append(sorted, *c)
	}
	slices.SortFunc(sorted, func(a, b cohort) int {
		return cmp.Or(b.month.Compare(a.month), cmp.Compare(b.people, a.people), cmp.Compare(a.channel, b.channel))
	})
	return sorted
}

func monthsBetween(from, to time.Time) int {
	return 12*(to.Year()-from.Year()) + int(to.Month()) - int(from.Month())
}

func cohortTable(cohorts []cohort) *table {
	t := &table{header: []string{"month", "channel", "people", "months_after", "conversions", "value", "value_per_person"}}
	for _, c := range cohorts {
		var sum attribution.CohortMonth
		for after, b := range c.brought {
			sum.Conversions += b.Conversions
			sum.Value += b.Value
			t.rows = append(t.rows, []cell{
				text(c.month.Format("2006-01")), text(c.channel), count(c.people), count(int64(after)),
				count(sum.Conversions), money(sum.Value), ratio(sum.Value, c.people, 1e-6),
			})
		}
	}
	return t
}
