package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
)

func TestAUCByHand(t *testing.T) {
	p := build(t, parse(t, "a,1,1,3\na > b,3,3,1\nb > b,0,0,2"))
	fits, err := CompareOrders(p)
	if err != nil {
		t.Fatal(err)
	}
	// To order 1, journeys end in a (1 of 4 convert) or b (3 of 6). Of 4·6 pairs a conversion wins 3·3 and ties in 1·3 and
	// 3·3. Order 2 has a, a b (3 of 4) and b b (0 of 2): a conversion wins 1·2 and 3·5, and ties in 1·3 and 3·1.
	for i, want := range []OrderFit{
		{Order: 1, States: 2, AUC: 15. / 24, PenalizedAUC: 1 - 9./24*9/7}, // a, b
		{Order: 2, States: 3, AUC: 20. / 24, PenalizedAUC: 0},             // aa, ab, bb: as many as paths
		{Order: 3, States: 3, AUC: 20. / 24, PenalizedAUC: 0},
		{Order: 4, States: 3, AUC: 20. / 24, PenalizedAUC: 0},
	} {
		got := fits[i]
		if got.Order != want.Order || got.States != want.States || !near(got.AUC, want.AUC) || !near(got.PenalizedAUC, want.PenalizedAUC) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if got := BestByAUC(fits); got != 1 {
		t.Errorf("by AUC %d is best", got)
	}
}

// Of these paths c > a > c is held out: a conversion and a null.
func TestLikelihoodByHand(t *testing.T) {
	fits, err := CompareOrders(build(t, parse(t, "c > a,2,2,0\na > c,0,0,3\nc > a > c,1,1,1")))
	if err != nil {
		t.Fatal(err)
	}
	// From each place there are 4 ways on, which were seen half a time more than they were. From the start 2 of 5 went to c.
	for i, ways := range [][]float64{
		{2.5 / 7, 2.5 / 7, 3.5 / 7, 0.5 / 7, 3.5 / 7}, // c: 2 to a, 3 to null; a: 3 to c, 2 to conversion
		{2.5 / 7, 2.5 / 4, 0.5 / 4, 0.5 / 5, 3.5 / 5}, // c at first: 2 to a; c a: 2 to conversion; a c: 3 to null
		{2.5 / 7, 2.5 / 4, 0.5 / 4, 0.5 / 2, 0.5 / 2}, // c a c: never seen
		{2.5 / 7, 2.5 / 4, 0.5 / 4, 0.5 / 2, 0.5 / 2},
	} {
		path, conversion, null := ways[0]*ways[1]*ways[2], ways[3], ways[4]
		want := (math.Log(path*conversion) + math.Log(path*null)) / 2
		if got := fits[i].Likelihood; math.Abs(got-want) > 1e-12 {
			t.Errorf("order %d: %v, want %v", i+1, got, want)
		}
	}
}

// The area is the chance that a journey that converted scores higher than one that did not, ties by lot.
func TestAUCAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := build(t, drawLines(rt, 1))
		fits, err := CompareOrders(p)
		if err != nil {
			rt.Fatal(err)
		}
		for _, f := range fits {
			won, pairs := 0.0, 0.0
			rate := endRates(p, f.Order)
			for i, converted := range p.Rows {
				for j, lost := range p.Rows {
					pair := converted.Conversions * lost.Nulls
					pairs += pair
					switch {
					case rate[i] > rate[j]:
						won += pair
					case rate[i] == rate[j]:
						won += pair / 2
					}
				}
			}
			want := 0.5
			if pairs > 0 {
				want = won / pairs
			}
			if math.Abs(f.AUC-want) > 1e-9 {
				rt.Errorf("order %d: %v, want %v", f.Order, f.AUC, want)
			}
			if !(f.AUC >= 0.5-1e-9 && f.AUC <= 1+1e-9 && f.PenalizedAUC >= 0 && f.PenalizedAUC <= 1 && f.Likelihood <= 0) {
				rt.Errorf("%+v", f)
			}
		}
	})
}

// endRates is, of each row, how often journeys converted that ended in the same touches.
func endRates(p *attribution.Paths, order int) []float64 {
	conversions, all := map[string]float64{}, map[string]float64{}
	end := func(row attribution.Row) string { return fmt.Sprint(row.Touches[max(0, len(row.Touches)-order):]) }
	for _, row := range p.Rows {
		conversions[end(row)] += row.Conversions
		all[end(row)] += row.Conversions + row.Nulls
	}
	var rates []float64
	for _, row := range p.Rows {
		rates = append(rates, conversions[end(row)]/all[end(row)])
	}
	return rates
}

// remember returns journeys whose next channel follows, mostly, from as many before it.
func remember(t testing.TB, touches int) *attribution.Paths {
	source := rand.New(rand.NewPCG(3, 4))
	names := []string{"a", "b", "c", "d", "e"}
	var lines []line
	for range 4000 {
		var walk []int
		for len(walk) == 0 || source.Float64() < 0.8 {
			next := 1
			for _, before := range walk[max(0, len(walk)-touches):] {
				next = (next*3 + before) % len(names)
			}
			if source.Float64() < 0.3 {
				next = source.IntN(len(names))
			}
			walk = append(walk, next)
		}
		var l line
		for _, c := range walk {
			l.path = append(l.path, names[c])
		}
		l.conversions = float64(source.IntN(2))
		l.nulls = 1 - l.conversions
		lines = append(lines, l)
	}
	return build(t, lines)
}

func TestAutoOrderFindsTheOrder(t *testing.T) {
	for order := 1; order <= 3; order++ {
		p := remember(t, order)
		fits, err := CompareOrders(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := BestByLikelihood(fits); got != order {
			t.Errorf("%d, want %d: %+v", got, order, fits)
		}
		auto, want := fit(t, Markov{Order: AutoOrder}, p), fit(t, Markov{Order: order}, p)
		if !slices.Equal(auto.Totals(), want.Totals()) {
			t.Errorf("credit is not that of order %d", order)
		}
	}
}

func TestCompareOrdersOfNothing(t *testing.T) {
	got, err := CompareOrders(build(t, nil))
	want := []OrderFit{{Order: 1, AUC: 0.5}, {Order: 2, AUC: 0.5}, {Order: 3, AUC: 0.5}, {Order: 4, AUC: 0.5}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if BestByAUC(got) != 1 || BestByLikelihood(got) != 1 {
		t.Error("not the lowest order of equals")
	}
}
