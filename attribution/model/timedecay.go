package model

import (
	"errors"
	"fmt"
	"math"

	"github.com/touchline-hq/touchline/attribution"
)

// TimeDecay gives a touch half as much credit as one a half-life later: 0.5^(age ÷ half-life), divided by the sum over
// the journey. An age is the exact time before the journey's end, not whole days.
type TimeDecay struct {
	// HalfLife is in hours. 0 means 168: a week.
	HalfLife float64
}

var _ attribution.Timed = TimeDecay{}

// Name is "time_decay".
func (TimeDecay) Name() string { return "time_decay" }

// Timed says that paths need hours.
func (TimeDecay) Timed() {}

// Fit adds up. The error is about the half-life, or about paths without hours.
func (m TimeDecay) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	if m.HalfLife == 0 {
		m.HalfLife = 7 * 24
	}
	if !(m.HalfLife > 0 && m.HalfLife <= attribution.MaxNumber) {
		return nil, fmt.Errorf("time_decay: a half-life of %v hours is not above 0 and up to %v", m.HalfLife, attribution.MaxNumber)
	}
	f := timeDecay{make(totals, len(paths.Channels)), m.HalfLife}
	for _, row := range paths.Rows {
		if row.Hours == nil {
			return nil, errors.New("time_decay: the paths have no hours; it needs those of each touch before the journey's end, in a column hours")
		}
		all := f.sum(row.Hours)
		for i, c := range row.Touches {
			part := f.weight(row.Hours, i) / all
			f.add(c, row.Conversions*part, row.Value*part)
		}
	}
	return f, nil
}

type timeDecay struct {
	totals
	halfLife float64
}

// weight is that of touch i, as part of the last touch's: so there is a weight above 0, however old all of them are.
func (f timeDecay) weight(hours []float64, i int) float64 {
	return math.Exp2((hours[len(hours)-1] - hours[i]) / f.halfLife)
}

func (f timeDecay) sum(hours []float64) float64 {
	sum := 0.0
	for i := range hours {
		sum += f.weight(hours, i)
	}
	return sum
}

func (f timeDecay) Shares(dst []int64, s attribution.Sequence) []int64 {
	dst = resize(dst, len(s.Channels))
	if len(dst) == 0 {
		return dst
	}
	all := f.sum(s.Hours)
	for i := range dst {
		dst[i] = int64(f.weight(s.Hours, i) / all * attribution.ShareUnit)
	}
	return settle(dst)
}
