package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
)

const (
	batchSize   = 100
	sessionSize = 5 // messages of one device in a row
	devices     = 100_000
	between     = 37 * time.Millisecond // from one message of a batch to the next
	timeLayout  = "2006-01-02T15:04:05.000Z"
)

// What differs from one use of a template to the next, as it stands in a new one.
const (
	idMark     = "@@@@@@@@@@@@" // last part of a UUID
	deviceMark = "############" // last part of a UUID
	timeMark   = "~~~~~~~~~~~~~~~~~~~~~~~~"
)

// template is the body of a request that is made once and sent many times, each time with other ids and times.
type template struct {
	body     []byte
	messages []places
	sentAt   int
}

// places are the offsets in the body of what differs.
type places struct{ id, device, time int }

// newTemplate makes a batch as a shop's server forwards it for its visitors' browsers.
func newTemplate(rng *rand.Rand) (*template, error) {
	t := &template{body: []byte(`{"batch":[`)}
	var visit session
	for n := range batchSize {
		if n%sessionSize == 0 {
			visit = newSession(rng)
		}
		message, err := json.Marshal(visit.message(rng))
		if err != nil {
			return nil, err
		}
		if n > 0 {
			t.body = append(t.body, ',')
		}
		place := func(mark string) int { return len(t.body) + bytes.Index(message, []byte(mark)) }
		t.messages = append(t.messages, places{place(idMark), place(deviceMark), place(timeMark)})
		t.body = append(t.body, message...)
	}
	t.body = append(t.body, `],"sentAt":"`...)
	t.sentAt = len(t.body)
	t.body = append(append(t.body, timeMark...), `"}`...)
	return t, nil
}

// stamp makes the number'th batch of the template. A number is used once in a run.
func (t *template) stamp(number uint64, now time.Time) {
	now = now.UTC()
	for i, place := range t.messages {
		n := number*batchSize + uint64(i) //nolint:gosec // an index
		putHex(t.body[place.id:], n)
		putHex(t.body[place.device:], n/sessionSize%devices*0x9e3779b97f4a7c15>>16)
		putTime(t.body[place.time:], now.Add(time.Duration(i-batchSize)*between))
	}
	putTime(t.body[t.sentAt:], now)
}

// putTime writes a time in UTC. AppendFormat alone would not do: it writes more digits than it keeps.
func putTime(dst []byte, t time.Time) {
	var scratch [2 * len(timeLayout)]byte
	copy(dst, t.AppendFormat(scratch[:0], timeLayout))
}

// putHex writes the twelve digits of the low 48 bits.
func putHex(dst []byte, n uint64) {
	for i := range dst[:len(idMark)] {
		dst[i] = "0123456789abcdef"[n>>(44-4*i)&15]
	}
}

// session is a visitor of the shop.
type session struct {
	agent, ip, locale, timezone string
	landing                     run.View
}

func newSession(rng *rand.Rand) session {
	places := [...][2]string{
		{"en-US", "America/New_York"}, {"en-GB", "Europe/London"}, {"de-DE", "Europe/Berlin"}, {"fr-FR", "Europe/Paris"}, {"pl-PL", "Europe/Warsaw"},
	}
	place := places[rng.IntN(len(places))]
	return session{
		agent:  run.UserAgents[rng.IntN(len(run.UserAgents))],
		ip:     fmt.Sprintf("%d.%d.%d.%d", 20+rng.IntN(70), rng.IntN(256), rng.IntN(256), 1+rng.IntN(254)),
		locale: place[0], timezone: place[1],
		landing: run.NewView(rng),
	}
}

type object = map[string]any

// message is a page view or what somebody did on a page.
func (s *session) message(rng *rand.Rand) object {
	view := s.landing
	page := object{"path": view.Path, "referrer": view.Referrer, "search": view.Search, "title": view.Title, "url": view.URL}
	context := object{
		"page": page, "userAgent": s.agent, "ip": s.ip, "locale": s.locale, "timezone": s.timezone,
		"library": object{"name": "analytics-node", "version": "2.3.0"},
	}
	if view.Source != "" {
		context["campaign"] = object{"source": view.Source, "medium": view.Medium, "name": view.Campaign}
	}
	head := run.UUID(rng)[:24]
	message := object{
		"messageId": "ajs-next-" + head + idMark, "anonymousId": "9118a53a-c398-4233-b496-" + deviceMark,
		"timestamp": timeMark, "context": context,
	}
	if rng.IntN(2) == 0 {
		message["type"], message["name"] = "page", strings.TrimSuffix(view.Title, " | Shop")
		message["properties"] = page // as browsers' clients repeat it
		return message
	}
	message["type"], message["event"] = "track", [...]string{"Product Viewed", "Product Added", "Product Clicked"}[rng.IntN(3)]
	sku := 1000 + rng.IntN(500)
	message["properties"] = object{
		"sku": fmt.Sprint("SKU-", sku), "name": fmt.Sprint("Pan no. ", sku),
		"category": "Pans", "price": float64(rng.IntN(20000)) / 100, "currency": "EUR", "quantity": 1 + rng.IntN(3),
	}
	return message
}
