package enrich

import (
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// What is kept of a text that only describes, in bytes. The rest is cut off: an event is worth more than the end of its
// title. What decides anything (ids, names, consent) is refused instead, by event.Validate; JSON is bounded by the size
// of its message.
const (
	MaxURL  = 4 << 10 // of url, path and referrer
	MaxText = 1 << 10 // of every other
)

// Bounds cuts texts that are too long.
type Bounds struct{}

// Enrich runs after the steps that read addresses: what counts in a long one is often at its end.
func (Bounds) Enrich(_ *collector.Project, _ *event.Client, e *event.Event) {
	for _, s := range [...]*string{&e.URL, &e.Path, &e.Referrer} {
		*s = clip(*s, MaxURL)
	}
	for _, s := range [...]*string{
		&e.Title, &e.Source, &e.Medium, &e.Campaign, &e.Term, &e.Content, &e.ClickID, &e.ClickIDType, &e.Language, &e.Timezone, &e.Library,
	} {
		*s = clip(*s, MaxText)
	}
}
