package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/bench/simulate"
	"github.com/touchline-hq/touchline/store/datadir"
)

// demoCommand simulates two companies through the real collector and shows what attribution makes of them.
type demoCommand struct {
	Seed  uint64  `help:"Seed of the simulation: the same seed gives the same events." default:"1"`
	Days  int     `help:"Days to simulate, up to today." default:"240"`
	Scale float64 `help:"Multiplies the number of people." default:"1"`
	Exit  bool    `help:"End after the results instead of staying up."`
}

// demoConfig is kept in the demo's data directory, so that other commands find the projects.
const demoConfig = demoMark + `
data: %q
collector: { listen: "127.0.0.1:8080" }
jobs: { every: off }
projects:
  - id: shop
    write_keys: [wk_shop]
    timezone: Europe/Berlin
    currency: EUR
    privacy: { mode: full }
    conversions: [{ event: "Order Completed", value: revenue }]
  - id: b2b
    write_keys: [wk_b2b]
    timezone: Europe/Berlin
    currency: EUR
    privacy: { mode: full }
    conversions: [{ event: "Order Completed", value: revenue }]
    milestones: { lead: "Lead Qualified", opportunity: "Opportunity Created" }
    traits: { role: role, interest: interest }
`

// company is one of the simulated companies.
type company struct {
	project, title string
	messages       func(simulate.Config) iter.Seq[simulate.Message]
	truth          func(simulate.Config) simulate.Truth
}

var companies = []company{
	{"shop", "A shop", simulate.Shop, simulate.ShopTruth},
	{"b2b", "A B2B company", simulate.B2B, simulate.B2BTruth},
}

func (c *demoCommand) Run(ctx context.Context, g *globals) error {
	if c.Days < 1 || c.Days > 3650 || c.Scale <= 0 || c.Scale > 100 {
		return usageError{fmt.Errorf("--days must be 1 to 3650 and --scale above 0 and at most 100")}
	}
	cfg, err := c.config(g)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return serve(ctx, g, cfg, func(ctx context.Context, s *server) error {
		if err := c.show(ctx, s, g.stderr, os.Stdout); err != nil {
			return err
		}
		if c.Exit {
			cancel()
		}
		return nil
	})
}

// demoMark is the first line of the demo's configuration.
const demoMark = "# The two companies of touchline demo."

// config writes the demo's configuration into an empty data directory. What an earlier demo left there goes: its days
// are not those of this one.
func (c *demoCommand) config(g *globals) (*config, error) {
	setDefault(&g.Data, filepath.Join("data", "demo"))
	name := filepath.Join(g.Data, "touchline.yaml")
	entries, err := os.ReadDir(g.Data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if len(entries) > 0 {
		former, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(former), demoMark) {
			return nil, fmt.Errorf("--data %s holds something else than a demo; name an empty directory", g.Data)
		}
		lock, err := datadir.Acquire(g.Data)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(os.RemoveAll(g.Data), lock.Release()); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(g.Data, 0o700); err != nil {
		return nil, err
	}
	if err := datadir.WriteFile(name, fmt.Appendf(nil, demoConfig, g.Data)); err != nil {
		return nil, err
	}
	return loadConfig(name)
}

// show simulates, computes and prints.
func (c *demoCommand) show(ctx context.Context, s *server, stderr, stdout io.Writer) error {
	simulated := simulate.Config{Seed: c.Seed, Days: c.Days, Scale: c.Scale, End: time.Now().UTC().Truncate(24 * time.Hour)}
	for _, company := range companies {
		if err := c.simulate(ctx, s, company, simulated, stderr); err != nil {
			return err
		}
	}
	if err := s.delivered(ctx); err != nil {
		return err
	}
	for _, company := range companies {
		report, err := attributeAll(ctx, s.installation, company.project)
		if err != nil {
			return err
		}
		if err := writeComparison(stdout, company, report, company.truth(simulated)); err != nil {
			return err
		}
		if err := writeCoverage(stdout, report.Selection, report.Coverage); err != nil {
			return err
		}
		fmt.Fprintln(stdout)
	}
	fmt.Fprintf(stdout, `From another terminal, the company's accounts by all models, and a question in SQL:
  %[1]s attribute --data %[2]s --project b2b --level account --compare conversions
  %[1]s sql --data %[2]s "SELECT channel, count() FROM touchpoints GROUP BY channel ORDER BY 2 DESC"
`, os.Args[0], s.dir)
	if !c.Exit {
		fmt.Fprintf(stdout, "The collector listens at http://%s until you press ctrl-C.\n", s.listener.Addr())
	}
	return nil
}

// simulate sends a company's messages through the collector, like its clients would.
func (c *demoCommand) simulate(ctx context.Context, s *server, company company, cfg simulate.Config, stderr io.Writer) error {
	_, project, err := s.cfg.project(company.project)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s: simulating %d days\n", company.title, c.Days)
	messages := slices.Collect(company.messages(cfg))
	progress := newProgress(stderr, company.project, "events", int64(len(messages)))
	start := time.Now()
	url := "http://" + s.listener.Addr().String()
	sent, err := simulate.Send(ctx, http.DefaultClient, url, project.WriteKeys[0], slices.Values(messages),
		func(n int) { progress.set(int64(n)) })
	progress.finish()
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s: %d events accepted in %.1f s\n", company.title, sent.Messages, time.Since(start).Seconds())
	return nil
}

// delivered waits until everything accepted is in the database.
func (s *server) delivered(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.spool.Stats().Records > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// demoModels are those that the demo puts side by side, as many as fit in a line.
func demoModels() []attribution.Model {
	return []attribution.Model{model.First{}, model.Last{}, model.Linear{}, model.Markov{}, model.Shapley{}}
}

// attributeAll runs the demo's models over a project as it is configured.
func attributeAll(ctx context.Context, in *installation, id string) (job.Report, error) {
	project, _, err := in.cfg.project(id)
	if err != nil {
		return job.Report{}, err
	}
	s := attribution.Selection{Project: *project, Kind: project.Conversions[0].Event, Level: attribution.Person, By: "channel"}
	var report job.Report
	err = in.withLock(ctx, in.logHolder, func(ctx context.Context) error {
		report, err = attributeProject(ctx, in, s, demoModels(), nil)
		return err
	})
	return report, err
}

// writeComparison prints the conversions that each model credits to each channel side by side, and beside them what is
// true in the simulation: the share of the conversions that would not have happened without the channel.
func writeComparison(w io.Writer, company company, r job.Report, truth simulate.Truth) error {
	fmt.Fprintf(w, "\n%s: conversions credited to each channel, by model\n\n", company.title)
	t := compareTable(r, func(c attribution.Credit) float64 { return c.Conversions })
	t.header = append(t.header, "truth")
	caused := map[string]float64{}
	for _, ch := range truth.Channels {
		caused[ch.Channel] = ch.Share * float64(r.Coverage.Conversions-r.Coverage.Unattributed)
	}
	for i, n := range r.Models[0].Names {
		t.rows[i] = append(t.rows[i], number(caused[n.Name]))
	}
	if err := t.write(w, formatTable); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}
