package model

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
)

func TestMilestoneShares(t *testing.T) {
	const percent = attribution.ShareUnit / 100
	for name, tt := range map[string]struct {
		touches, lead, opportunity int
		wShaped, fullPath          []int64
	}{
		"all apart, two between": {
			6, 2, 4,
			[]int64{30 * percent, 30 * percent, percent * 10 / 3, 30*percent + 1, percent * 10 / 3, percent * 10 / 3},
			[]int64{percent * 45 / 2, percent * 45 / 2, 5 * percent, percent * 45 / 2, 5 * percent, percent * 45 / 2},
		},
		"the lead's touch is the first": {
			4, 1, 3,
			[]int64{60 * percent, 5 * percent, 30 * percent, 5 * percent},
			[]int64{45 * percent, 10 * percent, percent * 45 / 2, percent * 45 / 2},
		},
		"the opportunity's is the last": {
			3, 2, 3,
			[]int64{333_333_333_333, 333_333_333_333, 333_333_333_334},
			[]int64{25 * percent, 25 * percent, 50 * percent},
		},
		"both on one touch": {
			3, 2, 2,
			[]int64{30 * percent, 60 * percent, 10 * percent},
			[]int64{25 * percent, 50 * percent, 25 * percent},
		},
		"the opportunity before the lead": {
			3, 3, 1,
			[]int64{60 * percent, 10 * percent, 30 * percent},
			[]int64{45 * percent, 10 * percent, 45 * percent},
		},
		"two touches": {
			2, 1, 2,
			[]int64{666_666_666_667, 333_333_333_333},
			[]int64{50 * percent, 50 * percent},
		},
		"one touch": {1, 1, 1, []int64{100 * percent}, []int64{100 * percent}},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, parse(t, "a,1,1,0"))
			s := attribution.Sequence{Channels: make([]attribution.Channel, tt.touches), Lead: tt.lead, Opportunity: tt.opportunity}
			if got := fit(t, WShaped{}, p).Shares(nil, s); !slices.Equal(got, tt.wShaped) {
				t.Errorf("w_shaped: %v, want %v", got, tt.wShaped)
			}
			if got := fit(t, FullPath{}, p).Shares(nil, s); !slices.Equal(got, tt.fullPath) {
				t.Errorf("full_path: %v, want %v", got, tt.fullPath)
			}
		})
	}
}

// Without one of the milestones, and in the sums over paths, which know none, credit is that of position.
func TestMissingMilestone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		position := rapid.SampledFrom([]Position{{}, {First: 0.3, Last: 0.1}}).Draw(rt, "position")
		p := build(t, drawLines(rt, 1))
		s := attribution.Sequence{Channels: make([]attribution.Channel, rapid.IntRange(0, 9).Draw(rt, "touches"))}
		milestone := rapid.SampledFrom([]*int{&s.Lead, &s.Opportunity}).Draw(rt, "milestone")
		*milestone = rapid.IntRange(0, len(s.Channels)).Draw(rt, "place")
		want := fit(t, position, p)
		for _, m := range []attribution.Model{WShaped{position}, FullPath{position}} {
			f := fit(t, m, p)
			if !slices.Equal(f.Totals(), want.Totals()) || !slices.Equal(f.Shares(nil, s), want.Shares(nil, s)) {
				rt.Errorf("%s: %v and %v, position: %v and %v", m.Name(), f.Totals(), f.Shares(nil, s), want.Totals(), want.Shares(nil, s))
			}
		}
	})
}
