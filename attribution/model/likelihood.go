package model

import (
	"hash/fnv"
	"math"
	"math/bits"

	"github.com/touchline-hq/touchline/attribution"
)

const (
	// heldOut is of how many paths one is not learnt from, but predicted.
	heldOut = 5
	// unseen is added to how often each step was seen, so that no step is impossible (Krichevsky and Trofimov, "The
	// performance of universal encoding", IEEE Transactions on Information Theory 27(2), 1981).
	unseen = 0.5
)

// holdOut chooses the rows that are not learnt from, by their channels' names: so all hours of a path are on one side.
func holdOut(paths *attribution.Paths) []bool {
	held := make([]bool, len(paths.Rows))
	for i, row := range paths.Rows {
		hash := fnv.New64a()
		for _, c := range row.Touches {
			hash.Write([]byte(paths.Channels[c])) // never fails
			hash.Write([]byte{0})
		}
		held[i] = hash.Sum64()%heldOut == 0
	}
	return held
}

// step leads from what came before, packed as in a chain, to a channel's number from 1, or to an outcome.
type step struct {
	from uint64
	to   uint32
}

// Outcomes, which no channel has the number of.
const (
	stepToConversion = math.MaxUint32 - iota
	stepToNull
)

// eachStep calls f with the steps of a journey, each from as many touches before it as the window holds, and with how
// many journeys went that step.
func eachStep(row attribution.Row, width int, window uint64, f func(s step, journeys float64)) {
	before := uint64(0)
	for _, c := range row.Touches {
		f(step{before, uint32(c) + 1}, row.Conversions+row.Nulls)
		before = (before<<width | uint64(c) + 1) & window
	}
	f(step{before, stepToConversion}, row.Conversions)
	f(step{before, stepToNull}, row.Nulls)
}

// likelihood is as in OrderFit. It takes journeys touch by touch, repeats included, so that all orders predict the same.
func likelihood(paths *attribution.Paths, held []bool, order int) float64 {
	width := bits.Len(uint(len(paths.Channels)))
	window := uint64(1)<<(order*width) - 1
	from, to := make(map[uint64]float64), make(map[step]float64)
	for i, row := range paths.Rows {
		if !held[i] {
			eachStep(row, width, window, func(s step, journeys float64) {
				from[s.from] += journeys
				to[s] += journeys
			})
		}
	}
	sum, all := 0.0, 0.0
	kinds := float64(len(paths.Channels) + 2)
	for i, row := range paths.Rows {
		if held[i] {
			all += row.Conversions + row.Nulls
			eachStep(row, width, window, func(s step, journeys float64) {
				sum += journeys * math.Log((to[s]+unseen)/(from[s.from]+unseen*kinds))
			})
		}
	}
	if all == 0 {
		return 0
	}
	return sum / all
}
