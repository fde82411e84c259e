package model

import (
	"math"
	"slices"
	"testing"

	"github.com/touchline-hq/touchline/attribution"
)

func TestPositionShares(t *testing.T) {
	const all = attribution.ShareUnit
	for _, tt := range []struct {
		model   Position
		touches int
		want    []int64
	}{
		{Position{}, 1, []int64{all}},
		{Position{}, 2, []int64{all / 2, all / 2}},
		{Position{}, 3, []int64{all / 10 * 4, all / 10 * 2, all / 10 * 4}},
		{Position{}, 5, []int64{all / 10 * 4, 66_666_666_666, 66_666_666_666, 66_666_666_666, all/10*4 + 2}},
		{Position{First: 0.6, Last: 0.2}, 2, []int64{all / 4 * 3, all / 4}},
		{Position{First: 1}, 2, []int64{all, 0}},
		{Position{Last: 1}, 3, []int64{0, 0, all}},
		{Position{First: 0.2}, 1, []int64{all}},
		{Position{First: 0.5, Last: 0.5}, 3, []int64{all / 2, 0, all / 2}},
		{Position{First: 0.5000000000005, Last: 0.4999999999995}, 3, []int64{all / 2, 0, all / 2}}, // both round up
		{Position{First: 1. / 3, Last: 2. / 3}, 3, []int64{333_333_333_333, 0, 666_666_666_667}},
	} {
		f := fit(t, tt.model, build(t, parse(t, "a,1,1,0")))
		if got := f.Shares(nil, attribution.Sequence{Channels: make([]attribution.Channel, tt.touches)}); !slices.Equal(got, tt.want) {
			t.Errorf("%+v, %d touches: %v, want %v", tt.model, tt.touches, got, tt.want)
		}
	}
}

func TestPositionErrors(t *testing.T) {
	for m, want := range map[Position]string{
		{First: 0.7, Last: 0.4}:  "position: 0.7 for the first and 0.4 for the last touch are not two parts of 1",
		{First: -0.1, Last: 0.4}: "position: -0.1 for the first and 0.4 for the last touch are not two parts of 1",
		{Last: math.Inf(1)}:      "position: 0 for the first and +Inf for the last touch are not two parts of 1",
	} {
		if _, err := m.Fit(build(t, nil)); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", m, err, want)
		}
	}
	if _, err := (Position{First: math.NaN()}).Fit(build(t, nil)); err == nil {
		t.Error("NaN passes")
	}
}
