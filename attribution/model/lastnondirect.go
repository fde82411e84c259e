package model

import (
	"slices"

	"github.com/touchline-hq/touchline/attribution"
)

// LastNonDirect gives all credit to the last touch of a journey whose channel is not Direct: what closed the deal, as
// far as anybody knows. A journey of Direct touches only leaves it to the last of them. It is what web analytics has
// long meant by a visit's source.
type LastNonDirect struct{}

var _ attribution.Model = LastNonDirect{}

// Name is "last_non_direct".
func (LastNonDirect) Name() string { return "last_non_direct" }

// Fit adds up; it cannot fail.
func (LastNonDirect) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	f := lastNonDirect{make(totals, len(paths.Channels)), make([]bool, len(paths.Channels))}
	for i := range f.direct {
		f.direct[i] = paths.Origin(attribution.Channel(i)) == attribution.Direct //nolint:gosec // an index of Channels
	}
	for _, row := range paths.Rows {
		f.add(row.Touches[f.closing(row.Touches)], row.Conversions, row.Value)
	}
	return f, nil
}

type lastNonDirect struct {
	totals
	direct []bool // which channels are
}

// closing is the position of the touch that gets the credit.
func (f lastNonDirect) closing(touches []attribution.Channel) int {
	for i, c := range slices.Backward(touches) {
		if !f.direct[c] {
			return i
		}
	}
	return len(touches) - 1
}

func (f lastNonDirect) Shares(dst []int64, s attribution.Sequence) []int64 {
	dst = resize(dst, len(s.Channels))
	if len(dst) > 0 {
		dst[f.closing(s.Channels)] = attribution.ShareUnit
	}
	return dst
}
