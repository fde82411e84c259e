package model

import (
	"fmt"
	"math"

	"github.com/touchline-hq/touchline/attribution"
)

// Position gives the first and the last touch of a journey most of the credit, and what is left to those in between,
// evenly. Two touches share in the proportion of the two, one touch has it all. With 40, 20 and 40 per cent it is the
// "U-shaped" or "position-based" rule.
type Position struct {
	// First and Last are parts of 1, together at most 1. Both 0 mean 0.4 each.
	First, Last float64
}

var _ attribution.Model = Position{}

// Name is "position".
func (Position) Name() string { return "position" }

// Fit adds up. The error is about First and Last.
func (m Position) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	if m == (Position{}) {
		m = Position{0.4, 0.4}
	}
	if !(m.First >= 0 && m.Last >= 0 && m.First+m.Last <= 1) {
		return nil, fmt.Errorf("position: %v for the first and %v for the last touch are not two parts of 1", m.First, m.Last)
	}
	f := position{make(totals, len(paths.Channels)), m}
	for _, row := range paths.Rows {
		first, inner, last := m.split(len(row.Touches))
		end := len(row.Touches) - 1
		f.add(row.Touches[0], row.Conversions*first, row.Value*first)
		for _, c := range row.Touches[min(1, end):end] {
			f.add(c, row.Conversions*inner, row.Value*inner)
		}
		f.add(row.Touches[end], row.Conversions*last, row.Value*last)
	}
	return f, nil
}

// split returns the parts of the first touch of n, of each one in between, and of the last. One touch is the last.
func (m Position) split(n int) (first, inner, last float64) {
	switch n {
	case 1:
		return 0, 0, 1
	case 2:
		first = m.First / (m.First + m.Last)
		return first, 0, 1 - first
	default:
		return m.First, (1 - (m.First + m.Last)) / float64(n-2), m.Last
	}
}

type position struct {
	totals
	weights Position
}

func (f position) Shares(dst []int64, s attribution.Sequence) []int64 {
	dst = resize(dst, len(s.Channels))
	if len(dst) == 0 {
		return dst
	}
	first, _, last := f.weights.split(len(dst))
	left, right := int64(math.Round(first*attribution.ShareUnit)), int64(math.Round(last*attribution.ShareUnit))
	for i := range dst {
		dst[i] = max(attribution.ShareUnit-left-right, 0) / int64(max(len(dst)-2, 1))
	}
	dst[0] = left
	dst[len(dst)-1] = right // of one touch the only part
	return settle(dst)
}
