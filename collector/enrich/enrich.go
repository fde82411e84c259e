// Package enrich completes events before they are made durable: the corrected time, where the person is, with what,
// whether it is a person at all, and which channel brought them. Its last step applies the project's privacy rules, so
// that nothing reaches the disk that the project does not keep.
//
// Steps fill what is empty; what an import already says about a field stands.
package enrich

import (
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Step fills fields of e in place. It keeps neither p nor c nor the bytes of c's strings, and is safe for concurrent
// use on different events.
type Step interface {
	Enrich(p *collector.Project, c *event.Client, e *event.Event)
}

// Pipeline runs steps in order. It is a Step itself.
type Pipeline []Step

// Enrich runs every step on e.
func (pl Pipeline) Enrich(p *collector.Project, c *event.Client, e *event.Event) {
	for _, step := range pl {
		step.Enrich(p, c, e)
	}
}

// New returns all steps in the order in which they build on each other: the host before the channel that compares it
// with the referrer's, bounds after everything that reads an address, privacy after everything that needs one or a query.
// geo may be nil: no country then.
func New(geo *Geo) Pipeline {
	readings := newReadings()
	pl := Pipeline{NewClock(), Page{}, UserAgent{readings}, Bot{readings}, Channel{}}
	if geo != nil {
		pl = append(pl, geo)
	}
	return append(pl, Bounds{}, Privacy{})
}
