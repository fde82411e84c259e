package enrich

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/event"
)

// Every text of an event that passed validation and all steps has a bound, whatever was sent.
func TestEveryTextIsBounded(t *testing.T) {
	e := event.Event{Type: event.Page}
	long := "https://shop.example/" + strings.Repeat("ä", 20_000) + "?gclid=" + strings.Repeat("g", 5000) + "&utm_campaign=spring"
	sent := []*string{
		&e.URL, &e.Path, &e.Title, &e.Referrer, &e.Source, &e.Medium, &e.Term, &e.Content, &e.Channel,
		&e.ClickIDType, &e.Language, &e.Timezone, &e.Library,
	}
	for _, s := range sent {
		*s = long
	}
	client := event.Client{UserAgent: long, Hints: event.Hints{Brands: long, Platform: long, Mobile: long}}
	New(nil).Enrich(project, &client, &e)
	v := reflect.ValueOf(e)
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if field.Kind() != reflect.String {
			continue
		}
		most := MaxText
		switch name {
		case "URL", "Path", "Referrer":
			most = MaxURL
		case "ID", "Name", "MessageID", "AnonymousID", "UserID", "AccountID", "PreviousID", "OrderID":
			most = event.MaxID
		}
		if s := field.String(); len(s) > most || !utf8.ValidString(s) {
			t.Errorf("%s has %d bytes; want at most %d, of whole characters", name, len(s), most)
		}
	}
	if len(e.URL) != MaxURL-1 || len(e.Title) != MaxText-1 || len(e.ClickID) != MaxText {
		t.Errorf("url has %d bytes, title %d, click id %d: cut too far", len(e.URL), len(e.Title), len(e.ClickID))
	}
}

// What is at the end of a long address counts, though it is not kept.
func TestBoundsComeAfterTheChannel(t *testing.T) {
	e := event.Event{Type: event.Page, URL: "https://shop.example/?q=" + strings.Repeat("q", MaxURL) + "&utm_source=news&utm_medium=email"}
	New(nil).Enrich(project, &event.Client{}, &e)
	if e.Source != "news" || e.Channel != Email || len(e.URL) != MaxURL {
		t.Errorf("source %q, channel %q, %d bytes of url", e.Source, e.Channel, len(e.URL))
	}
}
