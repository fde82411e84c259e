package model

import (
	"errors"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/attribution"
)

const (
	// lanes is how many channels are swept at once: one line of the processor's cache.
	lanes = 8
	// rounding is the relative change that is none: the last bit of a number.
	rounding = 0x1p-52
	// settled is the relative change still to come at which sweeping ends.
	settled = 1e-14
)

// errUnsettled says that walks of the chain end too seldom for the number of sweeps allowed.
var errUnsettled = errors.New("does not settle")

// sweep solves the chain by Gauss-Seidel iteration. Look back from a state: the part of the journeys there that came
// through a channel is 1 where the state holds the channel, and else the mean of that part over where they came from,
// 0 at the start. Of the conversions that ended in the state, that part is lost. Sweeps over the states, forth and back
// in turn, bring the parts up from 0 until what is still to come is too little for a number to hold. Where few states
// follow each other that takes far less time and memory than elimination. The error is errUnsettled.
func (ch *chain) sweep(limit int) ([]attribution.Credit, error) {
	lost := make([]attribution.Credit, ch.channels)
	origins := ch.origins()
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < ch.channels; lo += lanes {
		group.Go(func() error {
			parts, err := ch.sweepLanes(lo, origins, limit)
			ch.lose(lo, parts, lost)
			return err
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
func (ch *chain) origins() [][]origin {
	through := ch.through()
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

// sweepLanes returns, for each state, the parts that came through the channels from lo on.
func (ch *chain) sweepLanes(lo int, origins [][]origin, limit int) ([][lanes]float64, error) {
	parts := make([][lanes]float64, len(ch.states))
	change := 1.0 // the largest of a sweep, as part of the new number
	for n := range limit {
		before := change
		change = 0
		for s := range parts {
			if n%2 == 1 {
				s = len(parts) - 1 - s
			}
			next := ch.lookBack(s, lo, origins[s], parts)
			for lane, x := range next {
				if x != parts[s][lane] {
					change = max(change, math.Abs(x-parts[s][lane])/x)
				}
			}
			parts[s] = next
		}
		rate := change / before
		if change <= rounding || rate < 1 && change*rate/(1-rate) <= settled {
			return parts, nil
		}
	}
	return parts, errUnsettled
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

// lose sets what is lost without the channels from lo on.
func (ch *chain) lose(lo int, parts [][lanes]float64, lost []attribution.Credit) {
	lost = lost[lo:min(lo+lanes, len(lost))]
	for s, ended := range ch.ended {
		for lane := range lost {
			lost[lane].Conversions += parts[s][lane] * ended.Conversions
			lost[lane].Value += parts[s][lane] * ended.Value
		}
	}
}
