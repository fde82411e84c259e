package model

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
)

// The example that tutorials on Markov attribution work out by hand: of three journeys one converts, so P(conversion)
// is 1/3; without C1 half of that is left, without C2 or C3 nothing; 0.5 : 1 : 1 is 0.2, 0.4, 0.4.
func TestMarkovTextbook(t *testing.T) {
	p := build(t, parse(t, "C1 > C2 > C3,1,1,0\nC1,0,0,1\nC2 > C3,0,0,1"))
	lost, err := newChain(p, 1).solve() // of one conversion with the value 1: the removal effects themselves
	if want := credits(0.5, 0.5, 1, 1, 1, 1); err != nil || !slices.Equal(lost, want) {
		t.Errorf("removal effects %v, %v, want %v", lost, err, want)
	}
	if got, want := fit(t, Markov{}, p).Totals(), credits(0.2, 0.2, 0.4, 0.4, 0.4, 0.4); !slices.Equal(got, want) {
		t.Errorf("credit %v, want %v", got, want)
	}
}

// Equal consecutive states collapse, of order 2 only from the third repetition on; a shorter path is a state of its own.
func TestMarkovStates(t *testing.T) {
	p := build(t, parse(t, "a > a > a > b,1,1,0\na,1,1,0"))
	for order, want := range map[int][]uint64{1: {1, 2}, 2: {0b01, 0b0101, 0b0110}, 3: {0b01, 0b010101, 0b010110}} {
		if got := newChain(p, order).states; !slices.Equal(got, want) {
			t.Errorf("order %d: states %b, want %b", order, got, want)
		}
	}
}

// definition is the removal effects as the doc comment of Markov defines them, computed in the plainest way: forward,
// by Gaussian elimination with pivoting, once for every channel.
type definition struct {
	order   int
	states  []string // channels of the tuple, each between bars
	start   map[string]float64
	steps   map[string]map[string]float64
	ended   map[string]attribution.Credit
	leaving map[string]float64
	longest int // states of a walk
}

func define(p *attribution.Paths, order int) *definition {
	d := &definition{
		order: order, start: map[string]float64{}, steps: map[string]map[string]float64{},
		ended: map[string]attribution.Credit{}, leaving: map[string]float64{},
	}
	for _, row := range p.Rows {
		var walk []string
		for i := range max(1, len(row.Touches)-order+1) {
			state := "|"
			for _, c := range row.Touches[i:min(i+order, len(row.Touches))] {
				state += fmt.Sprint(c) + "|"
			}
			walk = append(walk, state)
		}
		walk = slices.Compact(walk)
		d.longest = max(d.longest, len(walk))
		weight := row.Conversions + row.Nulls
		d.start[walk[0]] += weight
		for i, state := range walk {
			if d.steps[state] == nil {
				d.steps[state] = map[string]float64{}
				d.states = append(d.states, state)
			}
			d.leaving[state] += weight
			if i > 0 {
				d.steps[walk[i-1]][state] += weight
			}
		}
		end := walk[len(walk)-1]
		e := d.ended[end]
		d.ended[end] = attribution.Credit{Conversions: e.Conversions + row.Conversions, Value: e.Value + row.Value}
	}
	return d
}

// without returns what the chain expects of a walk when states that hold channel c lead to null; c < 0 removes none.
func (d *definition) without(c int) attribution.Credit {
	n := len(d.states)
	conversion, value := make([][]float64, n), make([][]float64, n)
	for i, state := range d.states {
		conversion[i], value[i] = make([]float64, n+1), make([]float64, n+1)
		conversion[i][i], value[i][i] = 1, 1
		if strings.Contains(state, fmt.Sprintf("|%d|", c)) {
			continue
		}
		for j, next := range d.states {
			conversion[i][j] -= d.steps[state][next] / d.leaving[state]
			value[i][j] = conversion[i][j]
		}
		if e := d.ended[state]; e.Conversions > 0 {
			conversion[i][n] = e.Conversions / d.leaving[state]
			value[i][n] = conversion[i][n] * (e.Value / e.Conversions)
		}
	}
	var expected attribution.Credit
	all := 0.0
	converts, earns := gauss(conversion), gauss(value)
	for i, state := range d.states {
		all += d.start[state]
		expected.Conversions += d.start[state] * converts[i]
		expected.Value += d.start[state] * earns[i]
	}
	return attribution.Credit{Conversions: expected.Conversions / all, Value: expected.Value / all}
}

