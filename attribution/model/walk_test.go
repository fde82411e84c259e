package model

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
)

// within is without for walks of so many steps, by a power of the whole transition matrix. Its places are the start,
// the states, one conversion for each state that a walk may end in, and null.
func (d *definition) within(c, steps int) attribution.Credit {
	n := len(d.states)
	all := 0.0
	for _, flow := range d.start {
		all += flow
	}
	step := make([][]float64, 2*n+2)
	for i := range step {
		step[i] = make([]float64, 2*n+2)
	}
	step[2*n+1][2*n+1] = 1
	for i, state := range d.states {
		step[0][1+i] = d.start[state] / all
		step[1+n+i][1+n+i] = 1
		if strings.Contains(state, fmt.Sprintf("|%d|", c)) {
			step[1+i][2*n+1] = 1
			continue
		}
		rest := 1.0
		for j, next := range d.states {
			step[1+i][1+j] = d.steps[state][next] / d.leaving[state]
			rest -= step[1+i][1+j]
		}
		step[1+i][1+n+i] = d.ended[state].Conversions / d.leaving[state]
		step[1+i][2*n+1] = rest - step[1+i][1+n+i]
	}
	var expected attribution.Credit
	walked := power(step, steps)
	for i, state := range d.states {
		p := walked[0][1+n+i]
		expected.Conversions += p
		if e := d.ended[state]; e.Conversions > 0 {
			expected.Value += p * e.Value / e.Conversions
		}
	}
	return expected
}

// power is a matrix to the power of n, by squaring.
func power(m [][]float64, n int) [][]float64 {
	if n == 1 {
		return m
	}
	half := power(m, n/2)
	p := multiply(half, half)
	if n%2 == 1 {
		p = multiply(p, m)
	}
	return p
}

func multiply(a, b [][]float64) [][]float64 {
	product := make([][]float64, len(a))
	for i := range a {
		product[i] = make([]float64, len(b[0]))
		for k, x := range a[i] {
			for j, y := range b[k] {
				product[i][j] += x * y
			}
		}
	}
	return product
}

func TestWalksAgainstMatrixPowers(t *testing.T) {
	for order := 1; order <= MaxOrder; order++ {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				p := drawPaths(t, rt)
				d := define(p, order)
				steps := rapid.OneOf(rapid.IntRange(1, 12), rapid.IntRange(13, 300)).Draw(rt, "steps")
				with := d.within(-1, steps)
				x, err := Markov{Order: order, MaxSteps: steps}.Explain(p)
				if with.Conversions == 0 || p.Value > 0 && with.Value == 0 {
					if err == nil {
						rt.Fatalf("nothing converts within %d steps, but %+v", steps, x)
					}
					return
				}
				if err != nil {
					rt.Fatal(err)
				}
				if math.Abs(x.Conversion-with.Conversions) > 1e-12 {
					rt.Errorf("P(conversion) is %v, want %v", x.Conversion, with.Conversions)
				}
				for c, got := range x.Removal {
					without := d.within(c, steps)
					want := attribution.Credit{Conversions: 1 - without.Conversions/with.Conversions}
					if with.Value > 0 {
						want.Value = 1 - without.Value/with.Value
					}
					if math.Abs(got.Conversions-want.Conversions) > 1e-9 || math.Abs(got.Value-want.Value) > 1e-9 {
						rt.Errorf("%s within %d steps: removal effects %v, want %v", p.Channels[c], steps, got, want)
					}
				}
			})
		})
	}
}

// After many steps walks have ended, so the limit makes no difference, and following them stops.
func TestWalksOfManySteps(t *testing.T) {
	p := build(t, random(t, 11, 500)) // two groups of channels
	for order := 1; order <= 2; order++ {
		want := fit(t, Markov{Order: order}, p).Totals()
		for c, got := range fit(t, Markov{Order: order, MaxSteps: math.MaxInt}, p).Totals() {
			if !near(got.Conversions, want[c].Conversions) || !near(got.Value, want[c].Value) {
				t.Errorf("order %d, %s: %v, without a limit %v", order, p.Channels[c], got, want[c])
			}
		}
	}
}

// AutoSteps counts the states of the longest journey: repetitions collapse, to order 2 its pairs are the states.
func TestAutoSteps(t *testing.T) {
	p := build(t, parse(t, "a > a > b > a > b > b,1,1,0\na,1,2,3\nb > a,0,0,1"))
	for order, steps := range map[int]int{1: 5, 2: 6, 3: 5} {
		got, err := Markov{Order: order, MaxSteps: AutoSteps}.Explain(p)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Markov{Order: order, MaxSteps: steps}.Explain(p)
		if err != nil {
			t.Fatal(err)
		}
		more, err := Markov{Order: order, MaxSteps: steps + 1}.Explain(p)
		if err != nil {
			t.Fatal(err)
		}
		if got.Conversion != want.Conversion {
			t.Errorf("order %d: P(conversion) %v, after %d steps %v", order, got.Conversion, steps, want.Conversion)
		}
		if order == 1 && got.Conversion >= more.Conversion {
			t.Errorf("P(conversion) %v, after another step %v", got.Conversion, more.Conversion)
		}
	}
}

func TestWalkErrors(t *testing.T) {
	for _, tt := range []struct {
		steps int
		lines []line
		want  string
	}{
		{-2, nil, "markov: -2 steps are too few; 0 means without a limit"},
		{1, parse(t, "a,1,1,0"), "markov: order 1: no walk converts within 1 steps; allow more"},
		{2, parse(t, "a > b,1,1,0"), "markov: order 1: no walk converts within 2 steps; allow more"},
		{2, parse(t, "a,1,0,0\na > b,1,1,0"), "markov: order 1: no walk that is worth anything converts within 2 steps; allow more"},
	} {
		if _, err := (Markov{MaxSteps: tt.steps}).Fit(build(t, tt.lines)); err == nil || err.Error() != tt.want {
			t.Errorf("%d steps: %v, want %s", tt.steps, err, tt.want)
		}
	}
}

// Walks to and fro that hardly ever end are followed only so far.
func TestWalksThatDoNotEnd(t *testing.T) {
	ch := newChain(build(t, longWalk(50_000)), 1)
	if _, err := ch.walk(1000, 10_000); err != nil { // 3 states, 3 edges
		t.Error(err)
	}
	_, err := ch.walk(math.MaxInt, 10_000)
	if want := "walks of a chain of 3 states are under way after 1667 steps: too many to follow; use a lower order, " +
		"fewer steps, or no limit to them"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
