package enrich

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

const now = 1_700_000_000_000 // ms

// sent is a message of one client: its time, when it says that it sent it, and when that came in; seconds after now,
// and noTime where the client says nothing.
type sent struct{ client, sentAt, received int64 }

const noTime = -1 << 40

func (s sent) event() *event.Event {
	e := &event.Event{AnonymousID: "a", Library: "js/1", ReceivedAt: now + 1000*s.received}
	if s.client != noTime {
		e.ClientTimestamp = now + 1000*s.client
	}
	if s.sentAt != noTime {
		e.SentAt = now + 1000*s.sentAt
	}
	return e
}

func TestClock(t *testing.T) {
	type want struct {
		at       int64 // seconds after now
		replaced bool
	}
	for name, c := range map[string]struct {
		messages []sent
		want     []want
	}{
		"right clock":                 {[]sent{{0, 1, 3}}, []want{{0, false}}},
		"slow network is no skew":     {[]sent{{0, 1, 11}}, []want{{0, false}}},
		"behind by a minute":          {[]sent{{0, 1, 61}}, []want{{60, false}}},
		"ahead by an hour":            {[]sent{{3600, 3601, 1}}, []want{{0, false}}},
		"no client time":              {[]sent{{noTime, 1, 61}}, []want{{61, false}}},
		"no sentAt, nothing known":    {[]sent{{0, noTime, 61}}, []want{{0, false}}},
		"no sentAt, skew known":       {[]sent{{0, 1, 61}, {5, noTime, 90}}, []want{{60, false}, {65, false}}},
		"jitter keeps the skew":       {[]sent{{0, 1, 61}, {2, 3, 72}, {4, 5, 56}}, []want{{60, false}, {62, false}, {64, false}}},
		"clock was set":               {[]sent{{0, 1, 61}, {100, 101, 102}, {103, noTime, 105}}, []want{{60, false}, {100, false}, {103, false}}},
		"another skew":                {[]sent{{0, 1, 61}, {0, 1, 72}}, []want{{60, false}, {71, false}}},
		"ten minutes ahead of it":     {[]sent{{601, 0, 1}}, []want{{601, false}}},
		"later than that":             {[]sent{{602, 0, 1}}, []want{{1, true}}},
		"the past is never clamped":   {[]sent{{-1e9, 0, 1}}, []want{{-1e9, false}}},
		"sentAt of another century":   {[]sent{{0, 4e9, 1}}, []want{{0, false}}},
		"a clock that starts at 1970": {[]sent{{-1.6e9, -1.6e9 + 1, 1}}, []want{{0, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			for i, m := range c.messages {
				e := m.event()
				clock.Enrich(&collector.Project{ID: "shop"}, nil, e)
				got := want{(e.Timestamp - now) / 1000, e.TimeReplaced}
				if got != c.want[i] {
					t.Errorf("message %d: got %+v, want %+v", i, got, c.want[i])
				}
			}
		})
	}
}

func TestClockKeepsClientsApart(t *testing.T) {
	clock := NewClock()
	clock.Enrich(&collector.Project{ID: "shop"}, nil, sent{0, 1, 61}.event())
	unsent := func(change func(*event.Event)) *event.Event {
		e := sent{0, noTime, 61}.event()
		change(e)
		return e
	}
	for name, c := range map[string]struct {
		project string
		event   *event.Event
		want    int64
	}{
		"the same":           {"shop", unsent(func(*event.Event) {}), now + 60_000},
		"and signed in":      {"shop", unsent(func(e *event.Event) { e.UserID = "u" }), now + 60_000},
		"another project":    {"blog", unsent(func(*event.Event) {}), now},
		"another person":     {"shop", unsent(func(e *event.Event) { e.AnonymousID = "b" }), now},
		"another library":    {"shop", unsent(func(e *event.Event) { e.Library = "go/1" }), now},
		"only a user's id":   {"shop", unsent(func(e *event.Event) { e.AnonymousID, e.UserID = "", "a" }), now + 60_000},
		"without any id":     {"shop", unsent(func(e *event.Event) { e.AnonymousID = "" }), now},
		"sent without ids":   {"shop", unsent(func(e *event.Event) { e.AnonymousID, e.SentAt = "", now+1000 }), now + 60_000},
		"and not remembered": {"shop", unsent(func(e *event.Event) { e.AnonymousID = "" }), now},
	} {
		clock.Enrich(&collector.Project{ID: c.project}, nil, c.event)
		if c.event.Timestamp != c.want {
			t.Errorf("%s: got %d, want %d", name, c.event.Timestamp, c.want)
		}
	}
}

// A client whose clock is wrong by the same amount all day keeps its order, however its messages are delayed.
func TestClockKeepsTheOrderOfAClient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		skew := rapid.OneOf(rapid.Int64Range(-1e9, -20), rapid.Just(int64(0)), rapid.Int64Range(20, 1e9)).Draw(t, "skew")
		steps := rapid.SliceOfN(rapid.Int64Range(0, 30), 2, 30).Draw(t, "steps")
		clock, at, last := NewClock(), int64(0), int64(-1<<62)
		for i, step := range steps {
			at += step
			delay := rapid.Int64Range(0, 9).Draw(t, "delay"+strconv.Itoa(i))
			e := sent{at - skew, at - skew, at + delay}.event()
			clock.Enrich(&collector.Project{ID: "shop"}, nil, e)
			if e.Timestamp < last {
				t.Fatalf("event %d is at %d, before %d of the one before", i, e.Timestamp, last)
			}
			if off := e.Timestamp - now - 1000*at; off < 0 || off > 9000 {
				t.Fatalf("event %d is %d ms off", i, off)
			}
			last = e.Timestamp
		}
	})
}
