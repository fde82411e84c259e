package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/touchline-hq/touchline/attribution"
)

type pairsReport struct {
	reportFlags
	topFlag
}

func (c *pairsReport) Run(ctx context.Context, g *globals) error {
	if err := checkTop(c.Top); err != nil {
		return err
	}
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		groups, err := r.db.PathGroups(ctx, r.selection, attribution.PathPairs, everything)
		pairs := channelPairs(groups)
		return pairTable(pairs[:min(c.Top, len(pairs))]), err
	})
}

// channelPair is the journeys that have one or both of two channels. What has both is ab and ba together.
type channelPair struct {
	a, b         string // in alphabetical order
	aOnly, bOnly attribution.PathGroup
	both, ab, ba attribution.PathGroup // ab: the first touch of a is before the first of b
}

// channelPairs makes pairs of the groups of PathPairs, those that meet in most journeys first.
func channelPairs(groups []attribution.PathGroup) []channelPair {
	single := map[string]attribution.PathGroup{}
	index := map[[2]string]*channelPair{}
	for _, g := range groups {
		if len(g.Key) == 1 {
			single[g.Key[0]] = g
			continue
		}
		names := [2]string{min(g.Key[0], g.Key[1]), max(g.Key[0], g.Key[1])}
		p := index[names]
		if p == nil {
			p = &channelPair{a: names[0], b: names[1]}
			index[names] = p
		}
		if g.Key[0] == p.a {
			p.ab = g
		} else {
			p.ba = g
		}
	}
	pairs := make([]channelPair, 0, len(index))
	for _, p := range index {
		p.both = attribution.PathGroup{Conversions: p.ab.Conversions + p.ba.Conversions, Nulls: p.ab.Nulls + p.ba.Nulls}
		p.aOnly, p.bOnly = without(single[p.a], p.both), without(single[p.b], p.both)
		pairs = append(pairs, *p)
	}
	slices.SortFunc(pairs, func(p, q channelPair) int {
		return cmp.Or(cmp.Compare(journeys(q.both), journeys(p.both)), cmp.Compare(q.both.Conversions, p.both.Conversions),
			cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b))
	})
	return pairs
}

// without is the journeys of all that are not among some.
func without(all, some attribution.PathGroup) attribution.PathGroup {
	return attribution.PathGroup{Conversions: all.Conversions - some.Conversions, Nulls: all.Nulls - some.Nulls}
}

func journeys(g attribution.PathGroup) int64 { return g.Conversions + g.Nulls }

func pairTable(pairs []channelPair) *table {
	t := &table{header: []string{
		"a", "b", "a_only", "a_only_percent", "b_only", "b_only_percent", "both", "both_percent",
		"a_before_b", "a_before_b_percent", "b_before_a", "b_before_a_percent",
	}}
	for _, p := range pairs {
		row := []cell{text(p.a), text(p.b)}
		for _, g := range []attribution.PathGroup{p.aOnly, p.bOnly, p.both, p.ab, p.ba} {
			row = append(row, count(journeys(g)), ratio(g.Conversions, journeys(g), 100))
		}
		t.rows = append(t.rows, row)
	}
	return t
}
