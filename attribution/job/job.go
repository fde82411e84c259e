// Package job runs attribution: events become persons, touchpoints, conversions and journeys where the data is, and
// models turn journeys into credit here.
package job

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/identity"
)

// Report is the outcome of a run.
type Report struct {
	Project  string
	Kind     string
	Currency string
	AsOf     time.Time
	Coverage attribution.Coverage
	Models   []ModelReport
}

// ModelReport is the credit of each channel under one model, the channel with most conversions first.
type ModelReport struct {
	Model    string
	Channels []ChannelCredit
}

// ChannelCredit is the credit of one channel.
type ChannelCredit struct {
	Channel string
	attribution.Credit
}

// Run computes everything anew. It logs each step with its duration, and reports an error rather than credit that
// does not add up.
func Run(ctx context.Context, store attribution.Store, p attribution.Params, log *slog.Logger) (Report, error) {
	asOf, err := store.AsOf(ctx, p.Project.ID)
	if err != nil {
		return Report{}, err
	}
	if asOf.IsZero() {
		return Report{}, fmt.Errorf("project %q has no events", p.Project.ID)
	}
	if err = buildJourneys(ctx, store, p, asOf, log); err != nil {
		return Report{}, err
	}
	report := Report{Project: p.Project.ID, Kind: p.Conversion.Event, Currency: p.Project.Currency, AsOf: asOf}
	if report.Coverage, err = store.Coverage(ctx, p); err != nil {
		return Report{}, err
	}
	if report.Models, err = attribute(ctx, store, p, report.Coverage, log); err != nil {
		return Report{}, err
	}
	if !p.Publish {
		return report, nil
	}
	return report, step(log, "publish", func() error { return store.Publish(ctx, p) })
}

func buildJourneys(ctx context.Context, store attribution.Store, p attribution.Params, asOf time.Time, log *slog.Logger) error {
	project := p.Project.ID
	for _, s := range []struct {
		name string
		run  func() error
	}{
		{"begin", func() error { return store.Begin(ctx) }},
		{"link devices", func() error { return store.LinkDevices(ctx, project) }},
		{"join users", func() error { return joinUsers(ctx, store, project) }},
		{"assign persons", func() error { return store.AssignPersons(ctx, project, []string{p.Conversion.Event}) }},
		{"find sessions", func() error { return store.FindSessions(ctx, project) }},
		{"add explicit touches", func() error { return store.AddExplicitTouches(ctx, project) }},
		{"add link touches", func() error { return store.AddLinkTouches(ctx, project) }},
		{"summarise persons", func() error { return store.SummarisePersons(ctx, project) }},
		{"find conversions", func() error { return store.FindConversions(ctx, p) }},
		{"build journeys", func() error { return store.BuildJourneys(ctx, p, asOf) }},
		{"sum paths", func() error { return store.SumPaths(ctx, p) }},
	} {
		if err := step(log, s.name, s.run); err != nil {
			return err
		}
	}
	return nil
}

func joinUsers(ctx context.Context, store attribution.Store, project string) error {
	aliases, err := store.Aliases(ctx, project)
	if err != nil {
		return err
	}
	return store.SetAliases(ctx, identity.Canonical(aliases))
}

func step(log *slog.Logger, name string, run func() error) error {
	start := time.Now()
	if err := run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	log.Info("attribution step", "step", name, "duration", time.Since(start).Round(time.Millisecond))
	return nil
}
