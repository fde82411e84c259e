package model

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/touchline-hq/touchline/attribution"
)

// MaxOrder is the highest order of Markov: more channels in a state than that, and few states are ever met again.
const MaxOrder = 4

// Limits without which a file could ask for more memory or time than there is.
const (
	maxMarkovChannels = 1 << 14
	// maxDense is the most states that are eliminated: on two cores that takes about half a minute, and 300 MB.
	maxDense = 3000
	// fewDense is the most states that are eliminated whatever else could be done: at most a tenth of a second.
	fewDense = 512
	// fewSweeps and maxSweeps bound sweeping where elimination is a way out, and where it is not. Most chains settle
	// in less than a hundred.
	fewSweeps = 2_000
	maxSweeps = 100_000
)

// Markov gives channels credit in proportion to their removal effects in a Markov chain that is fitted to the journeys
// (Anderl, Becker, von Wangenheim and Schumann, "Mapping the customer journey", International Journal of Research in
// Marketing 33(3), 2016): the share of conversions that would be lost if the channel led nowhere.
//
// The chain is that of the R package ChannelAttribution, so that numbers can be compared, but solved in closed form
// instead of simulated, and without a limit to the steps of a walk unless MaxSteps sets one. A state is the sliding
// k-tuple of channels; a path shorter than k is one short state; equal consecutive states collapse. A walk goes from the
// start to a journey's first state, from state to state as often as journeys did, converting or not, and from a
// journey's last state to conversion or null. The removal effect of a channel is 1 − P(conversion with every state that
// holds it sent to null) / P(conversion). Credit is its part of the sum of all removal effects, times the conversions. For
// value, a converting walk earns the mean value of the conversions that ended in its last state; those removal effects are
// normalised on their own. Where there are conversions, the channels of the states they ended in have removal effects
// above zero, and so has their sum. A walk that has not converted at the limit is a null, with all channels and without one.
//
// One conversion is split over its touches in proportion to the removal effects, for conversions, of their channels;
// evenly, if all of these are zero. So shares of single conversions do not add up to the totals by channel, only both
// to the same conversions.
type Markov struct {
	// Order is k, from 1 to 4, or AutoOrder. 0 means 1.
	Order int
	// MaxSteps is after how many steps walks stop, those from the start and to conversion or null included. 0 means
	// never, AutoSteps after as many as the longest of the journeys took.
	MaxSteps int
}

// AutoSteps is the limit to the steps of a walk that ChannelAttribution has: the states of the longest journey, and one.
const AutoSteps = -1

var _ attribution.Model = Markov{}

// Name is "markov", whatever the order.
func (Markov) Name() string { return "markov" }

// Fit builds and solves the chain. The error is about the order or the steps, or about more channels than a chain of
// it can have.
func (m Markov) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	_, lost, err := m.solve(paths)
	if err != nil {
		return nil, err
	}
	var sum attribution.Credit
	for _, l := range lost {
		sum.Conversions += l.Conversions
		sum.Value += l.Value
	}
	t := make(totals, len(lost))
	for c, l := range lost {
		if sum.Conversions > 0 {
			t[c].Conversions = l.Conversions / sum.Conversions * paths.Conversions
		}
		if sum.Value > 0 {
			t[c].Value = l.Value / sum.Value * paths.Value
		}
	}
	return markov{t, lost}, nil
}

// solve returns the chain and what would be lost without each channel.
func (m Markov) solve(paths *attribution.Paths) (*chain, []attribution.Credit, error) {
	if m.Order < AutoOrder || m.Order > MaxOrder {
		return nil, nil, fmt.Errorf("markov: order %d is not between 1 and %d", m.Order, MaxOrder)
	}
	if m.MaxSteps < AutoSteps {
		return nil, nil, fmt.Errorf("markov: %d steps are too few; 0 means without a limit", m.MaxSteps)
	}
	if err := checkChannels(paths); err != nil {
		return nil, nil, err
	}
	order := max(m.Order, 1)
	if m.Order == AutoOrder {
		fits, err := CompareOrders(paths)
		if err != nil {
			return nil, nil, err
		}
		order = BestByLikelihood(fits)
	}
	ch := newChain(paths, order)
	lost, err := ch.lost(m.MaxSteps)
	if err != nil {
		return nil, nil, fmt.Errorf("markov: order %d: %w", order, err)
	}
	return ch, lost, nil
}

func checkChannels(paths *attribution.Paths) error {
	if n := len(paths.Channels); n > maxMarkovChannels {
		return fmt.Errorf("markov: %d channels are too many, at most %d make a chain; group them", n, maxMarkovChannels)
	}
	return nil
}

type markov struct {
	totals
	lost []attribution.Credit // see chain.solve
}

var _ attribution.SeparateTotals = markov{}

func (markov) SeparateTotals() {}

func (m markov) Shares(dst []int64, s attribution.Sequence) []int64 {
	dst = resize(dst, len(s.Channels))
	sum := 0.0
	for _, c := range s.Channels {
		sum += m.lost[c].Conversions
	}
	if sum == 0 {
		return equalShares(dst)
	}
	for i, c := range s.Channels {
		dst[i] = int64(m.lost[c].Conversions / sum * attribution.ShareUnit)
	}
	return settle(dst)
}

