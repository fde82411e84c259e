package model

import (
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/attribution"
)

const (
	// lanes is how many channels are swept at once: one line of the processor's cache.
	lanes = 8
	// settled is how much of what is lost without a channel may be missing when sweeping ends.
	settled = 1e-13
)

// errUnsettled says that walks of the chain end too seldom for the number of sweeps allowed.
var errUnsettled = errors.New("does not settle")

// sweep solves the chain by Gauss-Seidel iteration. Look back from a state: the part of the journeys there that came
// through a channel is 1 where the state holds the channel, and else the mean of that part over where they came from,
// 0 at the start. Of the conversions that ended in the state, that part is lost. Sweeps over the states, forth and back
// in turn, bring the parts up from 0 until what is still to come is next to nothing. Where few states follow each other
// that takes far less time and memory than elimination. The error is errUnsettled.
func (ch *chain) sweep(limit int) ([]attribution.Credit, error) {
	lost := make([]attribution.Credit, ch.channels)
	through := ch.through()
	origins := ch.origins(through)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < ch.channels; lo += lanes {
		group.Go(func() error {
			return ch.sweepLanes(lo, through, origins, lost[lo:min(lo+lanes, len(lost))], limit)
		})
	}
	err := group.Wait()
	return lost, err
}

// origin is a state that journeys in another came from, with its part of all journeys there.
type origin struct {
	from int32
	part float64
}

// origins returns those of each state.
func (ch *chain) origins(through []float64) [][]origin {
	count := make([]int, len(ch.states))
	for _, e := range ch.edges {
		count[e.to]++
	}
	all := make([]origin, len(ch.edges))
	origins := make([][]origin, len(ch.states))
	for s, n := range count {
		origins[s], all = all[:0:n], all[n:]
	}
	for _, e := range ch.edges {
		origins[e.to] = append(origins[e.to], origin{e.from, e.flow / through[e.to]})
	}
	return origins
}

// sweepLanes sets what is lost without the channels from lo on. When to end is not told by how fast parts change, which
// may slow down for a while and go on, but by a bound. After a sweep a part is wrong, given those it is the mean of, by as
// much only as these changed later in the same sweep: over all states, weighed by the journeys there, by the sum of all
// changes, each times the journeys through its state. And what is wrong at a state is passed on to conversions by no more
// journeys than went through it, as walks visit states as often as journeys did. So of what is lost no more is missing
// than that sum.
func (ch *chain) sweepLanes(lo int, through []float64, origins [][]origin, lost []attribution.Credit, limit int) error {
	parts := make([][lanes]float64, len(ch.states))
	dearest := ch.dearest()
	for n := range limit {
		var missing [lanes]float64 // at most, of the conversions that are lost
		for s := range parts {
			if n%2 == 1 {
				s = len(parts) - 1 - s
			}
			next := ch.lookBack(s, lo, origins[s], parts)
			for lane, x := range next {
				missing[lane] += (x - parts[s][lane]) * through[s]
			}
			parts[s] = next
		}
		ch.lose(parts, lost)
		if complete(lost, missing, dearest) {
			return nil
		}
	}
	return errUnsettled
}

// dearest is the most that conversions which ended in a state are worth on average.
func (ch *chain) dearest() float64 {
	dearest := 0.0
	for _, ended := range ch.ended {
		if ended.Conversions > 0 {
			dearest = max(dearest, ended.Value/ended.Conversions)
		}
	}
	return dearest
}

// complete reports whether next to nothing is missing of what is lost, the value of conversions included.
func complete(lost []attribution.Credit, missing [lanes]float64, dearest float64) bool {
	for lane, l := range lost {
		if missing[lane] > settled*l.Conversions || missing[lane]*dearest > settled*l.Value {
			return false
		}
	}
	return true
}

// lookBack returns the parts of state s that follow from those of where its journeys came from.
func (ch *chain) lookBack(s, lo int, origins []origin, parts [][lanes]float64) [lanes]float64 {
	var next [lanes]float64
	for _, o := range origins {
		from := &parts[o.from]
		for lane := range next {
			next[lane] += o.part * from[lane]
		}
	}
	for tuple := ch.states[s]; tuple > 0; tuple >>= ch.width {
		if lane := ch.lastChannel(tuple) - lo; 0 <= lane && lane < lanes {
			next[lane] = 1
		}
	}
	return next
}

// lose sets what is lost without some channels.
func (ch *chain) lose(parts [][lanes]float64, lost []attribution.Credit) {
	clear(lost)
	for s, ended := range ch.ended {
		for lane := range lost {
			lost[lane].Conversions += parts[s][lane] * ended.Conversions
			lost[lane].Value += parts[s][lane] * ended.Value
		}
	}
}
