package transform

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
)

// every transform, with the one that direct chooses.
func every() []attribution.Transform { return append(All(), IgnoreDirect{}) }

type line struct {
	path                      string
	hours                     []float64
	conversions, value, nulls float64
}

func build(t testing.TB, lines ...line) *attribution.Paths {
	t.Helper()
	var b attribution.Builder
	for _, l := range lines {
		var touches []attribution.Channel
		for name := range strings.SplitSeq(l.path, " ") {
			touches = append(touches, b.Channel(name))
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

// text is the rows as lines of a file.
func text(p *attribution.Paths) []string {
	var lines []string
	for _, row := range p.Rows {
		var path []string
		for _, c := range row.Touches {
			path = append(path, p.Channels[c])
		}
		lines = append(lines, fmt.Sprint(strings.Join(path, " "), " ", row.Hours, " ", row.Conversions, " ", row.Value, " ", row.Nulls))
	}
	return lines
}

func TestTransforms(t *testing.T) {
	p := build(t,
		line{"D A B B C D C C", []float64{70, 60, 50, 40, 30, 20, 10, 0}, 2, 20, 1},
		line{"D A B C D C", []float64{70, 60, 50, 30, 20, 10}, 1, 5, 0},
		line{"Direct D Direct", []float64{9, 8, 7}, 0, 0, 3},
		line{"Direct Direct", []float64{6, 5}, 1, 1, 0},
	)
	for _, tt := range []struct {
		transform attribution.Transform
		want      []string
	}{
		{Unique{}, text(p)},
		{Exposure{}, []string{
			"D A B C D C [70 60 50 30 20 10] 3 25 1", "Direct [6] 1 1 0", "Direct D Direct [9 8 7] 0 0 3",
		}},
		{First{}, []string{"D A B C [70 60 50 30] 3 25 1", "Direct [6] 1 1 0", "Direct D [9 8] 0 0 3"}},
		{Frequency{}, []string{
			"D(2) A(1) B(1) C(2) [70 60 50 30] 1 5 0", "D(2) A(1) B(2) C(3) [70 60 50 30] 2 20 1",
			"Direct(2) [6] 1 1 0", "Direct(2) D(1) [9 8] 0 0 3",
		}},
		{Recency{}, []string{
			"A(5) B(4) D(2) C(1) [60 50 20 10] 1 5 0", "A(7) B(5) D(3) C(1) [60 40 20 0] 2 20 1",
			"D(2) Direct(1) [8 7] 0 0 3", "Direct(1) [5] 1 1 0",
		}},
		{IgnoreDirect{}, []string{
			"D [8] 0 0 3", "D A B B C D C C [70 60 50 40 30 20 10 0] 2 20 1", "D A B C D C [70 60 50 30 20 10] 1 5 0", "Direct Direct [6 5] 1 1 0",
		}},
	} {
		got := p.Transform(tt.transform).Paths
		if lines := text(got); !slices.Equal(lines, tt.want) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.transform.Name(), strings.Join(lines, "\n"), strings.Join(tt.want, "\n"))
		}
		if got.Conversions != p.Conversions || got.Value != p.Value || got.Nulls != p.Nulls {
			t.Errorf("%s: %v conversions, %v value, %v nulls", tt.transform.Name(), got.Conversions, got.Value, got.Nulls)
		}
	}
}

func drawLines(t *rapid.T) []line {
	number := rapid.OneOf(rapid.SampledFrom([]float64{0, 1, 2}), rapid.Float64Range(0.01, 1000))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) line {
		names := rapid.SampledFrom([]string{"A", "B", "A(1)", attribution.Direct})
		path := rapid.SliceOfN(names, 1, 8).Draw(t, "path")
		hours := rapid.SliceOfN(rapid.Float64Range(0, 1000), len(path), len(path)).Draw(t, "hours")
		slices.Sort(hours)
		slices.Reverse(hours)
		l := line{path: strings.Join(path, " "), hours: hours, conversions: number.Draw(t, "conversions"), nulls: number.Draw(t, "nulls")}
		if l.conversions > 0 {
			l.value = number.Draw(t, "value")
		}
		return l
	}), 1, 10).Draw(t, "lines")
}

// fit lets a model learn from paths with one transform after another.
func fit(t *rapid.T, m attribution.Model, p *attribution.Paths, transforms ...attribution.Transform) attribution.Fitted {
	transformed, fold := Apply(p, transforms...)
	f, err := m.Fit(transformed)
	if err != nil {
		t.Fatal(err)
	}
	return fold(f)
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*max(1, want) }

// Whatever is done to paths, all models credit the channels as they were with all conversions and value, and split each
// journey exactly.
func TestCreditOfTransformedPaths(t *testing.T) {
	for _, m := range model.All() {
		t.Run(m.Name(), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				p := build(t, drawLines(rt)...)
				transforms := []attribution.Transform{rapid.SampledFrom(every()).Draw(rt, "transform")}
				if rapid.Bool().Draw(rt, "direct first") {
					transforms = append([]attribution.Transform{IgnoreDirect{}}, transforms...)
				}
				f := fit(rt, m, p, transforms...)
				var sum attribution.Credit
				for _, c := range f.Totals() {
					sum.Conversions += c.Conversions
					sum.Value += c.Value
				}
				if !near(sum.Conversions, p.Conversions) || !near(sum.Value, p.Value) || len(f.Totals()) != len(p.Channels) {
					rt.Errorf("%v: sum %v of %v conversions worth %v", f.Totals(), sum, p.Conversions, p.Value)
				}
				checkShares(rt, f, p)
			})
		})
	}
}

