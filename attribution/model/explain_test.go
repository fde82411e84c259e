package model

import (
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestExplainTextbook(t *testing.T) {
	p := build(t, parse(t, "Fair > Mail > Call,1,20,0\nFair,0,0,1\nMail > Call,0,0,1")) // Call, Fair, Mail
	got, err := Markov{}.Explain(p)
	want := &Explanation{
		Conversion: 1. / 3,
		Removal:    credits(1, 1, 0.5, 0.5, 1, 1),
		Transitions: []Transition{
			{StartState, "Fair", 2. / 3},
			{StartState, "Mail", 1. / 3},
			{"Fair", "Mail", 0.5},
			{"Fair", NullState, 0.5},
			{"Mail", "Call", 1},
			{"Call", ConversionState, 0.5},
			{"Call", NullState, 0.5},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	for _, steps := range []int{AutoSteps, 4} { // all walks of this chain have ended by then
		if limited, err := (Markov{MaxSteps: steps}).Explain(p); err != nil || !reflect.DeepEqual(limited, want) {
			t.Errorf("%d steps: %+v, %v", steps, limited, err)
		}
	}
}

func TestExplainStatesOfOrderTwo(t *testing.T) {
	got, err := Markov{Order: 2}.Explain(build(t, parse(t, "a > b > a,1,0,0\nb,0,0,3")))
	want := []Transition{
		{StartState, "a > b", 0.25}, {StartState, "b", 0.75}, {"a > b", "b > a", 1}, {"b > a", ConversionState, 1}, {"b", NullState, 1},
	}
	if err != nil || !reflect.DeepEqual(got.Transitions, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// Nothing, and nothing that converts, is explained, too.
func TestExplainWithoutConversions(t *testing.T) {
	got, err := Markov{}.Explain(build(t, nil))
	if want := (&Explanation{Removal: credits()}); err != nil || len(got.Removal) != 0 || got.Transitions != nil || got.Conversion != 0 {
		t.Errorf("no paths: %+v, %v, want %+v", got, err, want)
	}
	for _, steps := range []int{0, AutoSteps, 1, 7} {
		got, err = Markov{MaxSteps: steps}.Explain(build(t, parse(t, "a > b,0,0,3")))
		want := &Explanation{Removal: credits(0, 0, 0, 0), Transitions: []Transition{
			{StartState, "a", 1}, {"a", "b", 1}, {"b", NullState, 1},
		}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d steps: %+v, %v, want %+v", steps, got, err, want)
		}
	}
}

// No effect is above 1, though the sum over states and the sum over paths round differently.
func TestExplainRounding(t *testing.T) {
	got, err := Markov{}.Explain(build(t, []line{
		{path: []string{"a"}, conversions: 1, value: 4.5}, {path: []string{"a", "a"}, conversions: 1, value: 0.015625000000000472},
	}))
	if err != nil || !reflect.DeepEqual(got.Removal, credits(1, 1)) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Removal effects are parts of 1, P(conversion) without a limit is the journeys' own, and what leaves a state is whole.
func TestExplanationsAreWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPaths(t, rt)
		m := Markov{Order: rapid.IntRange(1, MaxOrder).Draw(rt, "order"), MaxSteps: rapid.SampledFrom([]int{0, AutoSteps}).Draw(rt, "steps")}
		x, err := m.Explain(p)
		if err != nil {
			rt.Fatal(err)
		}
		for c, effect := range x.Removal {
			if !(effect.Conversions >= 0 && effect.Conversions <= 1 && effect.Value >= 0 && effect.Value <= 1) {
				rt.Errorf("%s: removal effects %v", p.Channels[c], effect)
			}
		}
		if journeys := p.Conversions / (p.Conversions + p.Nulls); m.MaxSteps == 0 && !near(x.Conversion, journeys) || x.Conversion > journeys*(1+1e-12) {
			rt.Errorf("P(conversion) %v, of the journeys %v", x.Conversion, journeys)
		}
		leaving := map[string]float64{}
		for _, step := range x.Transitions {
			leaving[step.From] += step.Probability
		}
		for state, sum := range leaving {
			if math.Abs(sum-1) > 1e-12 {
				rt.Errorf("%s leads on with probability %v", state, sum)
			}
		}
	})
}
