package job

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/bits"
	"slices"

	"github.com/touchline-hq/touchline/attribution"
)

// fittedModel is a model that has learnt from the paths.
type fittedModel struct {
	attribution.Fitted
	name string
}

// attribute fits the models and writes credits and channel credits. Every model's credit must add up to the
// conversions and their value.
func attribute(ctx context.Context, store attribution.Store, p attribution.Params, c attribution.Coverage, log *slog.Logger) ([]ModelReport, error) {
	paths, err := store.Paths(ctx)
	if err != nil {
		return nil, err
	}
	models, err := fit(p.Models, paths, log)
	if err != nil {
		return nil, err
	}
	if p.Publish {
		if err := writeCredits(ctx, store, p, paths, models, log); err != nil {
			return nil, err
		}
	}
	var reports []ModelReport
	for _, m := range models {
		report := reportModel(m, paths, c)
		if err := checkSum(report, c); err != nil {
			return nil, err
		}
		log.Info("credit adds up", "model", m.name, "conversions", c.Conversions, "value", float64(c.Value)/1e6)
		reports = append(reports, report)
	}
	return reports, nil
}

func fit(models []attribution.Model, paths *attribution.Paths, log *slog.Logger) ([]fittedModel, error) {
	var fitted []fittedModel
	for _, m := range models {
		err := step(log, "model "+m.Name(), func() error {
			f, err := m.Fit(paths)
			fitted = append(fitted, fittedModel{f, m.Name()})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return fitted, nil
}

// reportModel lists the channels, and Unattributed where there is such a conversion.
func reportModel(m fittedModel, paths *attribution.Paths, c attribution.Coverage) ModelReport {
	report := ModelReport{Model: m.name}
	for i, credit := range m.Totals() {
		report.Channels = append(report.Channels, ChannelCredit{paths.Channels[i], credit})
	}
	if c.Unattributed > 0 {
		report.Channels = append(report.Channels, ChannelCredit{attribution.Unattributed, attribution.Credit{
			Conversions: float64(c.Unattributed), Value: float64(c.UnattributedValue) / 1e6,
		}})
	}
	slices.SortStableFunc(report.Channels, func(a, b ChannelCredit) int {
		return cmp.Or(cmp.Compare(b.Conversions, a.Conversions), cmp.Compare(a.Channel, b.Channel))
	})
	return report
}

// checkSum compares with what was counted apart from the models, to 1e-9.
func checkSum(r ModelReport, c attribution.Coverage) error {
	var sum attribution.Credit
	for _, ch := range r.Channels {
		sum.Conversions += ch.Conversions
		sum.Value += ch.Value
	}
	want := attribution.Credit{Conversions: float64(c.Conversions), Value: float64(c.Value) / 1e6}
	if !near(sum.Conversions, want.Conversions) || !near(sum.Value, want.Value) {
		return fmt.Errorf("model %s credits %v conversions worth %v of %v worth %v: the credit must add up",
			r.Model, sum.Conversions, sum.Value, want.Conversions, want.Value)
	}
	return nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

func writeCredits(ctx context.Context, store attribution.Store, p attribution.Params, paths *attribution.Paths, models []fittedModel, log *slog.Logger) error {
	err := step(log, "credit touches", func() error { return creditTouches(ctx, store, p, paths, models) })
	if err != nil {
		return err
	}
	days, err := store.ConversionDays(ctx, p)
	if err != nil {
		return err
	}
	var split []string
	for _, m := range models {
		if _, ok := m.Fitted.(attribution.SeparateTotals); !ok {
			split = append(split, m.name)
			continue
		}
		if err := store.WriteChannelCredits(ctx, p, spreadTotals(m, paths, days)); err != nil {
			return err
		}
	}
	return store.SumCredits(ctx, p, split)
}

func creditTouches(ctx context.Context, store attribution.Store, p attribution.Params, paths *attribution.Paths, models []fittedModel) error {
	channels := make(map[string]attribution.Channel, len(paths.Channels))
	for i, name := range paths.Channels {
		channels[name] = attribution.Channel(i)
	}
	w, err := store.Credits(ctx, p)
	if err != nil {
		return err
	}
	var touches []attribution.Channel
	var shares []int64
	err = store.Journeys(ctx, p, func(j *attribution.Journey) error {
		touches = touches[:0]
		for _, t := range j.Touches {
			touches = append(touches, channels[t.Channel])
		}
		for _, m := range models {
			shares = m.Shares(shares[:0], attribution.Sequence{Channels: touches})
			if werr := writeShares(w, j, m.name, shares); werr != nil {
				return werr
			}
		}
		return nil
	})
	if closed := w.Close(); err == nil {
		err = closed
	}
	return err
}

func writeShares(w attribution.CreditWriter, j *attribution.Journey, model string, shares []int64) error {
	if len(shares) == 0 {
		return w.Write(attribution.CreditRow{Journey: j, Model: model, Credit: attribution.ShareUnit, Value: j.Value})
	}
	left := j.Value
	largest := 0
	values := make([]int64, len(shares))
	for i, s := range shares {
		values[i] = scale(j.Value, s)
		left -= values[i]
		if s > shares[largest] {
			largest = i
		}
	}
	values[largest] += left
	for i, s := range shares {
		if err := w.Write(attribution.CreditRow{Journey: j, Model: model, Position: i + 1, Credit: s, Value: values[i]}); err != nil {
			return err
		}
	}
	return nil
}

// scale is x × share ÷ ShareUnit, rounded down, without overflow; neither may be negative.
func scale(x, share int64) int64 {
	hi, lo := bits.Mul64(uint64(x), uint64(share))
	q, _ := bits.Div64(hi, lo, attribution.ShareUnit)
	return int64(q)
}

// spreadTotals spreads the totals of a model whose credit for single conversions does not add up to them over the days,
// for every channel like all conversions, so that sums over days are the model's totals and sums over channels the day's
// conversions. What rounding leaves over of a day is on its largest channel.
func spreadTotals(m fittedModel, paths *attribution.Paths, days []attribution.Day) []attribution.ChannelDay {
	totals := m.Totals()
	var rows []attribution.ChannelDay
	for _, d := range days {
		if d.Conversions > 0 {
			rows = append(rows, spreadDay(m.name, paths, totals, d)...)
		}
		if d.Unattributed > 0 {
			rows = append(rows, attribution.ChannelDay{
				Model: m.name, Channel: attribution.Unattributed, Day: d.Day,
				Conversions: d.Unattributed * attribution.ShareUnit, Value: d.UnattributedValue,
			})
		}
	}
	return rows
}

func spreadDay(model string, paths *attribution.Paths, totals []attribution.Credit, d attribution.Day) []attribution.ChannelDay {
	rows := make([]attribution.ChannelDay, 0, len(totals))
	left := attribution.ChannelDay{Conversions: d.Conversions * attribution.ShareUnit, Value: d.Value}
	largest := 0
	for i, t := range totals {
		row := attribution.ChannelDay{Model: model, Channel: paths.Channels[i], Day: d.Day}
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
