package enrich

import (
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Page fills Host and Path from URL.
type Page struct{}

// Enrich sets the one or the other where it is empty. A host is in lower case and without its port.
func (Page) Enrich(_ *collector.Project, _ *event.Client, e *event.Event) {
	if e.URL == "" || e.Host != "" && e.Path != "" {
		return
	}
	u := splitURL(e.URL)
	if e.Host == "" {
		e.Host = u.host
	}
	if e.Path == "" {
		e.Path = u.path
	}
}
