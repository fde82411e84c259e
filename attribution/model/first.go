package model

import "github.com/touchline-hq/touchline/attribution"

// First gives all credit to the first touch of a journey: what made the customer aware. It is the "first click" rule,
// one of the heuristics that Shao and Li, "Data-driven multi-touch attribution models", KDD 2011, measure models against.
type First struct{}

var _ attribution.Model = First{}

// Name is "first".
func (First) Name() string { return "first" }

// Fit adds up; it cannot fail.
func (First) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	t := make(totals, len(paths.Channels))
	for _, row := range paths.Rows {
		t.add(row.Touches[0], row.Conversions, row.Value)
	}
	return first{t}, nil
}

type first struct{ totals }

func (first) Shares(dst []int64, s attribution.Sequence) []int64 {
	dst = resize(dst, len(s.Channels))
	if len(dst) > 0 {
		dst[0] = attribution.ShareUnit
	}
	return dst
}
