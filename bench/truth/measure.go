package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/bench/simulate"
)

// result is what came of one generator.
type result struct {
	generator, decision string

	conversions, anyway, lost int // over all seeds; lost are those lost by switching off one channel at a time

	channels []string
	truth    []float64 // share of each channel, the mean over the seeds
	scores   []score   // the closest first
}

// score is how one model does.
type score struct {
	model     string
	distances []float64 // from the truth, by seed
	shares    []float64 // credit of each channel as a part of all, the mean over the seeds
}

func (s score) distance() float64 { return mean(s.distances) }

// sample is one run of a generator.
type sample struct {
	truth  simulate.Truth
	shares [][]float64 // credit of each model's channels, as a part of all, in the order of the truth
}

// models are those that can be fitted to paths: milestones are not in them.
func models() []attribution.Model {
	return slices.DeleteFunc(model.All(), func(m attribution.Model) bool {
		_, milestoned := m.(interface{ Milestoned() })
		return milestoned
	})
}

// measure runs every generator with the seeds from 1 on.
func measure(ctx context.Context, seeds, people int) ([]result, error) {
	samples := make([][]sample, len(simulate.Generators(0, 0)))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for g := range samples {
		samples[g] = make([]sample, seeds)
		for i := range seeds {
			group.Go(func() (err error) {
				if err = ctx.Err(); err == nil {
					samples[g][i], err = draw(simulate.Generators(uint64(i)+1, people)[g]) //nolint:gosec // not negative
				}
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var results []result
	for g, generator := range simulate.Generators(0, 0) {
		results = append(results, newResult(generator, samples[g]))
	}
	return results, nil
}

// draw runs a generator and fits every model to its journeys.
func draw(g *simulate.Generator) (sample, error) {
	paths, truth, err := g.Run()
	if err != nil {
		return sample{}, err
	}
	if !slices.ContainsFunc(truth.Channels, func(c simulate.ChannelTruth) bool { return c.Caused > 0 }) {
		return sample{}, fmt.Errorf("%s: no channel has caused anything, so that there are no shares; give more -people", g.Name)
	}
	s := sample{truth: truth}
	for _, m := range models() {
		fitted, err := m.Fit(paths)
		if err != nil {
			return sample{}, fmt.Errorf("%s: %w", g.Name, err)
		}
		shares := make([]float64, len(truth.Channels))
		for i, c := range truth.Channels {
			if at, touched := slices.BinarySearch(paths.Channels, c.Channel); touched {
				shares[i] = fitted.Totals()[at].Conversions / paths.Conversions
			}
		}
		s.shares = append(s.shares, shares)
	}
	return s, nil
}

// newResult puts the samples of one generator together.
func newResult(g *simulate.Generator, samples []sample) result {
	r := result{generator: g.Name, decision: g.Decision}
	var truths [][]float64
	for _, s := range samples {
		r.conversions += s.truth.Conversions
		r.anyway += s.truth.Anyway
		truth := make([]float64, len(s.truth.Channels))
		for i, c := range s.truth.Channels {
			truth[i] = c.Share
			r.lost += c.Caused
		}
		truths = append(truths, truth)
	}
	for _, c := range samples[0].truth.Channels {
		r.channels = append(r.channels, c.Channel)
	}
	r.truth = means(truths)
	for i, m := range models() {
		s := score{model: m.Name()}
		var shares [][]float64
		for j := range samples {
			shares = append(shares, samples[j].shares[i])
			s.distances = append(s.distances, distance(samples[j].shares[i], truths[j]))
		}
		s.shares = means(shares)
		r.scores = append(r.scores, s)
	}
	slices.SortStableFunc(r.scores, func(a, b score) int { return cmp.Compare(a.distance(), b.distance()) })
	return r
}

// distance is the total variation between two ways to share one whole: the part of it that is in the wrong place.
func distance(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += math.Abs(a[i]-b[i]) / 2
	}
	return sum
}

func mean(list []float64) float64 {
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return sum / float64(len(list))
}

// means is the mean of each column.
func means(rows [][]float64) []float64 {
	columns := make([]float64, len(rows[0]))
	for i := range columns {
		for _, row := range rows {
			columns[i] += row[i] / float64(len(rows))
		}
	}
	return columns
}
