package job

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"slices"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/attribution/transform"
)

// Report is the credit of selected journeys.
type Report struct {
	Selection attribution.Selection
	Coverage  attribution.Coverage
	Models    []ModelReport
}

// ModelReport is the credit under one model, the largest first.
type ModelReport struct {
	Model string
	Names []NameCredit
}

// NameCredit is the credit of one channel, campaign, or whatever the report is by.
type NameCredit struct {
	Name string
	attribution.Credit
}

// NewReport is the credit of selected journeys, seen through transforms. Every model's credit adds up to the
// conversions and their value, or there is an error.
func NewReport(ctx context.Context, store attribution.Reporter, s attribution.Selection, models []attribution.Model, transforms []attribution.Transform) (Report, error) {
	if err := store.Select(ctx, &s); err != nil {
		return Report{}, err
	}
	transforms, s.SkipDirect = withoutIgnoreDirect(transforms)
	coverage, err := store.Coverage(ctx, &s)
	if err != nil {
		return Report{}, err
	}
	report := Report{Selection: s, Coverage: coverage}
	paths, err := store.SelectedPaths(ctx, &s)
	if err != nil {
		return Report{}, err
	}
	e := reporter{store: store, selection: &s, paths: paths, transforms: transforms}
	for _, m := range models {
		totals, err := e.totals(ctx, m)
		if err != nil {
			return Report{}, err
		}
		r := modelReport(m.Name(), paths.Channels, totals, coverage)
		if err := checkReport(r, coverage); err != nil {
			return Report{}, err
		}
		report.Models = append(report.Models, r)
	}
	return report, nil
}

type reporter struct {
	store      attribution.Reporter
	selection  *attribution.Selection
	paths      *attribution.Paths
	timed      *attribution.Paths // the converting ones, with hours; read when a model needs them
	transforms []attribution.Transform
}

// withoutIgnoreDirect says whether that is one of the transforms. It is left to the store, which knows the channels of
// touches whatever the report is by.
func withoutIgnoreDirect(transforms []attribution.Transform) (others []attribution.Transform, ignore bool) {
	others = slices.DeleteFunc(slices.Clone(transforms), func(t attribution.Transform) bool { return t == transform.IgnoreDirect{} })
	return others, len(others) < len(transforms)
}

// totals is the credit of paths.Channels.
func (e *reporter) totals(ctx context.Context, m attribution.Model) ([]attribution.Credit, error) {
	paths := e.paths
	var err error
	switch m.(type) {
	case attribution.Milestoned:
		return e.milestoned(ctx, m)
	case model.LastNonDirect:
		if e.selection.By != "channel" {
			m, paths, err = e.closing(ctx)
		}
	case attribution.Timed:
		err = e.readTimed(ctx)
		paths = e.timed
	}
	if err != nil {
		return nil, err
	}
	transformed, fold := transform.Apply(paths, e.transforms...)
	fitted, err := m.Fit(transformed)
	if err != nil {
		return nil, err
	}
	return align(fold(fitted).Totals(), paths.Channels, e.paths.Channels), nil
}

// closing returns what makes last_non_direct of journeys whose names do not tell which touches are Direct.
func (e *reporter) closing(ctx context.Context) (attribution.Model, *attribution.Paths, error) {
	s := *e.selection
	s.SkipDirect = true
	paths, err := e.store.SelectedPaths(ctx, &s)
	return model.Last{}, paths, err
}

// align brings credit of some channels into the order of all of them. Both lists are sorted.
func align(credit []attribution.Credit, of, all []string) []attribution.Credit {
	aligned := make([]attribution.Credit, len(all))
	for i, name := range of {
		at, _ := slices.BinarySearch(all, name)
		aligned[at] = credit[i]
	}
	return aligned
}

func (e *reporter) readTimed(ctx context.Context) error {
	if e.timed != nil {
		return nil
	}
	var b attribution.Builder
	var touches []attribution.Channel
	err := e.store.SelectedJourneys(ctx, e.selection, func(j attribution.SelectedJourney) error {
		touches = touches[:0]
		for _, name := range j.Names {
			touches = append(touches, b.Channel(name))
		}
		id, err := b.TimedPath(touches, j.Hours)
		if err != nil {
			return err
		}
		return b.Add(id, 1, float64(j.Value)/1e6, 0)
	})
	e.timed = b.Paths()
	return err
}

