package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
)

type line struct {
	path                      []string
	conversions, value, nulls float64
	hours                     []float64 // where nil: as many as touches follow
}

// hoursOf is where line has none: a touch an hour.
func hoursOf(touches int) []float64 {
	hours := make([]float64, touches)
	for i := range hours {
		hours[i] = float64(touches - 1 - i)
	}
	return hours
}

func drawHours(t *rapid.T, touches int) []float64 {
	hour := rapid.OneOf(rapid.SampledFrom([]float64{0, 1, 168, attribution.MaxNumber}), rapid.Float64Range(0, 2000))
	hours := rapid.SliceOfN(hour, touches, touches).Draw(t, "hours")
	slices.Sort(hours)
	slices.Reverse(hours)
	return hours
}

func build(t testing.TB, lines []line) *attribution.Paths {
	t.Helper()
	var b attribution.Builder
	for _, l := range lines {
		var touches []attribution.Channel
		for _, name := range l.path {
			touches = append(touches, b.Channel(name))
		}
		if l.hours == nil {
			l.hours = hoursOf(len(touches))
		}
		path, err := b.TimedPath(touches, l.hours)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(path, l.conversions, l.value, l.nulls); err != nil {
			t.Fatal(err)
		}
	}
	return b.Paths()
}

// parse reads lines like "a > b,1,10,0": path, conversions, value, nulls.
func parse(t testing.TB, text string) []line {
	t.Helper()
	var lines []line
	for s := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' }) {
		fields := strings.Split(s, ",")
		l := line{path: strings.Split(strings.TrimSpace(fields[0]), " > ")}
		if _, err := fmt.Sscan(strings.Join(fields[1:], " "), &l.conversions, &l.value, &l.nulls); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

func fit(t testing.TB, m attribution.Model, p *attribution.Paths) attribution.Fitted {
	t.Helper()
	f, err := m.Fit(p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// everyModel is each model, and those with settings in more than one.
func everyModel() map[string]attribution.Model {
	models := map[string]attribution.Model{}
	for _, m := range All() {
		models[m.Name()] = m
	}
	for order := 2; order <= MaxOrder; order++ {
		models[fmt.Sprintf("markov%d", order)] = Markov{Order: order}
	}
	models["markov_auto_order"] = Markov{Order: AutoOrder}
	for name, steps := range map[string]int{"markov_auto": AutoSteps, "markov_50_steps": 50} {
		models[name] = Markov{Order: 2, MaxSteps: steps}
	}
	models["position_first"] = Position{First: 1}
	models["position_uneven"] = Position{First: 0.3, Last: 0.1}
	models["w_shaped_uneven"] = WShaped{Position{First: 0.3, Last: 0.1}}
	models["time_decay_hour"] = TimeDecay{HalfLife: 1}
	return models
}

// conform runs a property over every model.
func conform(t *testing.T, property func(t *rapid.T, m attribution.Model)) {
	for name, m := range everyModel() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { property(rt, m) })
		})
	}
}

var plain = []string{"a", "b", "c", "d", attribution.Direct}

func drawLines(t *rapid.T, minimum int) []line {
	count := rapid.Map(rapid.IntRange(0, 4), func(n int) float64 { return float64(n) })
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) line {
		l := line{path: rapid.SliceOfN(rapid.SampledFrom(plain), 1, 9).Draw(t, "path")}
		if rapid.Bool().Draw(t, "timed") {
			l.hours = drawHours(t, len(l.path))
		}
		l.nulls = count.Draw(t, "nulls")
		l.conversions = rapid.OneOf(count, rapid.Float64Range(0.01, 1000)).Draw(t, "conversions")
		if l.conversions > 0 {
			l.value = rapid.OneOf(count, rapid.Float64Range(0.01, 100_000)).Draw(t, "value")
		}
		return l
	}), minimum, 12).Draw(t, "lines")
}

func TestCreditSumsUp(t *testing.T) {
	conform(t, func(rt *rapid.T, m attribution.Model) {
		p := build(t, drawLines(rt, 0))
		totals := fit(t, m, p).Totals()
		if len(totals) != len(p.Channels) {
			rt.Fatalf("%d credits for %d channels", len(totals), len(p.Channels))
		}
		var sum attribution.Credit
		for i, c := range totals {
			if !(c.Conversions >= 0 && c.Value >= 0) {
				rt.Errorf("%s gets %v", p.Channels[i], c)
			}
			sum.Conversions += c.Conversions
			sum.Value += c.Value
		}
		if !near(sum.Conversions, p.Conversions) || !near(sum.Value, p.Value) {
			rt.Errorf("credits sum up to %v, the paths to %v and %v", sum, p.Conversions, p.Value)
		}
	})
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*want }