func (d *definition) effect(c int) attribution.Credit {
	with, without := d.without(-1), d.without(c)
	var effect attribution.Credit
	if with.Conversions > 0 {
		effect.Conversions = 1 - without.Conversions/with.Conversions
	}
	if with.Value > 0 {
		effect.Value = 1 - without.Value/with.Value
	}
	return effect
}

// gauss solves a system of equations; the last column is the right-hand side.
func gauss(a [][]float64) []float64 {
	n := len(a)
	for k := range n {
		pivot := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i][k]) > math.Abs(a[pivot][k]) {
				pivot = i
			}
		}
		a[k], a[pivot] = a[pivot], a[k]
		for i := range n {
			if i == k || a[i][k] == 0 {
				continue
			}
			f := a[i][k] / a[k][k]
			for j := k; j <= n; j++ {
				a[i][j] -= f * a[k][j]
			}
		}
	}
	x := make([]float64, n)
	for i := range a {
		x[i] = a[i][n] / a[i][i]
	}
	return x
}

// drawPaths returns paths on which something happened.
func drawPaths(t testing.TB, rt *rapid.T) *attribution.Paths {
	p := build(t, drawLines(rt, 1))
	if p.Conversions == 0 {
		return build(t, parse(t, "a > b,1,2,3"))
	}
	return p
}

func TestMarkovAgainstDefinition(t *testing.T) {
	for order := 1; order <= MaxOrder; order++ {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				p := drawPaths(t, rt)
				ch, d := newChain(p, order), define(p, order)
				swept, err := ch.sweep(maxSweeps)
				if err != nil {
					rt.Fatal(err)
				}
				for c, eliminated := range ch.eliminate() {
					want := d.effect(c)
					want.Conversions *= p.Conversions
					want.Value *= p.Value
					for by, got := range map[string]attribution.Credit{"elimination": eliminated, "sweeping": swept[c]} {
						if math.Abs(got.Conversions-want.Conversions) > 1e-11*p.Conversions ||
							math.Abs(got.Value-want.Value) > 1e-11*p.Value {
							rt.Errorf("%s, %s: lost %v, by the definition %v", p.Channels[c], by, got, want)
						}
					}
				}
			})
		})
	}
}

// credit is that of each channel, within a number of steps; 0 is without a limit.
func (d *definition) credit(p *attribution.Paths, steps int) []attribution.Credit {
	expected := func(c int) attribution.Credit {
		if steps == 0 {
			return d.without(c)
		}
		return d.within(c, steps)
	}
	with := expected(-1)
	effects := make([]attribution.Credit, len(p.Channels))
	var sum attribution.Credit
	for c := range effects {
		without := expected(c)
		effects[c].Conversions = 1 - without.Conversions/with.Conversions
		if with.Value > 0 {
			effects[c].Value = 1 - without.Value/with.Value
		}
		sum.Conversions += effects[c].Conversions
		sum.Value += effects[c].Value
	}
	for c := range effects {
		effects[c].Conversions *= p.Conversions / sum.Conversions
		if sum.Value > 0 {
			effects[c].Value *= p.Value / sum.Value
		}
	}
	return effects
}

// Credit for conversions and for value is what the definition says, without a limit to steps and with ChannelAttribution's.
func TestMarkovCreditAgainstDefinition(t *testing.T) {
	for order := 1; order <= MaxOrder; order++ {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				p := drawPaths(t, rt)
				d := define(p, order)
				for maxSteps, steps := range map[int]int{0: 0, AutoSteps: d.longest + 1} {
					want := d.credit(p, steps)
					for c, got := range fit(t, Markov{Order: order, MaxSteps: maxSteps}, p).Totals() {
						if math.Abs(got.Conversions-want[c].Conversions) > 1e-9*p.Conversions || math.Abs(got.Value-want[c].Value) > 1e-9*p.Value {
							rt.Errorf("%s, at most %d steps: %v, by the definition %v", p.Channels[c], steps, got, want[c])
						}
					}
				}
			})
		})
	}
}

// random returns paths over many channels, so that chains of order 2 and up are too large for the shortest way.
func random(t testing.TB, channels, rows int) []line {
	t.Helper()
	source := rand.New(rand.NewPCG(1, 2))
	lines := make([]line, rows)
	for i := range lines {
		l := &lines[i]
		for len(l.path) == 0 || source.Float64() < 0.8 {
			l.path = append(l.path, fmt.Sprintf("c%02d", source.IntN(channels)))
		}
		if l.nulls = 1; source.Float64() < 0.2 {
			l.conversions, l.value, l.nulls = 1, math.Round(source.ExpFloat64()*1e4)/100, 0
		}
	}
	return lines
}

