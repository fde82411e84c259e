package transform

import "github.com/touchline-hq/touchline/attribution"

// IgnoreDirect drops Direct touches from journeys that have others, converting or not: somebody who types the address
// has mostly learnt it elsewhere. A journey of Direct touches only stays as it is.
type IgnoreDirect struct{}

var _ attribution.Transform = IgnoreDirect{}

// Name is "ignore".
func (IgnoreDirect) Name() string { return "ignore" }

// Steps are the touches of other channels, if there are any.
func (IgnoreDirect) Steps(dst []attribution.Step, touches []attribution.Channel, names []string) []attribution.Step {
	for i, c := range touches {
		if names[c] != attribution.Direct {
			dst = append(dst, attribution.Step{Touch: i})
		}
	}
	if len(dst) == 0 {
		return Unique{}.Steps(dst, touches, names)
	}
	return dst
}