// milestoned adds up what single journeys are credited, because paths do not tell their milestones.
func (e *reporter) milestoned(ctx context.Context, m attribution.Model) ([]attribution.Credit, error) {
	transformed, fold := transform.Apply(e.paths, e.transforms...)
	fitted, err := m.Fit(transformed)
	if err != nil {
		return nil, err
	}
	fitted = fold(fitted)
	sums := make([]exactCredit, len(e.paths.Channels))
	var shares, values []int64
	var s attribution.Sequence
	err = e.store.SelectedJourneys(ctx, e.selection, func(j attribution.SelectedJourney) error {
		s = attribution.Sequence{Channels: s.Channels[:0], Hours: j.Hours, Lead: j.Lead, Opportunity: j.Opportunity}
		for _, name := range j.Names {
			at, _ := slices.BinarySearch(e.paths.Channels, name)
			s.Channels = append(s.Channels, attribution.Channel(at)) //nolint:gosec // few channels
		}
		shares = fitted.Shares(shares[:0], s)
		values = splitValue(values[:0], shares, j.Value)
		for i, c := range s.Channels {
			sums[c].add(shares[i], values[i])
		}
		return nil
	})
	credit := make([]attribution.Credit, len(sums))
	for i, sum := range sums {
		credit[i] = sum.credit()
	}
	return credit, err
}

// exactCredit adds up credit without rounding, whatever the order.
type exactCredit struct {
	whole, part int64 // conversions, and units of ShareUnit below one
	value       int64 // millionths
}

func (e *exactCredit) add(share, value int64) {
	e.part += share
	e.whole += e.part / attribution.ShareUnit
	e.part %= attribution.ShareUnit
	e.value += value
}

func (e *exactCredit) credit() attribution.Credit {
	return attribution.Credit{Conversions: float64(e.whole) + float64(e.part)/attribution.ShareUnit, Value: float64(e.value) / 1e6}
}

// splitValue splits millionths by shares. What rounding leaves over is on the first of the largest shares.
func splitValue(dst, shares []int64, value int64) []int64 {
	left, largest := value, 0
	for i, s := range shares {
		part := scale(value, s)
		dst = append(dst, part)
		left -= part
		if s > shares[largest] {
			largest = i
		}
	}
	dst[largest] += left
	return dst
}

// scale is x × share ÷ ShareUnit, rounded down, without overflow; neither may be negative.
func scale(x, share int64) int64 {
	hi, lo := bits.Mul64(uint64(x), uint64(share))
	q, _ := bits.Div64(hi, lo, attribution.ShareUnit)
	return int64(q)
}

// modelReport lists names by their credit, and Unattributed where there is such a conversion.
func modelReport(model string, names []string, totals []attribution.Credit, c attribution.Coverage) ModelReport {
	r := ModelReport{Model: model}
	for i, credit := range totals {
		r.Names = append(r.Names, NameCredit{names[i], credit})
	}
	if c.Unattributed > 0 {
		r.Names = append(r.Names, NameCredit{attribution.Unattributed, attribution.Credit{
			Conversions: float64(c.Unattributed), Value: float64(c.UnattributedValue) / 1e6,
		}})
	}
	slices.SortStableFunc(r.Names, func(a, b NameCredit) int {
		return cmp.Or(cmp.Compare(b.Conversions, a.Conversions), cmp.Compare(a.Name, b.Name))
	})
	return r
}

// checkReport compares with what was counted apart from the models, to 1e-9.
func checkReport(r ModelReport, c attribution.Coverage) error {
	var sum attribution.Credit
	for _, n := range r.Names {
		sum.Conversions += n.Conversions
		sum.Value += n.Value
	}
	want := attribution.Credit{Conversions: float64(c.Conversions), Value: float64(c.Value) / 1e6}
	if !negligible(want.Conversions-sum.Conversions, want.Conversions) || !negligible(want.Value-sum.Value, want.Value) {
		return fmt.Errorf("model %s credits %v conversions worth %v of %v worth %v: the credit must add up",
			r.Model, sum.Conversions, sum.Value, want.Conversions, want.Value)
	}
	return nil
}
