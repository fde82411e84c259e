package transform

import "github.com/touchline-hq/touchline/attribution"

// Frequency leaves the first touch of each channel, tagged by how many the journey has of it.
type Frequency struct{}

var _ attribution.Transform = Frequency{}

// Name is "frequency".
func (Frequency) Name() string { return "frequency" }

// Steps are the first touches of their channels.
func (Frequency) Steps(dst []attribution.Step, touches []attribution.Channel, _ []string) []attribution.Step {
	d := distinct{steps: dst, touches: touches}
	for i, c := range touches {
		if step := d.find(c); step != nil {
			step.Tag++
		} else {
			d.add(attribution.Step{Touch: i, Tag: 1})
		}
	}
	return d.steps
}
