package model

import "github.com/touchline-hq/touchline/attribution"

// FullPath is WShaped with a fourth milestone, the conversion itself: 22.5 per cent each to the first touch of a journey,
// the last up to the lead milestone, the last up to the opportunity milestone and the closing touch, 10 per cent to the
// rest.
type FullPath struct {
	// Position is for journeys that lack a milestone.
	Position Position
}

var _ attribution.Milestoned = FullPath{}

// Name is "full_path".
func (FullPath) Name() string { return "full_path" }

// Milestoned says that credit depends on milestones.
func (FullPath) Milestoned() {}

// Fit adds up as Position does, with the same errors.
func (m FullPath) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	f, err := m.Position.Fit(paths)
	return fullPath{f}, err
}

type fullPath struct{ attribution.Fitted }

func (f fullPath) Shares(dst []int64, s attribution.Sequence) []int64 {
	if s.Lead == 0 || s.Opportunity == 0 || len(s.Channels) == 0 {
		return f.Fitted.Shares(dst, s)
	}
	return milestoneShares(resize(dst, len(s.Channels)), 0, s.Lead-1, s.Opportunity-1, len(s.Channels)-1)
}
