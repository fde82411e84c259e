package enrich

import (
	"testing"

	"github.com/touchline-hq/touchline/event"
)

func TestPage(t *testing.T) {
	for name, c := range map[string]struct{ before, want event.Event }{
		"both":          {event.Event{URL: "https://Shop.Example:8443/a?b#c"}, event.Event{Host: "shop.example", Path: "/a"}},
		"host is known": {event.Event{URL: "https://x.example/a", Host: "y.example"}, event.Event{Host: "y.example", Path: "/a"}},
		"path is known": {event.Event{URL: "https://x.example/a", Path: "/b"}, event.Event{Host: "x.example", Path: "/b"}},
		"no URL":        {event.Event{}, event.Event{}},
	} {
		got := c.before
		Page{}.Enrich(nil, nil, &got)
		c.want.URL = c.before.URL
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