func checkShares(t *rapid.T, f attribution.Fitted, p *attribution.Paths) {
	sums := make([]float64, len(p.Channels))
	shares := []int64{-1, -1, -1}
	for _, row := range p.Rows {
		milestone := rapid.IntRange(0, len(row.Touches))
		shares = f.Shares(shares, attribution.Sequence{
			Channels: row.Touches, Hours: row.Hours, Lead: milestone.Draw(t, "lead"), Opportunity: milestone.Draw(t, "opportunity"),
		})
		sum := int64(0)
		for _, share := range shares {
			if share < 0 {
				t.Errorf("negative: %v", shares)
			}
			sum += share
		}
		if sum != attribution.ShareUnit || len(shares) != len(row.Touches) {
			t.Errorf("shares %v of %d touches", shares, len(row.Touches))
		}
		for i, share := range f.Shares(nil, attribution.Sequence{Channels: row.Touches, Hours: row.Hours}) {
			sums[row.Touches[i]] += row.Conversions * float64(share) / attribution.ShareUnit
		}
	}
	if _, separate := f.(attribution.SeparateTotals); separate {
		return
	}
	for c, total := range f.Totals() {
		if math.Abs(sums[c]-total.Conversions) > 1e-9*p.Conversions {
			t.Errorf("%s: shares add up to %v, the total is %v", p.Channels[c], sums[c], total)
		}
	}
}

// Removal effects are not those of the channels, so totals of markov are separate still.
func TestFoldKeepsSeparateTotals(t *testing.T) {
	p := build(t, line{"A B", nil, 1, 1, 0}).Transform(Exposure{})
	for m, want := range map[attribution.Model]bool{model.Markov{}: true, model.Linear{}: false} {
		f, err := m.Fit(p.Paths)
		if err != nil {
			t.Fatal(err)
		}
		if _, separate := p.Fold(f).(attribution.SeparateTotals); separate != want {
			t.Errorf("%s: separate totals: %v", m.Name(), separate)
		}
	}
}

// What tells touches apart does not hide that they are Direct, and credit is on the touch that is left.
func TestSharesOfTransformedPaths(t *testing.T) {
	for _, tt := range []struct {
		transform attribution.Transform
		model     attribution.Model
		want      []int64 // of A Direct A Direct, in quarters
	}{
		{Unique{}, model.LastNonDirect{}, []int64{0, 0, 4, 0}},
		{Frequency{}, model.LastNonDirect{}, []int64{4, 0, 0, 0}},
		{Recency{}, model.LastNonDirect{}, []int64{0, 0, 4, 0}},
		{Recency{}, model.Last{}, []int64{0, 0, 0, 4}},
		{First{}, model.Linear{}, []int64{2, 2, 0, 0}},
		{IgnoreDirect{}, model.Linear{}, []int64{2, 0, 2, 0}},
		// The lead's touch, the second, is dropped: the last that is left up to it is the first.
		{IgnoreDirect{}, model.FullPath{}, []int64{2, 0, 2, 0}},
		// Up to the lead nothing is left, so this is position's.
		{Recency{}, model.FullPath{}, []int64{0, 0, 2, 2}},
	} {
		p := build(t, line{"A Direct A Direct", nil, 1, 1, 0})
		transformed := p.Transform(tt.transform)
		f, err := tt.model.Fit(transformed.Paths)
		if err != nil {
			t.Fatal(err)
		}
		got := transformed.Fold(f).Shares(nil, attribution.Sequence{Channels: p.Rows[0].Touches, Lead: 2, Opportunity: 4})
		for i := range got {
			got[i] /= attribution.ShareUnit / 4
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s, %s: %v, want %v", tt.transform.Name(), tt.model.Name(), got, tt.want)
		}
	}
}

// Journeys of many channels are looked through in another way.
func TestManyChannels(t *testing.T) {
	var names []string
	var touches, backward []attribution.Channel
	for i := range 100 {
		names = append(names, fmt.Sprint(i))
		touches = append(touches, attribution.Channel(i), attribution.Channel(i/2))
	}
	backward = slices.Clone(touches)
	slices.Reverse(backward)
	var first, frequency, recency []attribution.Step
	for i := range 100 {
		n, last := 1, 0
		if i < 50 {
			n = 3
		}
		last = len(touches) - slices.Index(backward, attribution.Channel(i))
		first = append(first, attribution.Step{Touch: slices.Index(touches, attribution.Channel(i))})
		frequency = append(frequency, attribution.Step{Touch: first[i].Touch, Tag: n})
		recency = append(recency, attribution.Step{Touch: last - 1, Tag: len(touches) - last + 1})
	}
	slices.SortFunc(recency, func(a, b attribution.Step) int { return a.Touch - b.Touch })
	for _, tt := range []struct {
		transform attribution.Transform
		want      []attribution.Step
	}{{First{}, first}, {Frequency{}, frequency}, {Recency{}, recency}} {
		if got := tt.transform.Steps(nil, touches, names); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.transform.Name(), got, tt.want)
		}
	}
}
