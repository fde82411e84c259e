package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
	"github.com/touchline-hq/touchline/attribution/model"
)

// attributeCommand computes persons, sessions, touchpoints, journeys and credit.
type attributeCommand struct {
	Project    string `help:"Project." required:""`
	Conversion string `help:"Event that counts as the conversion. Without it: the first one configured."`
	Models     string `help:"Models, separated by commas: ${models}." default:"${models}"`
	From       string `help:"First day (in the project's time zone), or an instant, in which journeys ended." placeholder:"DAY"`
	To         string `help:"Last day, included; or an instant, not included." placeholder:"DAY"`
	Lookback   string `help:"How long before the conversion a touch counts; at most 730d. Without it: as configured." placeholder:"90d"`
	Gross      bool   `help:"Value before refunds and cancellations."`
	Format     format `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

func (c *attributeCommand) Run(ctx context.Context, g *globals) error {
	models, err := model.Parse(c.Models)
	if err != nil {
		return usageError{err}
	}
	if err = checkUntimed(models); err != nil {
		return usageError{err}
	}
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	project, _, err := in.cfg.project(c.Project)
	if err != nil {
		return usageError{err}
	}
	p, err := c.params(*project, models)
	if err != nil {
		return usageError{err}
	}
	report, err := runJob(ctx, in, p, func(holder string) {
		fmt.Fprintf(g.stderr, "waiting: attribution is being computed by %s\n", holder)
	})
	if err != nil {
		return err
	}
	if err := creditTable(report).write(os.Stdout, c.Format); err != nil {
		return err
	}
	return writeCoverage(g.stderr, report, p.Publish)
}

// checkUntimed refuses models that need to know when touches were: the job adds up paths without that.
func checkUntimed(models []attribution.Model) error {
	for _, m := range models {
		if _, timed := m.(attribution.Timed); timed {
			return fmt.Errorf("attribute does not have the model %s; paths has, for a file with the column hours", m.Name())
		}
	}
	return nil
}

// runJob runs attribution as soon as no other process does.
func runJob(ctx context.Context, in *installation, p attribution.Params, waiting func(holder string)) (job.Report, error) {
	held, release, err := in.lockAttribution(ctx, waiting)
	if err != nil {
		return job.Report{}, err
	}
	defer release()
	report, err := job.Run(held, in.db, p, in.log)
	return report, cmp.Or(context.Cause(held), err)
}

// params turns flags into what the job is asked for. What analysts read is replaced only by a run over everything, as
// the project is configured.
func (c *attributeCommand) params(project attribution.Project, models []attribution.Model) (attribution.Params, error) {
	p := attribution.Params{Project: project, Models: models, Gross: c.Gross}
	if c.Conversion == "" {
		c.Conversion = project.Conversions[0].Event
	}
	p.Conversion = project.Conversion(c.Conversion)
	if c.Lookback != "" {
		lookback, err := parseDuration(c.Lookback)
		if err != nil {
			return p, fmt.Errorf("--lookback %w", err)
		}
		if lookback > maxLookback {
			return p, fmt.Errorf("--lookback is %q; 730d is the most there is", c.Lookback)
		}
		p.Project.Lookback, p.Project.Inactivity = lookback, min(project.Inactivity, lookback)
	}
	var err error
	if p.From, err = parseDay("from", c.From, project.Location, false); err != nil {
		return p, err
	}
	if p.To, err = parseDay("to", c.To, project.Location, true); err != nil {
		return p, err
	}
	if !p.To.IsZero() && !p.From.Before(p.To) {
		return p, fmt.Errorf("--from %s is not before --to %s", c.From, c.To)
	}
	p.Publish = c.From == "" && c.To == "" && c.Lookback == "" && !c.Gross
	return p, nil
}

func creditTable(r job.Report) *table {
	t := &table{header: creditHeader}
	for _, m := range r.Models {
		for _, ch := range m.Channels {
			t.rows = append(t.rows, []cell{text(m.Model), text(ch.Channel), number(ch.Conversions), number(ch.Value)})
		}
	}
	return t
}

// writeCoverage says what the report speaks of, and what it leaves out.
func writeCoverage(w io.Writer, r job.Report, published bool) error {
	c := r.Coverage
	lines := []string{
		fmt.Sprintf("%s, %s, as of %s", r.Project, r.Kind, r.AsOf.UTC().Format(time.RFC3339)),
		fmt.Sprintf("%d conversions worth %.2f %s: %d with touches (%d of them Direct only), %d Unattributed",
			c.Conversions, float64(c.Value)/1e6, r.Currency, c.Conversions-c.Unattributed, c.DirectOnly, c.Unattributed),
		fmt.Sprintf("journeys without conversion: %d ended, %d still open and in no model", c.Nulls, c.Pending),
	}
	if c.Foreign > 0 {
		lines = append(lines, fmt.Sprintf("%d conversions are in another currency than %s and count without value", c.Foreign, r.Currency))
	}
	if !published {
		lines = append(lines, "a selection: the tables still hold the last run over everything")
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
