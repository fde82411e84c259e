package model

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/attribution"
)

const (
	// maxMoves bounds the work of following walks, in steps along an edge for a group of channels: six minutes on a core.
	maxMoves = 3e10
	// allEnded is the part of all walks that may be under way still when no more are followed: far less than the fewest
	// conversions are of the most nulls.
	allEnded = 1e-40
)

// walkers are walks in a state, or visits of walks to it: all of them, and those that came through each of some channels.
type walkers struct {
	all     float64
	through [lanes]float64
}

// walk is solve for walks that stop after some steps: one from the start to a state, some from state to state, one to
// conversion. It moves all walks on step by step, and with them those that have come through a channel by then, so
// nothing is ever subtracted. Memory does not depend on the steps. The error says that no walk converts that soon, or
// that following them takes more moves than allowed.
func (ch *chain) walk(steps, moves int) ([]attribution.Credit, error) {
	through := ch.through()
	lost := make([]attribution.Credit, ch.channels)
	before := ch.converts
	group, failed := errgroup.WithContext(context.Background())
	group.SetLimit(runtime.GOMAXPROCS(0))
	for lo := 0; lo < ch.channels; lo += lanes {
		group.Go(func() error {
			if err := failed.Err(); err != nil { // another group's walks do not end, so nor do these
				return err
			}
			visits, err := ch.follow(lo, steps, moves, through)
			if err != nil {
				return err
			}
			all := ch.loseVisits(visits, through, lost[lo:min(lo+lanes, len(lost))])
			if lo == 0 {
				ch.converts = all
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if before.Conversions > 0 && ch.converts.Conversions == 0 {
		return nil, fmt.Errorf("no walk converts within %d steps; allow more", steps)
	}
	if before.Value > 0 && ch.converts.Value == 0 {
		return nil, fmt.Errorf("no walk that is worth anything converts within %d steps; allow more", steps)
	}
	return lost, nil
}

var errTooManySteps = errors.New("too many to follow; use a lower order, fewer steps, or no limit to them")

// follow returns how often walks visit each state before they stop, for the channels from lo on.
func (ch *chain) follow(lo, steps, moves int, through []float64) ([]walkers, error) {
	n := len(ch.states)
	now, next, visits := make([]walkers, n), make([]walkers, n), make([]walkers, n)
	journeys := 0.0
	for s, start := range ch.start {
		now[s].all = start
		journeys += start
	}
	groups := (ch.channels + lanes - 1) / lanes
	limit := moves / max((n+len(ch.edges))*groups, 1)
	for step := 1; step < steps; step++ { // after which walks are in states, for one step more at least
		under := ch.arrive(now, visits, lo)
		if under <= allEnded*journeys {
			break
		}
		if step > limit {
			return nil, fmt.Errorf("walks of a chain of %d states are under way after %d steps: %w", n, step, errTooManySteps)
		}
		clear(next)
		for _, e := range ch.edges {
			from, to, part := &now[e.from], &next[e.to], e.flow/through[e.from]
			to.all += part * from.all
			for lane := range to.through {
				to.through[lane] += part * from.through[lane]
			}
		}
		now, next = next, now
	}
	return visits, nil
}

// arrive takes note of where walks are now, and adds that to the visits. It returns how many they are.
func (ch *chain) arrive(now, visits []walkers, lo int) float64 {
	under := 0.0
	for s := range now {
		w, v := &now[s], &visits[s]
		for tuple := ch.states[s]; tuple > 0; tuple >>= ch.width {
			if lane := ch.lastChannel(tuple) - lo; 0 <= lane && lane < lanes {
				w.through[lane] = w.all
			}
		}
		v.all += w.all
		for lane, x := range w.through {
			v.through[lane] += x
		}
		under += w.all
	}
	return under
}

// loseVisits sets what is lost without each of some channels, and returns what converts with all of them.
func (ch *chain) loseVisits(visits []walkers, through []float64, lost []attribution.Credit) attribution.Credit {
	var all attribution.Credit
	for s, ended := range ch.ended {
		v, conversions, value := &visits[s], ended.Conversions/through[s], ended.Value/through[s]
		all.Conversions += v.all * conversions
		all.Value += v.all * value
		for lane := range lost {
			lost[lane].Conversions += v.through[lane] * conversions
			lost[lane].Value += v.through[lane] * value
		}
	}
	return all
}
