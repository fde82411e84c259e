package transform

import "github.com/touchline-hq/touchline/attribution"

// Exposure leaves the first of touches of one channel that follow each other: coming back by the same way is no news.
type Exposure struct{}

var _ attribution.Transform = Exposure{}

// Name is "exposure".
func (Exposure) Name() string { return "exposure" }

// Steps are the touches whose channel is another than that before.
func (Exposure) Steps(dst []attribution.Step, touches []attribution.Channel, _ []string) []attribution.Step {
	for i, c := range touches {
		if i == 0 || c != touches[i-1] {
			dst = append(dst, attribution.Step{Touch: i})
		}
	}
	return dst
}
