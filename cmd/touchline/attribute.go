package main

import (
	"context"
	"fmt"
	"os"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
)

// attributeCommand brings the tables up to date and reports the credit of selected journeys.
type attributeCommand struct {
	reportFlags
	Models   string `help:"Models, separated by commas: ${all_models}." default:"${all_models}"`
	By       string `help:"What of a touch gets the credit: ${enum}." enum:"${dimensions}" default:"channel"`
	Lookback string `help:"How long before the conversion a touch counts, for this report alone; at most 730d. Without it: as configured." placeholder:"90d"`
	Gross    bool   `help:"Value before refunds and cancellations."`
	Compare  string `help:"A column a model: its conversions, or its value." enum:",conversions,value" default:"" placeholder:"conversions|value"`
	chainFlags
	transformFlags
}

func (c *attributeCommand) Run(ctx context.Context, g *globals) error {
	chain, err := c.markov()
	if err != nil {
		return usageError{err}
	}
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	s, err := c.selection(in.cfg)
	if err != nil {
		return usageError{err}
	}
	settings := job.Settings(s.Project)
	settings.Markov = chain
	models, err := settings.Parse(c.Models)
	if err != nil {
		return usageError{err}
	}
	var report job.Report
	waiting := func(holder string) { fmt.Fprintf(g.stderr, "waiting: attribution is being computed by %s\n", holder) }
	err = in.withLock(ctx, waiting, func(ctx context.Context) error {
		report, err = attributeProject(ctx, in, s, models, c.transforms())
		return err
	})
	if err != nil {
		return err
	}
	if err := c.table(report).write(os.Stdout, c.Format); err != nil {
		return err
	}
	return writeCoverage(g.stderr, report.Selection, report.Coverage)
}

// attributeProject brings the project's tables up to date, and reports on the selected journeys. The caller holds the lock.
func attributeProject(ctx context.Context, in *installation, s attribution.Selection, models []attribution.Model, transforms []attribution.Transform) (job.Report, error) {
	asOf, err := updateProject(ctx, in, &s.Project)
	if err != nil {
		return job.Report{}, err
	}
	if asOf.IsZero() {
		return job.Report{}, fmt.Errorf("project %q has no events", s.Project.ID)
	}
	return job.NewReport(ctx, in.db, s, models, transforms)
}

func (c *attributeCommand) selection(cfg *config) (attribution.Selection, error) {
	s, err := c.reportFlags.selection(cfg)
	if err != nil {
		return s, err
	}
	s.By, s.Gross = c.By, c.Gross
	if c.Lookback == "" {
		return s, nil
	}
	if s.Lookback, err = parseDuration(c.Lookback); err != nil {
		return s, fmt.Errorf("--lookback %w", err)
	}
	if s.Lookback > maxLookback {
		return s, fmt.Errorf("--lookback is %q; 730d is the most there is", c.Lookback)
	}
	return s, nil
}

func (c *attributeCommand) table(r job.Report) *table {
	if c.Compare == "" {
		return creditTable(r)
	}
	return compareTable(r, func(n attribution.Credit) float64 {
		if c.Compare == "value" {
			return n.Value
		}
		return n.Conversions
	})
}

func creditTable(r job.Report) *table {
	t := &table{header: append([]string{"model", r.Selection.By}, creditHeader[2:]...)}
	for _, m := range r.Models {
		for _, n := range m.Names {
			t.rows = append(t.rows, []cell{text(m.Model), text(n.Name), number(n.Conversions), number(n.Value)})
		}
	}
	return t
}

// compareTable has a column for each model.
func compareTable(r job.Report, of func(attribution.Credit) float64) *table {
	t := &table{header: []string{r.Selection.By}}
	rows := make(map[string][]cell)
	var names []string
	for _, m := range r.Models {
		t.header = append(t.header, m.Model)
		for _, n := range m.Names {
			if rows[n.Name] == nil {
				rows[n.Name] = []cell{text(n.Name)}
				names = append(names, n.Name)
			}
			rows[n.Name] = append(rows[n.Name], number(of(n.Credit)))
		}
	}
	for _, name := range names {
		t.rows = append(t.rows, rows[name])
	}
	return t
}
