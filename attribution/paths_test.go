package attribution_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
)

type line struct {
	path                      string // channels joined by a space
	conversions, value, nulls float64
}

func build(t testing.TB, lines []line) *attribution.Paths {
	t.Helper()
	var b attribution.Builder
	for _, l := range lines {
		var touches []attribution.Channel
		for name := range strings.FieldsSeq(l.path) {
			touches = append(touches, b.Channel(name))
		}
		path, err := b.Path(touches)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(path, l.conversions, l.value, l.nulls); err != nil {
			t.Fatal(err)
		}
	}
	return b.Paths()
}

// However paths are shared out over Builders that are merged then, they are the same to the bit.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var all attribution.Builder
		parts := make([]attribution.Builder, 3)
		for range rapid.IntRange(0, 12).Draw(rt, "lines") {
			path := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 4).Draw(rt, "path")
			conversions := rapid.Float64Range(0.001, 1e6).Draw(rt, "conversions")
			part := &parts[rapid.IntRange(0, 2).Draw(rt, "part")]
			for _, b := range []*attribution.Builder{&all, part} {
				var touches []attribution.Channel
				for _, name := range path {
					touches = append(touches, b.Channel(name))
				}
				id, err := b.TimedPath(touches, make([]float64, len(touches)))
				if err != nil {
					rt.Fatal(err)
				}
				if err := b.Add(id, conversions, conversions/3, 1); err != nil {
					rt.Fatal(err)
				}
			}
		}
		for i := range parts[1:] {
			if err := parts[0].Merge(&parts[1+i]); err != nil {
				rt.Fatal(err)
			}
		}
		if got, want := parts[0].Paths(), all.Paths(); !reflect.DeepEqual(got, want) {
			rt.Errorf("merged %v, want %v", got, want)
		}
		if empty := parts[1].Paths(); len(empty.Rows)+len(empty.Channels) > 0 {
			rt.Errorf("left in the part: %v", empty)
		}
	})
}

