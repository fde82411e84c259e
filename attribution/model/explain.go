package model

import (
	"slices"
	"strings"

	"github.com/touchline-hq/touchline/attribution"
)

// Explanation is what Markov's credit comes from.
type Explanation struct {
	// Conversion is P(conversion): the part of all walks that convert.
	Conversion float64
	// Removal is the removal effects of each channel, in the order of Paths.Channels: of conversions and of value, each
	// from 0 to 1.
	Removal []attribution.Credit
	// Transitions are those that occur, those from the start first, and of each state in the order in which paths bring
	// them up, to conversion and null last.
	Transitions []Transition
}

// Transition is a step of a walk. States are called by their channels, joined by " > "; the others are below.
type Transition struct {
	From, To    string
	Probability float64
}

// What transitions call the states that hold no channel.
const (
	StartState      = "(start)"
	ConversionState = "(conversion)"
	NullState       = "(null)"
)

// Explain builds and solves the chain, as Fit does and with the same errors.
func (m Markov) Explain(paths *attribution.Paths) (*Explanation, error) {
	ch, lost, err := m.solve(paths)
	if err != nil {
		return nil, err
	}
	x := &Explanation{Removal: lost, Transitions: ch.transitions(paths.Channels)}
	for c := range lost {
		lost[c].Conversions = part(lost[c].Conversions, ch.converts.Conversions)
		lost[c].Value = part(lost[c].Value, ch.converts.Value)
	}
	x.Conversion = part(ch.converts.Conversions, paths.Conversions+paths.Nulls)
	return x, nil
}

// part is x ÷ whole, at most 1 in spite of rounding, and 0 of nothing.
func part(x, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return min(x/whole, 1)
}

func (ch *chain) transitions(channels []string) []Transition {
	names := make([]string, len(ch.states))
	for s, tuple := range ch.states {
		names[s] = ch.stateName(tuple, channels)
	}
	var all []Transition
	journeys := 0.0
	for _, start := range ch.start {
		journeys += start
	}
	for s, start := range ch.start {
		if start > 0 {
			all = append(all, Transition{StartState, names[s], start / journeys})
		}
	}
	through := ch.through()
	steps := make([][]Transition, len(ch.states))
	for _, e := range ch.edges {
		steps[e.from] = append(steps[e.from], Transition{names[e.from], names[e.to], e.flow / through[e.from]})
	}
	for s, flow := range through {
		all = append(all, steps[s]...)
		if c := ch.ended[s].Conversions; c > 0 {
			all = append(all, Transition{names[s], ConversionState, c / flow})
		}
		if n := ch.nulls[s]; n > 0 {
			all = append(all, Transition{names[s], NullState, n / flow})
		}
	}
	return all
}

// stateName joins the channels of a tuple, of which the last comes first.
func (ch *chain) stateName(tuple uint64, channels []string) string {
	var names []string
	for ; tuple > 0; tuple >>= ch.width {
		names = append(names, channels[ch.lastChannel(tuple)])
	}
	slices.Reverse(names)
	return strings.Join(names, " > ")
}