func TestInputOrderIrrelevant(t *testing.T) {
	conform(t, func(rt *rapid.T, m attribution.Model) {
		lines := drawLines(rt, 1)
		want := fit(t, m, build(t, lines)).Totals()
		rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)).Shuffle(len(lines), func(i, j int) {
			lines[i], lines[j] = lines[j], lines[i]
		})
		if got := fit(t, m, build(t, lines)).Totals(); !slices.Equal(got, want) {
			rt.Errorf("shuffled %v\nin order %v", got, want)
		}
	})
}

// A channel is not mistaken for another one, whatever they are called.
func TestNamesIrrelevant(t *testing.T) {
	odd := map[string]string{
		"a": "x", "b": "x > x", "c": `"x",`, "d": "(start)\n", attribution.Direct: attribution.Direct, // whose name means something
	}
	conform(t, func(rt *rapid.T, m attribution.Model) {
		if m == (Markov{Order: AutoOrder}) { // names decide which paths are held out, and so the order
			return
		}
		lines := drawLines(rt, 1)
		p := build(t, lines)
		named := fit(t, m, p).Totals()
		for i, l := range lines {
			renamed := make([]string, len(l.path))
			for j, name := range l.path {
				renamed[j] = odd[name]
			}
			lines[i].path = renamed
		}
		q := build(t, lines)
		for i, got := range fit(t, m, q).Totals() {
			for name, other := range odd {
				if other != q.Channels[i] {
					continue
				}
				want := named[slices.Index(p.Channels, name)]
				if !near(got.Conversions, want.Conversions) || !near(got.Value, want.Value) {
					rt.Errorf("%q gets %v, as %q it got %v", other, got, name, want)
				}
			}
		}
	})
}

func TestSharesAddUpExactly(t *testing.T) {
	conform(t, func(rt *rapid.T, m attribution.Model) {
		p := build(t, drawLines(rt, 1))
		f := fit(t, m, p)
		var dst []int64
		for range 3 { // in memory that holds the shares of another journey
			touches := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, len(p.Channels)-1), func(c int) attribution.Channel {
				return attribution.Channel(c)
			}), 1, 30).Draw(rt, "touches")
			dst = f.Shares(dst, attribution.Sequence{
				Channels: touches, Hours: drawHours(rt, len(touches)),
				Lead:        rapid.IntRange(0, len(touches)).Draw(rt, "lead"),
				Opportunity: rapid.IntRange(0, len(touches)).Draw(rt, "opportunity"),
			})
			sum := int64(0)
			for _, share := range dst {
				if share < 0 {
					rt.Errorf("negative: %v of %v", dst, touches)
				}
				sum += share
			}
			if sum != attribution.ShareUnit || len(dst) != len(touches) {
				rt.Errorf("%v of %v sum up to %d", dst, touches, sum)
			}
		}
	})
}

// Shares of single journeys add up to all conversions, and to the totals where the model does not say otherwise.
func TestSharesAgreeWithTotals(t *testing.T) {
	conform(t, func(rt *rapid.T, m attribution.Model) {
		p := build(t, drawLines(rt, 1))
		f := fit(t, m, p)
		sums := make([]attribution.Credit, len(p.Channels))
		var all attribution.Credit
		for _, row := range p.Rows {
			for i, share := range f.Shares(nil, attribution.Sequence{Channels: row.Touches, Hours: row.Hours}) {
				part := float64(share) / attribution.ShareUnit
				sums[row.Touches[i]].Conversions += row.Conversions * part
				sums[row.Touches[i]].Value += row.Value * part
				all.Conversions += row.Conversions * part
				all.Value += row.Value * part
			}
		}
		if !near(all.Conversions, p.Conversions) || !near(all.Value, p.Value) {
			rt.Errorf("shares add up to %v of %v conversions worth %v", all, p.Conversions, p.Value)
		}
		if _, separate := f.(attribution.SeparateTotals); separate {
			return
		}
		for c, total := range f.Totals() {
			if math.Abs(sums[c].Conversions-total.Conversions) > 1e-9*p.Conversions || math.Abs(sums[c].Value-total.Value) > 1e-9*p.Value {
				rt.Errorf("%s: shares add up to %v, the total is %v", p.Channels[c], sums[c], total)
			}
		}
	})
}

func TestNothingIn(t *testing.T) {
	nulls := parse(t, "a > b,0,0,3\nb,0,0,1")
	for name, m := range everyModel() {
		t.Run(name, func(t *testing.T) {
			if got := fit(t, m, build(t, nil)).Totals(); len(got) != 0 {
				t.Errorf("no paths: %v", got)
			}
			f := fit(t, m, build(t, nulls))
			if got, want := f.Totals(), make([]attribution.Credit, 2); !slices.Equal(got, want) {
				t.Errorf("no conversions: %v", got)
			}
			if got := f.Shares(make([]int64, 3), attribution.Sequence{}); len(got) != 0 {
				t.Errorf("no touches: shares %v", got)
			}
		})
	}
}

