package handler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

func (s *memorySink) refused(t *testing.T) []collector.RefusedMessage {
	t.Helper()
	var refused []collector.RefusedMessage
	for _, r := range s.records {
		if r[0] != collector.RecordRefused {
			continue
		}
		var m collector.RefusedMessage
		if err := m.UnmarshalBinary(r[1:]); err != nil {
			t.Fatal(err)
		}
		refused = append(refused, m)
	}
	return refused
}

// kept says what is kept of refused messages, without times.
func (s *memorySink) kept(t *testing.T) (lines []string) {
	t.Helper()
	for _, m := range s.refused(t) {
		lines = append(lines, fmt.Sprintf("%s/%s: %s, %s +%d %s", m.Project, m.MessageID, m.Reason, m.Detail, m.More, m.Payload))
		if size, hash := sumOf([]byte(m.Payload)); m.Payload != "" && (m.Size != size || m.Hash != hash) || m.ReceivedAt != now {
			t.Errorf("size %d, hash %s of %s, received at %d", m.Size, m.Hash, m.Payload, m.ReceivedAt)
		}
	}
	return lines
}

func TestRefusedMessagesAreKeptWithTheOthers(t *testing.T) {
	f := newFixture()
	status, _, _ := f.do("POST", "/v1/batch", `{"writeKey":"wk_open","sentAt":"2027-01-15T08:00:00Z","context":{"ip":"203.0.113.77","userAgent":"UA/7"},"batch":[
		{"messageId":"bad","type":"track","email":"x"},
		{"messageId":"good","type":"page"},
		7,
		{"messageId":"large","type":"page","properties":{"a":"`+strings.Repeat("a", 2000)+`"}}]}`, headers{"DNT": "1"})
	equal(t, status, http.StatusOK)
	equal(t, f.sink.appends, 1)
	equal(t, len(f.sink.events(t)), 1)
	equal(t, f.sink.kept(t), []string{
		`open/bad: invalid event, event is required for track +0 {"message":{"context":{"ip":"203.0.113.0"},"messageId":"bad","sentAt":"2027-01-15T08:00:00Z","type":"track"},"origin":"server","city":"enriched for open in open"}`,
		`open/: invalid message, message is a number; want an object +0 `,
		`open/large: too large, message is 2097 bytes long; at most 2000 are taken +0 {"message":{"context":{"ip":"203.0.113.0"},"messageId":"large","properties":{"a":"` + strings.Repeat("a", 2000) +
			`"},"sentAt":"2027-01-15T08:00:00Z","type":"page"},"origin":"server","seq":3,"city":"enriched for open in open"}`,
	})
	size, hash := sumOf([]byte("7"))
	number := f.sink.refused(t)[1]
	equal(t, number, collector.RefusedMessage{Project: "open", Reason: "invalid message", Detail: number.Detail, ReceivedAt: now, Size: size, Hash: hash})
	equal(t, f.ByProject(), map[string]ProjectStats{"open": {1, map[string]int64{"invalid event": 1, "invalid message": 1, "too large": 1}, 0}})
}

func TestRefusedPixels(t *testing.T) {
	f := newFixture()
	f.do("GET", "/p.gif?k=wk_open&mid=p-1&e="+strings.Repeat("e", 513)+"&x=secret", "", nil)
	f.do("GET", "/p.gif?k=wk_open&uid=u", "", nil)
	f.do("GET", "/v1/pixel/group?data=eyJ3cml0ZUtleSI6IndrX29wZW4iLCJtZXNzYWdlSWQiOiJkIn0", "", nil)
	equal(t, f.sink.kept(t), []string{
		`open/p-1: invalid event, event is 513 bytes long; at most 512 are taken +0 {"message":{"context":{"campaign":{},"ip":"192.0.2.0","page":{}},"event":"` + strings.Repeat("e", 513) +
			`","messageId":"p-1","properties":{},"type":"track"},"origin":"pixel","city":"enriched for open in open"}`,
		`open/: invalid e, e is missing; want page, screen, identify or an event's name +0 {"message":{"context":{"campaign":{},"ip":"192.0.2.0","page":{}},"properties":{},"userId":"u"},"city":"enriched for open in open"}`,
		`open/d: invalid groupId, groupId is required for group +0 {"message":{"context":{"ip":"192.0.2.0"},"messageId":"d","type":"group"},"origin":"pixel","city":"enriched for open in open"}`,
	})
}

