package main

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/attribution/model"
)

const fewPeople = 1000

func report(t *testing.T) string {
	t.Helper()
	results, err := measure(t.Context(), 2, fewPeople)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, r := range results {
		if err := r.print(&out); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// However many runs are under way at once, the same seeds print the same.
func TestSameSeedsSameReport(t *testing.T) {
	first := report(t)
	if second := report(t); second != first {
		t.Errorf("prints\n%s\nand then\n%s", first, second)
	}
	for _, g := range []string{"additive: ", "synergy: ", "harvesting: "} {
		if strings.Count(first, g) != 1 {
			t.Errorf("no %sin\n%s", g, first)
		}
	}
}

func TestSharesAreOfOneWhole(t *testing.T) {
	results, err := measure(t.Context(), 2, fewPeople)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		lists := [][]float64{r.truth}
		var names []string
		for _, s := range r.scores {
			lists, names = append(lists, s.shares), append(names, s.model)
			if s.distance() < slices.Min(s.distances) || s.distance() > slices.Max(s.distances) || s.distance() > 1 {
				t.Errorf("%s, %s: distances %v", r.generator, s.model, s.distances)
			}
		}
		for _, list := range lists {
			if sum := mean(list) * float64(len(r.channels)); math.Abs(sum-1) > 1e-9 {
				t.Errorf("%s: shares %v sum to %f", r.generator, list, sum)
			}
		}
		if len(names) < 8 || !slices.Contains(names, "last") || !slices.Contains(names, "time_decay") {
			t.Errorf("%s: models %v", r.generator, names)
		}
		for i, s := range r.scores[1:] {
			if s.distance() < r.scores[i].distance() {
				t.Errorf("%s: %s before %s", r.generator, r.scores[i].model, s.model)
			}
		}
	}
	if len(results) != 3 || len(models()) > len(model.All()) {
		t.Errorf("%d generators, %d models", len(results), len(models()))
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{0.5, 0.5}, []float64{0.5, 0.5}, 0},
		{[]float64{1, 0, 0}, []float64{0, 0.5, 0.5}, 1},
		{[]float64{0.6, 0.3, 0.1}, []float64{0.2, 0.3, 0.5}, 0.4},
	} {
		if got := distance(tt.a, tt.b); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%v to %v: %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestPrint(t *testing.T) {
	r := result{
		generator: "example", decision: "by the toss of a coin", conversions: 2000, anyway: 500, lost: 1800,
		channels: []string{"Email", "Direct", "Display"}, truth: []float64{0.5, 0.1, 0.4},
		scores: []score{
			{"linear", []float64{0.1, 0.2}, []float64{0.6, 0.15, 0.25}},
			{"last", []float64{0.4, 0.4}, []float64{0.3, 0.5, 0.2}},
			{"first", []float64{0.5, 0.6}, []float64{1, 0, 0}},
		},
	}
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	want := `example: by the toss of a coin
2,000 conversions; 25 % of them happen without any channel; switched off one at a time, channels lose 90 %

  model   distance  least   most  too much to      %  true %  too little to     %  true %
  linear     0.150  0.100  0.200        Email   60.0    50.0        Display  25.0    40.0
  last       0.400  0.400  0.400       Direct   50.0    10.0          Email  30.0    50.0
  first      0.550  0.500  0.600        Email  100.0    50.0        Display   0.0    40.0

closest: linear; farther from the truth than last: first

`
	if out.String() != want {
		t.Errorf("prints\n%s\nwant\n%s", out.String(), want)
	}
	r.scores = r.scores[:2]
	out.Reset()
	if err := r.print(&out); err != nil || !strings.Contains(out.String(), "than last: none\n") {
		t.Errorf("%v, prints\n%s", err, out.String())
	}
}

func TestTooFewPeople(t *testing.T) {
	if _, err := measure(t.Context(), 1, 1); err == nil || !strings.Contains(err.Error(), "give more -people") {
		t.Errorf("%v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := measure(ctx, 1, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