func TestMarkovSweepsLargeChains(t *testing.T) {
	ch := newChain(build(t, random(t, 8, 2000)), 3)
	if n := len(ch.states); n <= fewDense || n > maxDense {
		t.Fatalf("%d states are not what is to be tested", n)
	}
	want := ch.eliminate()
	got, err := ch.solve()
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(got, want) {
		t.Error("the bits of elimination: nothing was swept")
	}
	for c := range want {
		if math.Abs(got[c].Conversions/want[c].Conversions-1) > 1e-12 || math.Abs(got[c].Value/want[c].Value-1) > 1e-12 {
			t.Errorf("%d: swept %v, eliminated %v", c, got[c], want[c])
		}
	}
}

// Parts of this chain change slowly for a while before they are what they must be.
func TestSweepingDoesNotEndEarly(t *testing.T) {
	ch := newChain(build(t, parse(t, "a,21.875,0,0\nb,0,0,1\nDirect > c > a > b > c,0.125,0,0")), 1)
	swept, err := ch.sweep(maxSweeps)
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range ch.eliminate() {
		if !near(swept[c].Conversions, want.Conversions) {
			t.Errorf("%d: swept %v, eliminated %v", c, swept[c], want)
		}
	}
}

// longWalk adds two journeys to and fro between a and b, of which the one that began at z converts.
func longWalk(steps int) []line {
	walk := slices.Repeat([]string{"a", "b"}, steps)
	return []line{{path: append([]string{"z"}, walk...), conversions: 1, value: 10}, {path: walk, nulls: 1}}
}

// Walks to and fro forget where they came from but hardly ever end. That costs no digits.
func TestMarkovLongWalks(t *testing.T) {
	ch := newChain(build(t, longWalk(50_000)), 1)
	if _, err := ch.sweep(fewSweeps); !errors.Is(err, errUnsettled) {
		t.Fatalf("sweeping: %v; elimination is not what is tested", err)
	}
	for c, want := range []float64{1, 1, 0.5} {
		if got := ch.eliminate()[c]; math.Abs(got.Conversions-want) > 1e-12 || math.Abs(got.Value-10*want) > 1e-11 {
			t.Errorf("%d: lost %v, want %v of one conversion worth 10", c, got, want)
		}
	}
}

func TestMarkovEliminatesWhatDoesNotSettle(t *testing.T) {
	ch := newChain(build(t, append(random(t, 23, 2000), longWalk(50_000)...)), 2)
	if n := len(ch.states); n <= fewDense || n > maxDense {
		t.Fatalf("%d states are not what is to be tested", n)
	}
	got, err := ch.solve()
	if err != nil || !slices.Equal(got, ch.eliminate()) {
		t.Errorf("not eliminated: %v", err)
	}
}

func TestMarkovSameBytesOnAnyNumberOfCores(t *testing.T) {
	p := build(t, random(t, 24, 500))
	for order := 1; order <= 3; order++ {
		want := fit(t, Markov{Order: order}, p).Totals()
		before := runtime.GOMAXPROCS(1)
		got := fit(t, Markov{Order: order}, p).Totals()
		runtime.GOMAXPROCS(before)
		if !slices.Equal(got, want) {
			t.Errorf("order %d: on one core %v, on %d %v", order, got, before, want)
		}
	}
}

func TestMarkovErrors(t *testing.T) {
	many := make([]string, maxMarkovChannels+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for _, tt := range []struct {
		order int
		lines []line
		want  string
	}{
		{-2, nil, "markov: order -2 is not between 1 and 4"},
		{5, nil, "markov: order 5 is not between 1 and 4"},
		{1, []line{{path: many, conversions: 1}}, "markov: 16385 channels are too many, at most 16384 make a chain; group them"},
	} {
		if _, err := (Markov{Order: tt.order}).Fit(build(t, tt.lines)); err == nil || err.Error() != tt.want {
			t.Errorf("order %d: %v, want %s", tt.order, err, tt.want)
		}
	}
}

// A channel that no conversion came through gets nothing of a journey, unless the journey has nothing else.
func TestMarkovSharesWithoutEffect(t *testing.T) {
	f := fit(t, Markov{}, build(t, parse(t, "a,1,1,0\nb > c,0,0,1")))
	if got, want := f.Shares(nil, attribution.Sequence{Channels: []attribution.Channel{1, 0}}), []int64{0, attribution.ShareUnit}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	half := int64(attribution.ShareUnit / 2)
	if got, want := f.Shares(nil, attribution.Sequence{Channels: []attribution.Channel{1, 2}}), []int64{half, half}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