// credits makes credits of pairs of conversions and value.
func credits(pairs ...float64) []attribution.Credit {
	var all []attribution.Credit
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, attribution.Credit{Conversions: pair[0], Value: pair[1]})
	}
	return all
}

func TestReferenceTotals(t *testing.T) {
	// Worked out by hand: a journey of three channels, one that repeats a channel, one touch alone, one lost journey.
	const text = "a > b > c,1,12,0\nb > c > b > b,2,40,1\nc,1,6,0\na > c,0,0,5"
	for _, tt := range []struct {
		model attribution.Model
		want  []attribution.Credit // of a, b, c
	}{
		{First{}, credits(1, 12, 2, 40, 1, 6)},
		{Last{}, credits(0, 0, 2, 40, 2, 18)},
		{LastNonDirect{}, credits(0, 0, 2, 40, 2, 18)},
		{Linear{}, credits(1./3, 4, 1./3+1.5, 34, 1./3+0.5+1, 20)},
		{Position{}, credits(0.4, 4.8, 2, 38.4, 1.6, 14.8)},
		{WShaped{}, credits(0.4, 4.8, 2, 38.4, 1.6, 14.8)},
		{FullPath{}, credits(0.4, 4.8, 2, 38.4, 1.6, 14.8)},
		{Shapley{}, credits(1./3, 4, 1./3+1, 24, 1./3+1+1, 30)},
	} {
		for c, got := range fit(t, tt.model, build(t, parse(t, text))).Totals() {
			if want := tt.want[c]; !near(got.Conversions, want.Conversions) || !near(got.Value, want.Value) {
				t.Errorf("%s: channel %d gets %v, want %v", tt.model.Name(), c, got, want)
			}
		}
	}
}

func TestReferenceShares(t *testing.T) {
	const third = attribution.ShareUnit / 3
	sequence := attribution.Sequence{
		Channels: []attribution.Channel{1, 2, 1, 0}, // b c b a
		Hours:    []float64{336, 336, 168, 0}, Lead: 1, Opportunity: 2,
	}
	for _, tt := range []struct {
		model attribution.Model
		want  []int64
	}{
		{First{}, []int64{attribution.ShareUnit, 0, 0, 0}},
		{Last{}, []int64{0, 0, 0, attribution.ShareUnit}},
		{Linear{}, []int64{250_000_000_000, 250_000_000_000, 250_000_000_000, 250_000_000_000}},
		{LastNonDirect{}, []int64{0, 0, 0, attribution.ShareUnit}},
		{Position{}, []int64{400_000_000_000, 100_000_000_000, 100_000_000_000, 400_000_000_000}},
		{Position{First: 0.7}, []int64{700_000_000_000, 150_000_000_000, 150_000_000_000, 0}},
		{WShaped{}, []int64{600_000_000_000, 300_000_000_000, 50_000_000_000, 50_000_000_000}},
		{FullPath{}, []int64{450_000_000_000, 225_000_000_000, 100_000_000_000, 225_000_000_000}},
		{TimeDecay{}, []int64{125_000_000_000, 125_000_000_000, 250_000_000_000, 500_000_000_000}},
		{Shapley{}, []int64{third / 2, third, third / 2, third + 2}}, // halves of an odd number lose one each
		// Removal effects are 0.5 (a), 1 and 1: see TestMarkovTextbook.
		{Markov{}, []int64{285_714_285_714, 285_714_285_714, 285_714_285_715, 142_857_142_857}},
	} {
		f := fit(t, tt.model, build(t, parse(t, "a > b > c,1,1,0\na,0,0,1\nb > c,0,0,1")))
		if got := f.Shares(nil, sequence); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.model.Name(), got, tt.want)
		}
	}
	f := fit(t, Linear{}, build(t, parse(t, "a,1,1,0")))
	if got, want := f.Shares(nil, attribution.Sequence{Channels: make([]attribution.Channel, 3)}), []int64{third, third, third + 1}; !slices.Equal(got, want) {
		t.Errorf("thirds: %v, want %v", got, want)
	}
}

// More channels than Shapley's shares keep on the stack.
func TestShapleySharesOfManyChannels(t *testing.T) {
	var all []string
	var touches []attribution.Channel
	for i := range 100 {
		all = append(all, fmt.Sprintf("c%02d", i))
		touches = append(touches, attribution.Channel(i))
	}
	f := fit(t, Shapley{}, build(t, []line{{path: all, conversions: 1, value: 1}}))
	got := f.Shares(nil, attribution.Sequence{Channels: append(touches, 99)})
	want := append(slices.Repeat([]int64{attribution.ShareUnit / 100}, 99), attribution.ShareUnit/200, attribution.ShareUnit/200)
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
