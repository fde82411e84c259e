package model

import "github.com/touchline-hq/touchline/attribution"

// Last gives all credit to the last touch of a journey: what closed the deal. It is the "last click" rule, the
// industry's habit that Shao and Li, "Data-driven multi-touch attribution models", KDD 2011, measure models against.
type Last struct{}

var _ attribution.Model = Last{}

// Name is "last".
func (Last) Name() string { return "last" }

// Fit adds up; it cannot fail.
func (Last) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	t := make(totals, len(paths.Channels))
	for _, row := range paths.Rows {
		t.add(row.Touches[len(row.Touches)-1], row.Conversions, row.Value)
	}
	return last{t}, nil
}

type last struct{ totals }

func (last) Shares(dst []int64, s attribution.Sequence) []int64 {
	dst = resize(dst, len(s.Channels))
	if len(dst) > 0 {
		dst[len(dst)-1] = attribution.ShareUnit
	}
	return dst
}