// chain is the flow of journeys through states, as counted. What flows into a state flows out of it.
type chain struct {
	channels int
	width    int      // bits of a channel in a state
	states   []uint64 // each the packed channels of its tuple, by number from 1; a short tuple has zeros for the rest
	edges    []edge   // between states, never from a state to itself
	start    []float64
	ended    []attribution.Credit // conversions that ended in the state, and their value
	nulls    []float64
	longest  int // states of the longest journey

	// What converts, and what it is worth: all of it, but for walks that a limit to their steps stops.
	converts attribution.Credit
}

// edge is how many journeys went from one state to the next.
type edge struct {
	from, to int32
	flow     float64
}

// newChain counts the steps of all journeys. States and edges are numbered as the rows bring them up.
func newChain(paths *attribution.Paths, order int) *chain {
	ch := &chain{
		channels: len(paths.Channels), width: bits.Len(uint(len(paths.Channels))),
		converts: attribution.Credit{Conversions: paths.Conversions, Value: paths.Value},
	}
	window := uint64(1)<<(order*ch.width) - 1
	states := make(map[uint64]int32)
	edges := make(map[uint64]int32) // by from and the channel that leads on
	for _, row := range paths.Rows {
		journeys := row.Conversions + row.Nulls
		first := min(order, len(row.Touches))
		tuple := uint64(0)
		for _, c := range row.Touches[:first] {
			tuple = tuple<<ch.width | uint64(c) + 1
		}
		state := ch.state(states, tuple)
		ch.start[state] += journeys
		visited := 1
		for _, c := range row.Touches[first:] {
			next := (tuple<<ch.width | uint64(c) + 1) & window
			if next == tuple {
				continue
			}
			tuple = next
			visited++
			step := uint64(state)<<32 | uint64(c) //nolint:gosec // states are not negative
			e, ok := edges[step]
			if !ok {
				e = int32(len(ch.edges)) //nolint:gosec // 2^31 edges do not fit into memory
				edges[step] = e
				ch.edges = append(ch.edges, edge{from: state, to: ch.state(states, next)})
			}
			ch.edges[e].flow += journeys
			state = ch.edges[e].to
		}
		ch.longest = max(ch.longest, visited)
		ch.ended[state].Conversions += row.Conversions
		ch.ended[state].Value += row.Value
		ch.nulls[state] += row.Nulls
	}
	return ch
}

// state returns the number of a tuple's state, which it adds if it is new.
func (ch *chain) state(known map[uint64]int32, tuple uint64) int32 {
	s, ok := known[tuple]
	if !ok {
		s = int32(len(ch.states)) //nolint:gosec // 2^31 states do not fit into memory
		known[tuple] = s
		ch.states = append(ch.states, tuple)
		ch.start = append(ch.start, 0)
		ch.ended = append(ch.ended, attribution.Credit{})
		ch.nulls = append(ch.nulls, 0)
	}
	return s
}

// through returns how many journeys went through each state, counted as often as they came there.
func (ch *chain) through() []float64 {
	through := slices.Clone(ch.start)
	for _, e := range ch.edges {
		through[e.to] += e.flow
	}
	return through
}

// holds reports whether state s holds any channel from lo to hi-1.
func (ch *chain) holds(s int32, lo, hi int) bool {
	for tuple := ch.states[s]; tuple > 0; tuple >>= ch.width {
		if c := ch.lastChannel(tuple); lo <= c && c < hi {
			return true
		}
	}
	return false
}

func (ch *chain) lastChannel(tuple uint64) int {
	return int(tuple&(1<<ch.width-1)) - 1 //nolint:gosec // a channel has few bits
}

// lost is solve, within a number of steps as in Markov.
func (ch *chain) lost(steps int) ([]attribution.Credit, error) {
	switch steps {
	case 0:
		return ch.solve()
	case AutoSteps:
		return ch.walk(ch.longest+1, maxMoves)
	default:
		return ch.walk(steps, maxMoves)
	}
}

// solve returns the conversions, and the value, that would be lost if a channel led nowhere: its removal effects, times
// all conversions and all value. The error is about a chain that is too large for elimination, and whose walks too
// seldom end for sweeping.
//
// Flow is conserved, so a walk of the chain visits a state as often as the journeys did, and the chain's probability of
// conversion is theirs. What remains to be solved is which part of the conversions came through a state that holds the
// channel.
func (ch *chain) solve() ([]attribution.Credit, error) {
	n := len(ch.states)
	if n <= fewDense || n <= maxDense && n*n*n <= 64*len(ch.edges)*ch.channels {
		return ch.eliminate(), nil
	}
	if n > maxDense {
		lost, err := ch.sweep(maxSweeps)
		if err != nil {
			return nil, fmt.Errorf("a chain of %d states %w: too many for journeys this long; use a lower order", n, err)
		}
		return lost, nil
	}
	lost, err := ch.sweep(fewSweeps)
	if errors.Is(err, errUnsettled) {
		return ch.eliminate(), nil
	}
	return lost, err
}
