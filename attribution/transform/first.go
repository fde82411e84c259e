package transform

import "github.com/touchline-hq/touchline/attribution"

// First leaves the first touch of each channel: in which order channels came in, not how often.
type First struct{}

var _ attribution.Transform = First{}

// Name is "first".
func (First) Name() string { return "first" }

// Steps are the first touches of their channels.
func (First) Steps(dst []attribution.Step, touches []attribution.Channel, _ []string) []attribution.Step {
	d := distinct{steps: dst, touches: touches}
	for i, c := range touches {
		if d.find(c) == nil {
			d.add(attribution.Step{Touch: i})
		}
	}
	return d.steps
}
