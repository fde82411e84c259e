package model

import (
	"math"
	"slices"
	"testing"

	"github.com/touchline-hq/touchline/attribution"
)

func TestTimeDecayTotals(t *testing.T) {
	lines := []line{
		{path: []string{"a", "b"}, hours: []float64{168, 0}, conversions: 3, value: 30},          // 1 : 2
		{path: []string{"a", "b"}, hours: []float64{1000, 1000 - 336}, conversions: 5},           // 1 : 4, however long ago
		{path: []string{"a"}, hours: []float64{attribution.MaxNumber}, conversions: 1, value: 7}, // all there is
		{path: []string{"b", "a"}, hours: []float64{attribution.MaxNumber, 0}, conversions: 1},   // too old to count
	}
	for c, got := range fit(t, TimeDecay{}, build(t, lines)).Totals() {
		// a: 1 + 1 + 1 + 1, b: 2 + 4.
		if want := credits(4, 17, 6, 20)[c]; !near(got.Conversions, want.Conversions) || !near(got.Value, want.Value) {
			t.Errorf("%d: %v, want %v", c, got, want)
		}
	}
}

// Ages are exact: to the fraction of an hour, not by days.
func TestTimeDecayExactAges(t *testing.T) {
	f := fit(t, TimeDecay{HalfLife: 24}, build(t, []line{{path: []string{"a"}, conversions: 1}}))
	older := math.Exp2(-1.5 / 24)
	want := int64(older / (1 + older) * attribution.ShareUnit)
	if got := f.Shares(nil, attribution.Sequence{Channels: make([]attribution.Channel, 2), Hours: []float64{2.25, 0.75}}); !slices.Equal(got, []int64{want, attribution.ShareUnit - want}) {
		t.Errorf("%v, want %v for the older", got, want)
	}
}

func TestTimeDecayErrors(t *testing.T) {
	var b attribution.Builder
	path, err := b.Path([]attribution.Channel{b.Channel("a")})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add(path, 1, 0, 0); err != nil {
		t.Fatal(err)
	}
	untimed := b.Paths()
	for _, tt := range []struct {
		model TimeDecay
		want  string
	}{
		{TimeDecay{}, "time_decay: the paths have no hours; it needs those of each touch before the journey's end, in a column hours"},
		{TimeDecay{-1}, "time_decay: a half-life of -1 hours is not above 0 and up to 1e+12"},
		{TimeDecay{math.Inf(1)}, "time_decay: a half-life of +Inf hours is not above 0 and up to 1e+12"},
	} {
		if _, err := tt.model.Fit(untimed); err == nil || err.Error() != tt.want {
			t.Errorf("%v: %v, want %s", tt.model, err, tt.want)
		}
	}
}
