package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/event"
)

// memory lists two messages at a time and refuses events called poison.
type memory struct {
	list     []collector.Rejected
	events   map[string]event.Event
	replayed []string
	failMark bool
}

func (m *memory) After(_ context.Context, last *collector.Rejected) ([]collector.Rejected, error) {
	start := 0
	if last != nil {
		for start < len(m.list) && m.list[start].Hash <= last.Hash {
			start++
		}
	}
	return m.list[start:min(start+2, len(m.list))], nil
}

func (m *memory) Unmarshal(payload string) (e event.Event, err error) {
	err = json.Unmarshal([]byte(payload), &e)
	return e, err
}

func (m *memory) Insert(_ context.Context, _ string, events []event.Event) error {
	for _, e := range events {
		if e.Name == "poison" {
			return fmt.Errorf("insert: %w", &collector.RefusedError{Reason: "POISON", Detail: "poison"})
		}
	}
	for _, e := range events {
		m.events[e.MessageID] = e
	}
	return nil
}

var errAway = errors.New("away")

func (m *memory) MarkReplayed(_ context.Context, _ string, replayed []collector.Rejected) error {
	if m.failMark {
		return errAway
	}
	for _, r := range replayed {
		m.replayed = append(m.replayed, r.Hash+" "+r.Reason)
		m.list = slices.DeleteFunc(slices.Clone(m.list), func(l collector.Rejected) bool { return l.Hash == r.Hash })
	}
	return nil
}

func refused(hash, reason string, payload any) collector.Rejected {
	text := ""
	if payload != nil {
		b, err := json.Marshal(payload)
		if err != nil {
			panic(err)
		}
		text = string(b)
	}
	return collector.Rejected{RefusedMessage: collector.RefusedMessage{
		Project: "shop", Reason: reason, Hash: hash, Payload: text, ReceivedAt: 1_800_000_000_000,
	}}
}

func kept(message string) *collector.RefusedPayload {
	return &collector.RefusedPayload{
		Message: json.RawMessage(message), Origin: event.OriginBrowser, Seq: 3, Browser: "Chrome", Country: "DE",
	}
}

func TestReplay(t *testing.T) {
	large := `{"messageId":"large","type":"page","userId":"u","properties":{"a":"` + strings.Repeat("a", 200) + `"},"context":{"ip":"203.0.113.0","page":{"url":"https://shop.example/?utm_source=news&utm_medium=email"}}}`
	objector := kept(`{"messageId":"objector","type":"page","userId":"u"}`)
	objector.DoNotTrack = true
	row := refused("6", "VIOLATED_CONSTRAINT", event.Event{Project: "shop", MessageID: "row", ReceivedAt: 5})
	row.RefusedBy = collector.ByDatabase
	poison := kept(`{"messageId":"poison","type":"track","event":"poison","properties":{"revenue":1}}`)
	m := &memory{events: make(map[string]event.Event), list: []collector.Rejected{
		refused("1", "too large", kept(large)), refused("2", "malformed", nil), refused("3", "invalid event", kept(`{"type":"track"}`)),
		refused("4", "too large", poison), refused("5", "too large", objector), row,
	}}
	r := &Replayer{
		Project: &collector.Project{ID: "shop", Currency: "EUR", RespectGPC: true}, Store: m,
		Decode: &decode.Decoder{MaxEvent: 100}, Enrich: enrich.New(nil),
	}
	run := func(replayed, again map[string]int) {
		t.Helper()
		report, err := r.Run(t.Context())
		if err != nil || !maps.Equal(report.Replayed, replayed) || !maps.Equal(report.Refused, again) || report.Unkept != 1 {
			t.Errorf("%+v, %v; want %v, %v", report, err, replayed, again)
		}
	}
	m.failMark = true
	if _, err := r.Run(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("%v, want that it is away", err)
	}
	m.failMark = false
	run(map[string]int{"too large": 1, "VIOLATED_CONSTRAINT": 1}, map[string]int{"too large": 1, "invalid event": 1, "POISON": 1})
	r.Decode = &decode.Decoder{}
	run(map[string]int{"too large": 1}, map[string]int{"invalid event": 1, "POISON": 1})
	run(nil, map[string]int{"invalid event": 1, "POISON": 1})
	if want := []string{"5 too large", "6 VIOLATED_CONSTRAINT", "1 too large"}; !slices.Equal(m.replayed, want) {
		t.Errorf("replayed %q, want %q", m.replayed, want)
	}
	e := m.events["large"]
	got := fmt.Sprint(e.Project, e.ReceivedAt, e.Timestamp, e.Origin, e.Seq, e.Browser, e.Country, e.IsBot, e.Channel, e.UserID)
	if want := fmt.Sprint("shop", 1_800_000_000_000, 1_800_000_000_000, event.OriginBrowser, 3, "Chrome", "DE", false, "Email", "u"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if e := m.events["objector"]; e.UserID != "" || e.ClientKey != 0 {
		t.Errorf("an objector is not anonymous: %+v", e)
	}
	if len(m.events) != 3 {
		t.Errorf("%d events", len(m.events))
	}
}
