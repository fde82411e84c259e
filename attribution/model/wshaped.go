package model

import "github.com/touchline-hq/touchline/attribution"

// WShaped gives 30 per cent each to the first touch of a journey, the last up to the lead milestone and the last up to
// the opportunity milestone, and 10 per cent, evenly, to the rest: what won a person, a lead and a deal. A touch that is
// more than one of them has it all; without any rest the three share everything. Where a milestone is missing, credit is
// that of Position. It is the "W-shaped" rule of B2B marketing.
type WShaped struct {
	// Position is for journeys that lack a milestone.
	Position Position
}

var _ attribution.Milestoned = WShaped{}

// Name is "w_shaped".
func (WShaped) Name() string { return "w_shaped" }

// Milestoned says that credit depends on milestones.
func (WShaped) Milestoned() {}

// Fit adds up as Position does, with the same errors.
func (m WShaped) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	f, err := m.Position.Fit(paths)
	return wShaped{f}, err
}

type wShaped struct{ attribution.Fitted }

func (f wShaped) Shares(dst []int64, s attribution.Sequence) []int64 {
	if s.Lead == 0 || s.Opportunity == 0 || len(s.Channels) == 0 {
		return f.Fitted.Shares(dst, s)
	}
	return milestoneShares(resize(dst, len(s.Channels)), 0, s.Lead-1, s.Opportunity-1)
}

// milestoneShares fills shares, all zero yet, with nine tenths for the milestones alike and a tenth for the rest, or with
// everything for the milestones if there is no rest. A milestone is the index of its touch.
func milestoneShares(shares []int64, milestones ...int) []int64 {
	for _, i := range milestones {
		shares[i]++
	}
	rest := int64(0)
	for _, n := range shares {
		if n == 0 {
			rest++
		}
	}
	n, tenths := int64(len(milestones)), int64(10)
	if rest > 0 {
		tenths = 9
	}
	for i, on := range shares {
		if on == 0 {
			shares[i] = attribution.ShareUnit / 10 / rest
		} else {
			shares[i] = attribution.ShareUnit / 10 * tenths * on / n
		}
	}
	return settle(shares)
}
