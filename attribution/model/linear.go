package model

import "github.com/touchline-hq/touchline/attribution"

// Linear gives every touch of a journey the same credit: a channel with two touches of three gets two thirds. It is the
// "linear touch" heuristic of the R package ChannelAttribution (Altomare and Loris).
type Linear struct{}

var _ attribution.Model = Linear{}

// Name is "linear".
func (Linear) Name() string { return "linear" }

// Fit adds up; it cannot fail.
func (Linear) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	t := make(totals, len(paths.Channels))
	for _, row := range paths.Rows {
		n := float64(len(row.Touches))
		conversions, value := row.Conversions/n, row.Value/n
		for _, c := range row.Touches {
			t.add(c, conversions, value)
		}
	}
	return linear{t}, nil
}

type linear struct{ totals }

func (linear) Shares(dst []int64, s attribution.Sequence) []int64 {
	return equalShares(resize(dst, len(s.Channels)))
}

// equalShares fills shares with one and the same, but for the rest.
func equalShares(shares []int64) []int64 {
	if len(shares) == 0 {
		return shares
	}
	for i := range shares {
		shares[i] = attribution.ShareUnit / int64(len(shares))
	}
	return settle(shares)
}
