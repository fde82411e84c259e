package model

import "github.com/touchline-hq/touchline/attribution"

// Shapley gives each channel its Shapley value in the game in which a set of channels is worth the conversions of the
// journeys whose channels all lie within the set. That value has a closed form: every conversion is split evenly over
// the distinct channels of its journey (Zhao, Mahboobi and Bagheri, "Shapley Value Methods for Attribution Modeling in
// Online Advertising", 2018), so it is exact and takes one look at each touch. Within a channel a conversion is split
// evenly over its touches. Journeys without a conversion play no part.
type Shapley struct{}

var _ attribution.Model = Shapley{}

// Name is "shapley".
func (Shapley) Name() string { return "shapley" }

// Fit adds up; it cannot fail.
func (Shapley) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	t := make(totals, len(paths.Channels))
	seen := make([]int, len(paths.Channels)) // the last row that touched the channel, counted from 1
	var distinct []attribution.Channel
	for i, row := range paths.Rows {
		distinct = distinct[:0]
		for _, c := range row.Touches {
			if seen[c] != i+1 {
				seen[c] = i + 1
				distinct = append(distinct, c)
			}
		}
		n := float64(len(distinct))
		for _, c := range distinct {
			t.add(c, row.Conversions/n, row.Value/n)
		}
	}
	return shapley{t}, nil
}

type shapley struct{ totals }

func (f shapley) Shares(dst []int64, s attribution.Sequence) []int64 {
	dst = resize(dst, len(s.Channels))
	if len(dst) == 0 {
		return dst
	}
	var few [64]int64
	touched := few[:] // how often each channel is touched
	if len(f.totals) > len(few) {
		touched = make([]int64, len(f.totals))
	}
	distinct := int64(0)
	for _, c := range s.Channels {
		if touched[c] == 0 {
			distinct++
		}
		touched[c]++
	}
	for i, c := range s.Channels {
		dst[i] = attribution.ShareUnit / (distinct * touched[c])
	}
	return settle(dst)
}
