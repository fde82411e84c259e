// Package job brings the tables of attribution up to date: events become persons, touchpoints, conversions and journeys
// where the data is, and models turn journeys into credit here.
package job

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/identity"
	"github.com/touchline-hq/touchline/attribution/model"
)

// Run brings the tables of a project up to date, for all its kinds of conversion and at both levels: it computes anew
// those whom new events touch, or everybody if what the tables depend on has changed. It logs each step with its
// duration, and reports an error rather than credit that does not add up. Nothing changes for readers until all is
// computed. The Update of a project without events has no AsOf.
func Run(ctx context.Context, store attribution.Store, p attribution.Project, log *slog.Logger) (*attribution.Update, error) {
	models := Settings(p).All()
	var names []string
	for _, m := range models {
		if m.Name() != chainModel {
			names = append(names, m.Name())
		}
	}
	var u *attribution.Update
	err := step(log, "begin", func() (err error) { u, err = store.Begin(ctx, p, names); return err })
	if err != nil || u.AsOf.IsZero() {
		return u, err
	}
	log.Info("attribution update", "project", p.ID, "full", u.Full, "as_of", u.AsOf)
	for _, s := range steps(ctx, store, u, models, log) {
		if err := step(log, s.name, s.run); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// Settings are the models as the project sets them.
func Settings(p attribution.Project) model.Settings {
	return model.Settings{
		Position:  model.Position{First: p.Position[0], Last: p.Position[2]},
		TimeDecay: model.TimeDecay{HalfLife: p.HalfLife.Hours()},
	}
}

type namedStep struct {
	name string
	run  func() error
}

func steps(ctx context.Context, store attribution.Store, u *attribution.Update, models []attribution.Model, log *slog.Logger) []namedStep {
	on := func(f func(context.Context, *attribution.Update) error) func() error {
		return func() error { return f(ctx, u) }
	}
	list := []namedStep{
		{"take events", on(store.TakeEvents)},
		{"adopt links", on(store.AdoptLinks)},
		{"find owners", on(store.FindOwners)},
		{"join users", func() error { return joinUsers(ctx, store, u) }},
		{"find orders", on(store.FindOrders)},
	}
	if !u.Full {
		list = append(list, namedStep{"find who is affected", on(store.Affect)})
	}
	return append(list,
		namedStep{"find facts", on(store.FindFacts)},
		namedStep{"find identities", on(store.FindIdentities)},
		namedStep{"group persons", on(store.GroupPersons)},
		namedStep{"group accounts", on(store.GroupAccounts)},
		namedStep{"build journeys", on(store.BuildJourneys)},
		namedStep{"credit touches", func() error { return creditTouches(ctx, store, u, models) }},
		namedStep{"fill conversions", on(store.FillConversions)},
		namedStep{"sum paths", on(store.SumPaths)},
		namedStep{"sum credits", on(store.SumCredits)},
		namedStep{"solve chains", func() error { return solveChains(ctx, store, u) }},
		namedStep{"check sums", func() error { return checkSums(ctx, store, u, log) }},
		namedStep{"publish", on(store.Publish)},
	)
}

func step(log *slog.Logger, name string, run func() error) error {
	start := time.Now()
	if err := run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	log.Info("attribution step", "step", name, "duration", time.Since(start).Round(time.Millisecond))
	return nil
}

func joinUsers(ctx context.Context, store attribution.Store, u *attribution.Update) error {
	aliases, err := store.Aliases(ctx, u)
	if err != nil {
		return err
	}
	return store.SetAliases(ctx, u, identity.Canonical(aliases))
}

// checkSums compares, for every model and dimension, what is credited with the conversions that were counted apart from
// the models, to 1e-9.
func checkSums(ctx context.Context, store attribution.Store, u *attribution.Update, log *slog.Logger) error {
	sums, err := store.Sums(ctx, u)
	if err != nil {
		return err
	}
	for _, s := range sums {
		if !negligible(s.Missing.Conversions, s.Credit.Conversions) || !negligible(s.Missing.Value, s.Credit.Value) {
			return fmt.Errorf("model %s credits %v conversions of %s worth %v by %s at level %s, %v and %v too few: the credit must add up",
				s.Model, s.Credit.Conversions, s.Kind, s.Credit.Value, s.Dimension, s.Level, s.Missing.Conversions, s.Missing.Value)
		}
		log.Info("credit adds up", "kind", s.Kind, "level", s.Level, "model", s.Model, "dimension", s.Dimension,
			"conversions", s.Credit.Conversions, "value", s.Credit.Value)
	}
	return nil
}

func negligible(missing, of float64) bool { return math.Abs(missing) <= 1e-9*max(1, math.Abs(of)) }
