package job

import (
	"context"
	"fmt"
	"slices"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
)

// chainModel is the model whose totals come from all journeys together.
var chainModel = model.Markov{}.Name()

// creditTouches splits the journeys at hand by every model that looks at one journey at a time.
func creditTouches(ctx context.Context, store attribution.Store, u *attribution.Update, models []attribution.Model) error {
	channels, err := store.Channels(ctx, u)
	if err != nil {
		return err
	}
	fitted, err := fitAlone(models, channels)
	if err != nil {
		return err
	}
	return store.Credit(ctx, u, channels, splitter(fitted))
}

// splitter splits by each of the models.
func splitter(models []attribution.Fitted) attribution.Split {
	var split, values []int64
	return func(s attribution.Sequence, value int64, shares, worth []int64) {
		for m, model := range models {
			split = model.Shares(split[:0], s)
			values = splitValue(values[:0], split, value)
			for t := range split {
				shares[t*len(models)+m], worth[t*len(models)+m] = split[t], values[t]
			}
		}
	}
}

// fitAlone fits the models that need nothing of other journeys than what channels there are.
func fitAlone(models []attribution.Model, channels []string) ([]attribution.Fitted, error) {
	var b attribution.Builder
	for _, name := range channels {
		b.Channel(name)
	}
	paths := b.Paths()
	var fitted []attribution.Fitted
	for _, m := range models {
		if m.Name() == chainModel {
			continue
		}
		f, err := m.Fit(paths)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", m.Name(), err)
		}
		fitted = append(fitted, f)
	}
	return fitted, nil
}

// solveChains solves the Markov chain over all journeys of each kind and level.
func solveChains(ctx context.Context, store attribution.Store, u *attribution.Update) error {
	for _, kind := range u.Project.Conversions {
		for _, level := range attribution.Levels {
			if err := solveChain(ctx, store, u, kind.Event, level); err != nil {
				return err
			}
		}
	}
	return nil
}

func solveChain(ctx context.Context, store attribution.Store, u *attribution.Update, kind, level string) error {
	paths, err := store.Paths(ctx, u, kind, level)
	if err != nil {
		return err
	}
	x, err := model.Markov{}.Explain(paths)
	if err != nil {
		return err
	}
	chain := attribution.Chain{Channels: paths.Channels, Removal: x.Removal}
	for _, t := range x.Transitions {
		chain.Transitions = append(chain.Transitions, attribution.Transition(t))
	}
	if err = store.WriteChain(ctx, u, kind, level, chain); err != nil {
		return err
	}
	fitted, err := model.Markov{}.Fit(paths)
	if err != nil {
		return err
	}
	days, err := store.ConversionDays(ctx, u, kind, level)
	if err != nil {
		return err
	}
	return store.WriteChannelCredits(ctx, u, kind, level, spreadTotals(fitted.Totals(), paths, days))
}

// spreadTotals spreads totals that do not come from single conversions over the days, for every channel like all
// conversions, so that sums over days are the totals and sums over channels the day's conversions. What rounding leaves
// over of a day is on its largest channel.
func spreadTotals(totals []attribution.Credit, paths *attribution.Paths, days []attribution.Day) []attribution.ChannelDay {
	var rows []attribution.ChannelDay
	for _, d := range days {
		if d.Conversions > 0 {
			rows = append(rows, spreadDay(totals, paths, d)...)
		}
		if d.Unattributed > 0 {
			rows = append(rows, attribution.ChannelDay{
				Model: chainModel, Channel: attribution.Unattributed, Day: d.Day,
				Conversions: d.Unattributed * attribution.ShareUnit, Value: d.UnattributedValue,
			})
		}
	}
	return rows
}

func spreadDay(totals []attribution.Credit, paths *attribution.Paths, d attribution.Day) []attribution.ChannelDay {
	rows := make([]attribution.ChannelDay, 0, len(totals))
	left := attribution.ChannelDay{Conversions: d.Conversions * attribution.ShareUnit, Value: d.Value}
	largest := 0
	for i, t := range totals {
		row := attribution.ChannelDay{Model: chainModel, Channel: paths.Channels[i], Day: d.Day}
		row.Conversions = int64(t.Conversions / paths.Conversions * float64(d.Conversions) * attribution.ShareUnit)
		if paths.Value > 0 {
			row.Value = int64(t.Value / paths.Value * float64(d.Value))
		}
		left.Conversions -= row.Conversions
		left.Value -= row.Value
		if row.Conversions > 0 && t.Conversions > totals[largest].Conversions {
			largest = i
		}
		rows = append(rows, row)
	}
	rows[largest].Conversions += left.Conversions
	rows[largest].Value += left.Value
	return slices.DeleteFunc(rows, func(r attribution.ChannelDay) bool { return r.Conversions == 0 && r.Value == 0 })
}
