package transform

import (
	"slices"

	"github.com/touchline-hq/touchline/attribution"
)

// Recency leaves the last touch of each channel, tagged by its place from the journey's end: 1 is the last touch of all.
// What Fractribution has published knows frequency only; this is its counterpart.
type Recency struct{}

var _ attribution.Transform = Recency{}

// Name is "recency".
func (Recency) Name() string { return "recency" }

// Steps are the last touches of their channels.
func (Recency) Steps(dst []attribution.Step, touches []attribution.Channel, _ []string) []attribution.Step {
	d := distinct{steps: dst, touches: touches}
	for i, c := range slices.Backward(touches) {
		if d.find(c) == nil {
			d.add(attribution.Step{Touch: i, Tag: len(touches) - i})
		}
	}
	slices.Reverse(d.steps)
	return d.steps
}