func TestMergeOfPathsWithAndWithoutHours(t *testing.T) {
	var timed, untimed attribution.Builder
	for b, hours := range map[*attribution.Builder][]float64{&timed: {1}, &untimed: nil} {
		if _, err := b.TimedPath([]attribution.Channel{b.Channel("a")}, hours); err != nil {
			t.Fatal(err)
		}
	}
	want := "hours are given for some paths only; give them for all, or for none"
	if err := timed.Merge(&untimed); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestBuilder(t *testing.T) {
	got := build(t, []line{
		{"b a", 1, 0.1, 0},
		{"b", 0, 0, 2},
		{"a b c", 1, 5, 1},
		{"b a", 2, 0.2, 1},
		{"d", 0, 0, 0}, // nothing happened: no row
		{"b a", 1, 0.3, 0},
		{"a b", 0.5, 0, 0},
	})
	want := &attribution.Paths{
		Channels: []string{"a", "b", "c", "d"},
		Rows: []attribution.Row{
			{Touches: []attribution.Channel{0, 1}, Conversions: 0.5},
			{Touches: []attribution.Channel{0, 1, 2}, Conversions: 1, Value: 5, Nulls: 1},
			{Touches: []attribution.Channel{1}, Nulls: 2},
			{Touches: []attribution.Channel{1, 0}, Conversions: 4, Value: 0.6, Nulls: 1},
		},
		Conversions: 5.5, Value: 5.6, Nulls: 4,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestBuilderEmpty(t *testing.T) {
	if got := build(t, nil); len(got.Channels) != 0 || len(got.Rows) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestBuilderErrors(t *testing.T) {
	const nan = "is not a number"
	for _, tt := range []struct {
		conversions, value, nulls float64
		want                      attribution.FieldError
	}{
		{-1, 0, 0, attribution.FieldError{Field: "conversions", Reason: "is -1; it cannot be negative"}},
		{1, -2.5, 0, attribution.FieldError{Field: "value", Reason: "is -2.5; it cannot be negative"}},
		{1, 0, math.Inf(-1), attribution.FieldError{Field: "nulls", Reason: "is -Inf; it cannot be negative"}},
		{math.NaN(), 0, 0, attribution.FieldError{Field: "conversions", Reason: nan}},
		{1, math.NaN(), 0, attribution.FieldError{Field: "value", Reason: nan}},
		{1, 0, math.NaN(), attribution.FieldError{Field: "nulls", Reason: nan}},
		{1, 1e13, 0, attribution.FieldError{Field: "value", Reason: "is 1e+13; it must be 0 or from 1e-09 to 1e+12"}},
		{1, math.Inf(1), 0, attribution.FieldError{Field: "value", Reason: "is +Inf; it must be 0 or from 1e-09 to 1e+12"}},
		{1e-10, 0, 0, attribution.FieldError{Field: "conversions", Reason: "is 1e-10; it must be 0 or from 1e-09 to 1e+12"}},
		{0, 5, 1, attribution.FieldError{
			Field: "value", Reason: "is 5 without a conversion; only conversions have a value",
		}},
	} {
		var b attribution.Builder
		path, err := b.Path([]attribution.Channel{b.Channel("a")})
		if err != nil {
			t.Fatal(err)
		}
		err = b.Add(path, tt.conversions, tt.value, tt.nulls)
		if !reflect.DeepEqual(err, &tt.want) {
			t.Errorf("Add(%v, %v, %v) = %v, want %v", tt.conversions, tt.value, tt.nulls, err, &tt.want)
		}
		if p := b.Paths(); len(p.Rows) != 0 {
			t.Errorf("after a refused row: %+v", p.Rows)
		}
	}
	var b attribution.Builder
	if _, err := b.Path(nil); err == nil || err.Error() != "path is empty; a path has at least one channel" {
		t.Errorf("Path(nil) = %v", err)
	}
}

// Touches at other hours are another row; those at the same are one.
func TestBuilderHours(t *testing.T) {
	var b attribution.Builder
	for _, p := range []struct {
		names string
		hours []float64
	}{{"b a", []float64{9, 0.5}}, {"b", []float64{7}}, {"b a", []float64{2, 0.5}}, {"b a", []float64{9, 0.5}}} {
		var touches []attribution.Channel
		for name := range strings.FieldsSeq(p.names) {
			touches = append(touches, b.Channel(name))
		}
		path, err := b.TimedPath(touches, p.hours)
		if err != nil {
			t.Fatal(err)
		}
		clear(p.hours) // the Builder has its own
		if err := b.Add(path, 1, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Path([]attribution.Channel{0}); err == nil ||
		err.Error() != "hours are given for some paths only; give them for all, or for none" {
		t.Errorf("a path without hours: %v", err)
	}
	want := []attribution.Row{
		{Touches: []attribution.Channel{1}, Hours: []float64{7}, Conversions: 1},
		{Touches: []attribution.Channel{1, 0}, Hours: []float64{2, 0.5}, Conversions: 1},
		{Touches: []attribution.Channel{1, 0}, Hours: []float64{9, 0.5}, Conversions: 2},
	}
	if got := b.Paths().Rows; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestBuilderHoursErrors(t *testing.T) {
	for want, hours := range map[string][]float64{
		"hours are 1 numbers for 2 touches; each touch has one":                             {1},
		"hours are NaN at touch 1; they must be from 0 to 1e+12":                            {math.NaN(), 1},
		"hours are -1 at touch 2; they must be from 0 to 1e+12":                             {1, -1},
		"hours grow from 1 to 1.5 at touch 2; a path goes from its first touch to its last": {1, 1.5},
	} {
		var b attribution.Builder
		a := b.Channel("a")
		if _, err := b.TimedPath([]attribution.Channel{a, a}, hours); err == nil || err.Error() != want {
			t.Errorf("%v: %v, want %s", hours, err, want)
		}
	}
	var b attribution.Builder
	a := b.Channel("a")
	if _, err := b.Path([]attribution.Channel{a}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.TimedPath([]attribution.Channel{a}, []float64{1}); err == nil {
		t.Error("hours for some paths only")
	}
}

// number is what files hold: counts, prices, and the odd fraction that no sum of floats keeps.
func number() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(1, 5), func(n int) float64 { return float64(n) }),
		rapid.Map(rapid.IntRange(1, 1e9), func(n int) float64 { return float64(n) / 100 }),
		rapid.Float64Range(attribution.MinNumber, attribution.MaxNumber),
	)
}

func lines() *rapid.Generator[[]line] {
	// 40 names of which a path of up to 20 does not fit into the sort key, and few enough for paths to repeat.
	names := []string{"a", "a", "a", "b", "b", "aa", "é", "Z"}
	for i := range 32 {
		names = append(names, string(rune('c'+i)))
	}
	path := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(names), 1, 20), func(p []string) string { return strings.Join(p, " ") })
	short := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(names[:5]), 1, 4), func(p []string) string { return strings.Join(p, " ") })
	late := rapid.Map(short, func(p string) string { return strings.Repeat("b ", 30) + p }) // differs where the key ends
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) line {
		return line{
			rapid.OneOf(path, short, late).Draw(t, "path"),
			number().Draw(t, "conversions"), number().Draw(t, "value"), number().Draw(t, "nulls"),
		}
	}), 1, 40)
}

func TestBuilderOrderIrrelevant(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := lines().Draw(rt, "lines")
		want := build(t, in)
		shuffled := slices.Clone(in)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)).Shuffle(len(in), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		if got := build(t, shuffled); !reflect.DeepEqual(got, want) {
			rt.Errorf("shuffled %+v\nin order %+v", got, want)
		}
	})
}

func TestBuilderSums(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := lines().Draw(rt, "lines")
		want := map[string]line{}
		for _, l := range in {
			sum := want[l.path]
			want[l.path] = line{l.path, sum.conversions + l.conversions, sum.value + l.value, sum.nulls + l.nulls}
		}
		p := build(t, in)
		if !slices.IsSorted(p.Channels) || len(p.Rows) != len(want) {
			rt.Fatalf("channels %v, %d rows, want %d", p.Channels, len(p.Rows), len(want))
		}
		for i, row := range p.Rows {
			if i > 0 && slices.Compare(p.Rows[i-1].Touches, row.Touches) >= 0 {
				rt.Errorf("row %d %v does not follow %v", i, row.Touches, p.Rows[i-1].Touches)
			}
			var names []string
			for _, c := range row.Touches {
				names = append(names, p.Channels[c])
			}
			w := want[strings.Join(names, " ")]
			if !near(row.Conversions, w.conversions) || !near(row.Value, w.value) || !near(row.Nulls, w.nulls) {
				rt.Errorf("%v: got %v, want %v", names, row, w)
			}
		}
	})
}

// near allows for the rounding of numbers next to MinNumber, of which a sum keeps ten digits.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-10*want }