// Of what cannot be read size, hash and reason are kept, when it is known whose it is.
func TestRefusedRequestsAreKept(t *testing.T) {
	f := newFixture()
	h := headers{"Authorization": basic("wk_shop")}
	f.do("POST", "/v1/batch", "{", h)
	f.do("POST", "/v1/page", strings.Repeat(" ", 2001), h)
	f.do("POST", "/v1/page", "{}", headers{"Authorization": basic("wk_shop"), "Origin": "https://evil.test"})
	f.do("POST", "/v1/page", "{}", headers{"Authorization": basic("wk_shop"), "Content-Encoding": "lzma"})
	f.do("POST", "/v1/batch", "{", nil)
	f.do("POST", "/v1/page", "{}", headers{"Authorization": basic("wk_unknown")})
	f.sink.err = fmt.Errorf("disk is full")
	status, _, _ := f.do("POST", "/v1/batch", "{", h)
	equal(t, status, http.StatusBadRequest)
	equal(t, f.sink.kept(t), []string{
		"shop/: malformed, body is not JSON: unexpected end of JSON input at byte 1 +0 ",
		"shop/: too large, body is too large; at most 2000 bytes are taken, decompressed +0 ",
		"shop/: forbidden origin, origin is none of the project's; add it to origins, as scheme://host[:port] +0 ",
		"shop/: unknown encoding, Content-Encoding is unknown; use one of gzip, deflate, br and zstd, or none +0 ",
	})
	refused := f.sink.refused(t)
	size, hash := sumOf([]byte("{"))
	equal(t, []any{refused[0].Size, refused[0].Hash, refused[1].Size}, []any{size, hash, uint64(2001)})
	equal(t, f.ByProject()["shop"].Rejected, map[string]int64{"malformed": 1, "too large": 1, "forbidden origin": 1, "unknown encoding": 1})
}

// What is answered 503 comes again and is counted then.
func TestRefusedMessagesAreCountedOnceDurable(t *testing.T) {
	f := newFixture()
	f.sink.err = fmt.Errorf("disk is full")
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusOK} {
		status, _, _ := f.do("POST", "/v1/batch", `{"writeKey":"wk_open","batch":[{"type":"page"},{"type":"track"}]}`, nil)
		equal(t, status, want)
		f.sink.err = nil
	}
	equal(t, f.ByProject(), map[string]ProjectStats{"open": {Accepted: 1, Rejected: map[string]int64{"invalid event": 1}}})
}

func TestRefusedMessageOfAClientBehindAProxy(t *testing.T) {
	f := newFixture()
	f.Proxies = proxies(t, "192.0.2.0/24")
	from := headers{"X-Forwarded-For": "203.0.113.77", "Origin": "https://shop.test"}
	f.do("POST", "/v1/track", `{"writeKey":"wk_open","messageId":"m"}`, from)
	f.do("GET", "/p.gif?k=wk_open&mid=p", "", from)
	for _, m := range f.sink.refused(t) {
		if !strings.Contains(m.Payload, `"ip":"203.0.113.0"`) {
			t.Errorf("%s", m.Payload)
		}
	}
}

// Garbage cannot fill the spool: beyond the allowance its number is kept, and it grows again with time.
func TestFloodOfRefusedMessagesIsBounded(t *testing.T) {
	f := newFixture()
	at := time.UnixMilli(now)
	f.Now = func() time.Time { return at }
	f.MaxBatch = 1 << 20
	body := `{"writeKey":"wk_open","batch":[` + strings.Repeat(`{"type":"track"},{"type":"group"},`, 2000) + `{"type":"track"}]}`
	const most = refusedBurst / (4001 * refusedCost) // requests that are kept whole
	for range 20 {
		f.do("POST", "/v1/batch", body, nil)
	}
	refused := f.sink.refused(t)
	equal(t, len(refused), most*4001+(20-most)*2)
	last := refused[len(refused)-1]
	equal(t, last, collector.RefusedMessage{Project: "open", Reason: "invalid groupId" /* 2001 tracks come before */, ReceivedAt: now, More: 1999, Detail: last.Detail})
	sum := uint64(0)
	for _, m := range refused {
		sum += 1 + m.More
	}
	equal(t, sum, uint64(20*4001))
	equal(t, f.ByProject()["open"].Rejected, map[string]int64{"invalid event": 20 * 2001, "invalid groupId": 20 * 2000})

	f.do("POST", "/v1/track", `{"writeKey":"wk_shop"}`, nil) // another project's allowance is its own
	at = at.Add(time.Second)
	f.do("POST", "/v1/track", `{"writeKey":"wk_open"}`, nil)
	for _, m := range f.sink.refused(t)[len(refused):] {
		if m.Payload == "" {
			t.Errorf("%+v is not kept whole", m)
		}
	}
}

// Somebody who objects to tracking is not in what is kept either.
func TestRefusedMessageOfAnObjector(t *testing.T) {
	f := newFixture()
	projects := collector.NewProjects([]collector.Project{{ID: "open", WriteKeys: []string{"wk_open"}, RespectGPC: true}})
	f.Projects = func() *collector.Projects { return projects }
	f.do("POST", "/v1/track", `{"writeKey":"wk_open","messageId":"m","userId":"u-secret","timestamp":"secret","context":{"traits":{"email":"secret"}}}`,
		headers{"Sec-GPC": "1", "Origin": "https://shop.test", "User-Agent": "secret"})
	m := f.sink.refused(t)[0]
	var payload collector.RefusedPayload
	if err := json.Unmarshal([]byte(m.Payload), &payload); err != nil || !payload.DoNotTrack || payload.Origin != event.OriginBrowser {
		t.Errorf("%+v, %v", payload, err)
	}
	if text := fmt.Sprintf("%+v", m); strings.Contains(strings.ReplaceAll(text, `"timestamp":"secret"`, ""), "secret") {
		t.Error(text)
	}
}
