package transform

import "github.com/touchline-hq/touchline/attribution"

// Unique leaves every touch as it is: each counts as an event of its own.
type Unique struct{}

var _ attribution.Transform = Unique{}

// Name is "unique".
func (Unique) Name() string { return "unique" }

// Steps are all touches.
func (Unique) Steps(dst []attribution.Step, touches []attribution.Channel, _ []string) []attribution.Step {
	for i := range touches {
		dst = append(dst, attribution.Step{Touch: i})
	}
	return dst
}
