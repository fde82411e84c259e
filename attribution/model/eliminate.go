package model

import (
	"sync"

	"github.com/touchline-hq/touchline/attribution"
)

// Columns of flows that are not states.
const (
	toConversion = iota
	toNull
	valueOf // what the flow to conversion is worth; not a flow itself
	outcomes
)

// flows is how many walks go from each of some states straight to each other and to the outcomes, whatever other
// states they pass in between.
type flows struct {
	states []int32
	stride int
	cells  []float64 // a row for each state: the outcomes, then the states in order
}

// eliminate solves the chain by state elimination. Taking a state away and handing what flowed through it to its
// neighbours, in proportion, leaves the walks between all other states as they were. So for each channel it takes away
// the states that do not hold it; what the rest then sends to conversion is what comes through the channel. Channels
// share the work by halves: what a half takes away is away for all its channels. As Grassmann, Taksar and Heyman,
// "Regenerative analysis and steady state distributions for Markov chains", Operations Research 33(5), 1985, showed,
// nothing is ever subtracted, so no digits cancel, however long walks take to end.
func (ch *chain) eliminate() []attribution.Credit {
	lost := make([]attribution.Credit, ch.channels)
	ch.flows().through(ch, 0, ch.channels, lost)
	return lost
}

func (ch *chain) flows() *flows {
	n := len(ch.states)
	f := &flows{make([]int32, n), outcomes + n, make([]float64, n*(outcomes+n))}
	for s := range f.states {
		f.states[s] = int32(s) //nolint:gosec // as in chain
		row := f.row(s)
		row[toConversion], row[toNull], row[valueOf] = ch.ended[s].Conversions, ch.nulls[s], ch.ended[s].Value
	}
	for _, e := range ch.edges {
		f.row(int(e.from))[outcomes+e.to] += e.flow
	}
	return f
}

func (f *flows) row(i int) []float64 { return f.cells[i*f.stride : (i+1)*f.stride] }

// through sets what is lost without each of the channels from lo to hi-1. All states hold one of them.
func (f *flows) through(ch *chain, lo, hi int, lost []attribution.Credit) {
	switch hi - lo {
	case 0:
	case 1:
		for i := range f.states {
			lost[lo].Conversions += f.row(i)[toConversion]
			lost[lo].Value += f.row(i)[valueOf]
		}
	default:
		mid := (lo + hi) / 2
		var half sync.WaitGroup
		half.Go(func() { f.within(ch, lo, mid).through(ch, lo, mid, lost) })
		f.within(ch, mid, hi).through(ch, mid, hi, lost)
		half.Wait()
	}
}

// within returns the flows between the states that hold a channel from lo to hi-1.
func (f *flows) within(ch *chain, lo, hi int) *flows {
	var kept, gone []int // rows of f
	for i, s := range f.states {
		if ch.holds(s, lo, hi) {
			kept = append(kept, i)
		} else {
			gone = append(gone, i)
		}
	}
	g := f.permute(append(kept, gone...))
	for len(g.states) > len(kept) {
		g.dropLast()
	}
	return g
}

// permute returns a copy with the states in another order.
func (f *flows) permute(order []int) *flows {
	n := len(order)
	g := &flows{make([]int32, n), outcomes + n, make([]float64, n*(outcomes+n))}
	for i, from := range order {
		g.states[i] = f.states[from]
		row, old := g.row(i), f.row(from)
		copy(row, old[:outcomes])
		for j, to := range order {
			row[outcomes+j] = old[outcomes+to]
		}
	}
	return g
}

// dropLast eliminates the last state.
func (f *flows) dropLast() {
	last := len(f.states) - 1
	f.states = f.states[:last]
	leads := f.row(last)[:outcomes+last] // without walks back to the state itself, which only delay what follows
	out := 0.0
	for to, flow := range leads {
		if to != valueOf {
			out += flow
		}
	}
	if out == 0 {
		return
	}
	for i := range last {
		row := f.row(i)
		in := row[outcomes+last]
		if in == 0 {
			continue
		}
		part := in / out
		for to, flow := range leads {
			row[to] += part * flow
		}
	}
}
