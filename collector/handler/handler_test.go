package handler

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/collector/link"
	"github.com/touchline-hq/touchline/event"
)

const now = 1_800_000_000_000 // ms: 2027-01-15T08:00:00Z

// memorySink keeps records in memory, or fails with err.
type memorySink struct {
	mu      sync.Mutex
	err     error
	appends int
	records [][]byte
}

func (s *memorySink) Append(records [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.appends++
	for _, r := range records {
		s.records = append(s.records, bytes.Clone(r))
	}
	return nil
}

func (s *memorySink) Err() error { return s.err }

func (s *memorySink) events(t *testing.T) []event.Event {
	t.Helper()
	var events []event.Event
	for _, r := range s.records {
		var e event.Event
		if r[0] == collector.RecordRefused {
			continue
		}
		if r[0] != collector.RecordEvent {
			t.Fatalf("record of kind %d", r[0])
		}
		if err := e.UnmarshalBinary(r[1:]); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// noteClients writes what it is told of the client into the event's city, so that tests see it.
type noteClients struct{ clients []event.Client }

func (n *noteClients) Enrich(p *collector.Project, c *event.Client, e *event.Event) {
	n.clients = append(n.clients, *c)
	e.City = "enriched for " + p.ID + " in " + e.Project
}

type fixture struct {
	*Handler
	sink   *memorySink
	enrich *noteClients
	log    *bytes.Buffer
}

func newFixture() *fixture {
	f := &fixture{sink: &memorySink{}, enrich: &noteClients{}, log: &bytes.Buffer{}}
	projects := collector.NewProjects([]collector.Project{
		{ID: "shop", WriteKeys: []string{"wk_shop"}, Currency: "EUR", Origins: []string{"https://shop.test"}, LinkSecret: []byte(linkSecret)},
		{ID: "open", WriteKeys: []string{"wk_open"}, Currency: "USD"},
	})
	f.Handler = New(Config{
		Projects: func() *collector.Projects { return projects },
		Decode:   &decode.Decoder{MaxEvent: 2000},
		Enrich:   f.enrich,
		Filter:   enrich.Privacy{},
		Sink:     f.sink,
		ReadLink: link.Read,
		Script:   []byte(testScript),
		Now:      func() time.Time { return time.UnixMilli(now) },
		Log:      slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{ReplaceAttr: withoutTime})),
		MaxEvent: 2000,
		MaxBatch: 5000,
	})
	ids := 0
	f.newID = func() string { ids++; return "fresh-" + strconv.Itoa(ids) }
	return f
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

type headers map[string]string

// basic is the Authorization of a key, as Segment's clients send it.
func basic(key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"))
}

// do runs one request and returns the status, the headers that were set and the body.
func (f *fixture) do(method, uri, body string, h headers) (int, headers, string) {
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.SetRequestURI(uri)
	req.SetBodyString(body)
	for k, v := range h {
		req.Header.Set(k, v)
	}
	var ctx fasthttp.RequestCtx
	ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 44), Port: 5}, nil)
	f.Handle(&ctx)
	got := headers{}
	for k, v := range ctx.Response.Header.All() {
		got[string(k)] = string(v)
	}
	return ctx.Response.StatusCode(), got, string(ctx.Response.Body())
}

type response struct {
	status  int
	headers headers
	body    string
}

func (f *fixture) expect(t *testing.T, method, uri, body string, h headers, want response) {
	t.Helper()
	var got response
	got.status, got.headers, got.body = f.do(method, uri, body, h)
	if want.headers == nil {
		want.headers = headers{}
	}
	if want.headers["Content-Type"] == "" {
		want.headers["Content-Type"] = "application/json"
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s %s:\ngot  %+v\nwant %+v", method, uri, got, want)
	}
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
}

func stored(e event.Event) event.Event {
	e.ReceivedAt = now
	if e.Timestamp = e.ClientTimestamp; e.Timestamp == 0 {
		e.Timestamp = now
	}
	e.City = "enriched for " + e.Project + " in " + e.Project
	e.SetStorageKey()
	return e
}

const success = `{"success":true}`

func TestNodeClient(t *testing.T) {
	f := newFixture()
	body := `{"batch":[
		{"timestamp":"2027-01-15T07:59:58Z","type":"identify","userId":"ada","traits":{"plan":"pro"},"integrations":{},
		 "context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}},"messageId":"n-1"},
		{"timestamp":"2027-01-15T07:59:58Z","type":"track","event":"Order Completed","properties":{"revenue":19.99},
		 "context":{"ip":"198.51.100.9","userAgent":"UA/7","library":{"name":"@segment/analytics-node","version":"3.1.0"}},
		 "userId":"ada","messageId":"n-2"}],"writeKey":"ignored, Basic comes first","sentAt":"2027-01-15T07:59:59Z"}`
	h := headers{"Authorization": basic("wk_shop"), "User-Agent": "analytics-node-next/latest", "Content-Type": "application/json", "Sec-Fetch-Mode": "cors"}
	f.expect(t, "POST", "/v1/batch", body, h, response{status: 200, body: success})
	equal(t, f.sink.events(t), []event.Event{
		stored(event.Event{
			Project: "shop", MessageID: "n-1", Type: event.Identify, UserID: "ada", Traits: `{"plan":"pro"}`,
			ClientTimestamp: now - 2000, SentAt: now - 1000, Library: "@segment/analytics-node/3.1.0", Origin: event.OriginServer,
		}),
		stored(event.Event{
			Project: "shop", MessageID: "n-2", Type: event.Track, Name: "Order Completed", UserID: "ada", Seq: 1,
			Properties: `{"revenue":19.99}`, Value: 19_990_000, Currency: "EUR",
			ClientTimestamp: now - 2000, SentAt: now - 1000, Library: "@segment/analytics-node/3.1.0", Origin: event.OriginServer,
		}),
	})
	equal(t, f.enrich.clients, []event.Client{{}, {IP: netip.MustParseAddr("198.51.100.9"), UserAgent: "UA/7"}})
	equal(t, f.sink.appends, 1)
	equal(t, f.Snapshot(), Stats{Accepted: 2})
}

func TestBrowserClient(t *testing.T) {
	f := newFixture()
	body := `{"timestamp":"2027-01-15T07:59:58Z","type":"page","properties":{"url":"https://shop.test/a"},"writeKey":"wk_shop",
		"context":{"library":{"name":"analytics.js","version":"1"}},"messageId":"b-1","anonymousId":"dev-1","userId":null}`
	h := headers{
		"Content-Type": "text/plain", "Origin": "https://shop.test", "User-Agent": "Mozilla/5.0", "Sec-GPC": "1",
		"Sec-CH-UA": `"Chromium";v="140"`, "Sec-CH-UA-Platform": `"macOS"`, "Sec-CH-UA-Mobile": "?0",
	}
	f.expect(t, "POST", "/v1/p", body, h, response{status: 200, body: success, headers: headers{
		"Access-Control-Allow-Origin": "https://shop.test", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin",
	}})
	equal(t, f.sink.events(t), []event.Event{stored(event.Event{
		Project: "shop", MessageID: "b-1", Type: event.Page, AnonymousID: "dev-1", ClientTimestamp: now - 2000,
		URL: "https://shop.test/a", Properties: `{"url":"https://shop.test/a"}`, Library: "analytics.js/1", Origin: event.OriginBrowser,
	})})
	equal(t, f.enrich.clients, []event.Client{{
		IP: netip.MustParseAddr("192.0.2.44"), UserAgent: "Mozilla/5.0", DoNotTrack: true,
		Hints: event.Hints{Brands: `"Chromium";v="140"`, Platform: `"macOS"`, Mobile: "?0"},
	}})
}

func TestClientOfMessageBeforeRequest(t *testing.T) {
	f := newFixture()
	body := `{"writeKey":"wk_open","batch":[
		{"type":"page","context":{"userAgent":"App/1","ip":"203.0.113.5","userAgentData":{"mobile":true}}},
		{"type":"page","context":{"ip":"0.0.0.0"}},
		{"type":"page","channel":"server","context":{"ip":"0.0.0.0"}}]}`
	h := headers{"Referer": "https://x.test/", "User-Agent": "Mozilla/5.0", "DNT": "1", "Sec-CH-UA-Mobile": "?0"}
	f.expect(t, "POST", "/v1/b", body, h, response{status: 200, body: success})
	equal(t, f.enrich.clients, []event.Client{
		{IP: netip.MustParseAddr("192.0.2.44"), UserAgent: "App/1", Hints: event.Hints{Mobile: "?1"}, DoNotTrack: true},
		{UserAgent: "Mozilla/5.0", Hints: event.Hints{Mobile: "?0"}, DoNotTrack: true},
		{DoNotTrack: true},
	})
}

func compress(t testing.TB, coding, body string) string {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&buf)
	case "deflate":
		w = zlib.NewWriter(&buf)
	case "bare deflate":
		w, err = flate.NewWriter(&buf, 9)
	case "br":
		w = brotli.NewWriter(&buf)
	case "zstd":
		w, err = zstd.NewWriter(&buf)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// As rudder's Node client sends it: compressed, under the content type of a form, with originalTimestamp.
func TestCompressedBodies(t *testing.T) {
	body := `{"batch":[{"type":"track","event":"E","userId":"ada","messageId":"r-1","originalTimestamp":"2027-01-15T07:59:58Z","channel":"server"}],"sentAt":"2027-01-15T07:59:59Z"}`
	for _, coding := range []string{"gzip", "deflate", "bare deflate", "br", "zstd", "GZIP"} {
		t.Run(coding, func(t *testing.T) {
			f := newFixture()
			name := strings.TrimPrefix(coding, "bare ")
			h := headers{"Authorization": basic("wk_open"), "Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": name}
			for range 3 { // readers are used again
				f.expect(t, "POST", "/v1/batch", compress(t, strings.ToLower(coding), body), h, response{status: 200, body: success})
				f.expect(t, "POST", "/v1/batch", "\x00\x01 rubbish", h, response{status: 400, body: f.lastError("/v1/batch", "\x00\x01 rubbish", h)})
			}
			got := f.sink.events(t)
			if len(got) != 3 {
				t.Fatalf("got %d events", len(got))
			}
			equal(t, got[2], stored(event.Event{
				Project: "open", MessageID: "r-1", Type: event.Track, Name: "E", UserID: "ada",
				ClientTimestamp: now - 2000, SentAt: now - 1000, Origin: event.OriginServer,
			}))
		})
	}
}

// lastError returns the body of the answer to a compressed body that is none; its end is the library's own text.
func (f *fixture) lastError(uri, body string, h headers) string {
	_, _, got := f.do("POST", uri, body, h)
	if !strings.HasPrefix(got, `{"success":false,"error":"body is not in Content-Encoding `+strings.ToLower(h["Content-Encoding"])+": ") {
		return "a text that says so"
	}
	return got
}

func TestDecompressedSizeIsBounded(t *testing.T) {
	bomb := strings.Repeat(" ", 4<<20)
	for _, coding := range []string{"gzip", "deflate", "bare deflate", "br", "zstd"} {
		f := newFixture()
		h := headers{"Authorization": basic("wk_open"), "Content-Encoding": strings.TrimPrefix(coding, "bare ")}
		const want = `{"success":false,"error":"body is too large; at most 5000 bytes are taken, decompressed"}`
		packed := compress(t, coding, bomb)
		f.expect(t, "POST", "/v1/batch", packed, h, response{status: 413, body: want})
		in, _ := f.inflate[h["Content-Encoding"]].Get().(*inflater)
		var got bytes.Buffer
		if err := in.inflate(&got, []byte(packed), 1000); err != nil || got.Len() != 1001 {
			t.Errorf("%s: went on to %d bytes, %v", coding, got.Len(), err)
		}
		equal(t, f.Snapshot(), Stats{TooLarge: 1})
	}
}

func TestRefusedRequests(t *testing.T) {
	const page = `{"type":"page","messageId":"m"}`
	auth := headers{"Authorization": basic("wk_open")}
	for name, c := range map[string]struct {
		uri, body string
		h         headers
		status    int
		reason    string
		stats     Stats
	}{
		"no key": {"/v1/page", page, nil, 401,
			"write key is missing; send it as user name of Basic authentication, as writeKey in the body or, to /p.gif, as k", Stats{Unauthorized: 1}},
		"key that is no base64": {"/v1/page", page, headers{"Authorization": "Basic %"}, 401,
			"write key is missing; send it as user name of Basic authentication, as writeKey in the body or, to /p.gif, as k", Stats{Unauthorized: 1}},
		"unknown key": {"/v1/batch", "not even JSON", headers{"Authorization": basic("wk_other")}, 401,
			"write key is unknown; compare it with write_keys of the project", Stats{Unauthorized: 1}},
		"unknown key in body": {"/v1/page", `{"type":"page","writeKey":"wk_other"}`, headers{"Authorization": "Bearer x"}, 401,
			"write key is unknown; compare it with write_keys of the project", Stats{Unauthorized: 1}},
		"garbage": {"/v1/batch", "{", auth, 400, "body is not JSON: unexpected end of JSON input at byte 1", Stats{Malformed: 1}},
		"empty":   {"/v1/track", "", auth, 400, "body is not JSON: unexpected end of JSON input at byte 0", Stats{Malformed: 1}},
		"large batch": {"/v1/batch", strings.Repeat(" ", 5001), auth, 413,
			"body is too large; at most 5000 bytes are taken, decompressed", Stats{TooLarge: 1}},
		"large message": {"/v1/track", strings.Repeat(" ", 2001), auth, 413,
			"body is too large; at most 2000 bytes are taken, decompressed", Stats{TooLarge: 1}},
		"coding": {"/v1/page", page, headers{"Authorization": basic("wk_open"), "Content-Encoding": "lzma"}, 415,
			"Content-Encoding is unknown; use one of gzip, deflate, br and zstd, or none", Stats{Malformed: 1}},
		"path": {"/v1/nothing", page, auth, 404, "there is nothing at this path", Stats{}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture()
			f.expect(t, "POST", c.uri, c.body, c.h, response{status: c.status, body: `{"success":false,"error":"` + c.reason + `"}`})
			equal(t, f.Snapshot(), c.stats)
			equal(t, len(f.sink.events(t)), 0)
		})
	}
}

func TestPartlyRejected(t *testing.T) {
	f := newFixture()
	h := headers{"Authorization": basic("wk_open")}
	f.expect(t, "POST", "/v1/batch", `{"batch":[{"messageId":"bad","type":"track"},{"messageId":"good","type":"page"}]}`, h, response{
		status: 200, body: `{"success":true,"rejected":[{"index":0,"messageId":"bad","reason":"event is required for track"}]}`,
	})
	f.expect(t, "POST", "/v1/group", `{"messageId":"g"}`, h, response{
		status: 400, body: `{"success":false,"error":"no message could be taken","rejected":[{"index":0,"messageId":"g","reason":"groupId is required for group"}]}`,
	})
	equal(t, f.sink.events(t), []event.Event{stored(event.Event{
		Project: "open", MessageID: "good", Type: event.Page, Seq: 1, Origin: event.OriginServer,
	})})
	equal(t, f.Snapshot(), Stats{Accepted: 1, Rejected: 2})
}

func TestCurrencyOfMessageBeforeProject(t *testing.T) {
	f := newFixture()
	body := `{"writeKey":"wk_open","batch":[
		{"type":"track","event":"E","properties":{"revenue":1,"currency":"chf"}},
		{"type":"track","event":"E","properties":{"revenue":1}},
		{"type":"track","event":"E"}]}`
	h := headers{"Origin": "https://anywhere.test"} // a project without origins takes any
	f.expect(t, "POST", "/v1/batch", body, h, response{status: 200, body: success, headers: headers{
		"Access-Control-Allow-Origin": "https://anywhere.test", "Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin",
	}})
	var got []string
	for _, e := range f.sink.events(t) {
		got = append(got, e.Currency)
	}
	equal(t, got, []string{"CHF", "USD", ""})
}

func TestSinkFails(t *testing.T) {
	f := newFixture()
	h := headers{"Authorization": basic("wk_shop"), "Origin": "https://shop.test"}
	cors := headers{
		"Access-Control-Allow-Origin": "https://shop.test", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin",
	}
	retry := maps.Clone(cors)
	retry["Retry-After"] = "5"
	const unavailable = `{"success":false,"error":"events cannot be stored at present; send them again later"}`
	text := headers{"Content-Type": "text/plain; charset=utf-8"}

	f.sink.err = errors.New("disk is full")
	for range 2 {
		f.expect(t, "POST", "/v1/page", `{"messageId":"m"}`, h, response{status: 503, body: unavailable, headers: retry})
	}
	f.expect(t, "GET", "/readyz", "", nil, response{status: 503, body: "not ready: events cannot be stored at present\n", headers: text})
	f.expect(t, "GET", "/healthz", "", nil, response{status: 200, body: "ok\n", headers: text})
	f.expect(t, "GET", "/p.gif?k=wk_shop&e=page", "", nil, response{status: 200, body: gif, headers: headers{
		"Content-Type": "image/gif", "Cache-Control": "no-store",
		"X-Touchline-Rejected": "events cannot be stored at present; send them again later",
	}})
	f.sink.err = nil
	for range 2 {
		f.expect(t, "POST", "/v1/page", `{"messageId":"m"}`, h, response{status: 200, body: success, headers: cors})
	}
	f.expect(t, "HEAD", "/readyz", "", nil, response{status: 200, body: "ready\n", headers: text})

	equal(t, f.Snapshot(), Stats{Accepted: 2, Unavailable: 3})
	equal(t, f.log.String(), "level=ERROR msg=\"events cannot be stored, requests are answered with 503\" error=\"disk is full\"\n"+
		"level=INFO msg=\"events can be stored again\"\n")
}

func TestPixel(t *testing.T) {
	f := newFixture()
	headersOfGif := headers{"Content-Type": "image/gif", "Cache-Control": "no-store"}
	ok := response{status: 200, body: gif, headers: headersOfGif}
	h := headers{"User-Agent": "Mail/1", "DNT": "1"}
	f.expect(t, "GET", "/p.gif?k=wk_shop&e=Email+Opened&uid=ada&mid=m-1&p.value=2.5&utm_source=news", "", h, ok)
	f.expect(t, "GET", "/p.gif?k=wk_shop&e=page&url=https://shop.test/", "", h, ok)
	f.expect(t, "GET", "/p.gif?k=wk_shop&e=page&url=https://shop.test/", "", h, ok)
	equal(t, f.sink.events(t), []event.Event{
		stored(event.Event{
			Project: "shop", MessageID: "m-1", Type: event.Track, Name: "Email Opened", UserID: "ada", Source: "news",
			Value: 2_500_000, Currency: "EUR", Properties: `{"value":"2.5"}`, Origin: event.OriginPixel,
		}),
		stored(event.Event{Project: "shop", MessageID: "fresh-1", Type: event.Page, URL: "https://shop.test/", Origin: event.OriginPixel}),
		stored(event.Event{Project: "shop", MessageID: "fresh-2", Type: event.Page, URL: "https://shop.test/", Origin: event.OriginPixel}),
	})
	equal(t, f.enrich.clients[0], event.Client{IP: netip.MustParseAddr("192.0.2.44"), UserAgent: "Mail/1", DoNotTrack: true})
	equal(t, len(gif), 43)

	for query, reason := range map[string]string{
		"e=page":            "write key is missing; send it as user name of Basic authentication, as writeKey in the body or, to /p.gif, as k",
		"k=wk_shop":         "e is missing; want page, screen, identify or an event's name",
		"k=no&e=page":       "write key is unknown; compare it with write_keys of the project",
		"k=wk_shop&e=alias": "userId and previousId are required for alias",
	} {
		f.expect(t, "GET", "/p.gif?"+query, "", nil, response{status: 200, body: gif, headers: headers{
			"Content-Type": "image/gif", "Cache-Control": "no-store", "X-Touchline-Rejected": reason,
		}})
	}
	equal(t, f.Snapshot(), Stats{Accepted: 3, Rejected: 2, Unauthorized: 2})
}

func TestDataPixel(t *testing.T) {
	f := newFixture()
	ok := response{status: 200, body: gif, headers: headers{"Content-Type": "image/gif", "Cache-Control": "no-store"}}
	message := []byte(`{"writeKey":"wk_open","userId":"ada??>>>>~~~","event":"Email Opened"}`)
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		f.expect(t, "GET", "/v1/pixel/track?data="+encoding.EncodeToString(message), "", nil, ok)
	}
	var want []event.Event
	for _, id := range []string{"fresh-1", "fresh-2", "fresh-3", "fresh-4"} {
		want = append(want, stored(event.Event{
			Project: "open", MessageID: id, Type: event.Track, Name: "Email Opened", UserID: "ada??>>>>~~~", Origin: event.OriginPixel,
		}))
	}
	equal(t, f.sink.events(t), want)

	for uri, reason := range map[string]string{
		"track":          "data is missing; want a message as base64 of JSON",
		"track?data=!":   "data is not base64: illegal base64 data at input byte 0",
		"track?data=e30": "write key is missing; send it as user name of Basic authentication, as writeKey in the body or, to /p.gif, as k",
		"track?data=ew":  "body is not JSON: unexpected end of JSON input at byte 1",
		"party?data=" + base64.RawURLEncoding.EncodeToString(message): `type is "party"; want track, page, screen, identify, group or alias`,
		"track?data=" + strings.Repeat("A", 2672):                     "body is too large; at most 2000 bytes are taken, decompressed",
	} {
		f.expect(t, "GET", "/v1/pixel/"+uri, "", nil, response{status: 200, body: gif, headers: headers{
			"Content-Type": "image/gif", "Cache-Control": "no-store", "X-Touchline-Rejected": reason,
		}})
	}
}

func TestMethods(t *testing.T) {
	for uri, allowed := range map[string]string{
		"/v1/batch": "POST, OPTIONS", "/v1/t": "POST, OPTIONS", "/p.gif": "GET", "/v1/pixel/page": "GET",
		"/healthz": "GET, HEAD", "/readyz": "GET, HEAD", "/r/x": "GET, HEAD", "/t.js": "GET, HEAD", "/t.0.js": "GET, HEAD",
	} {
		newFixture().expect(t, "PUT", uri, "", nil, response{
			status: 405, body: `{"success":false,"error":"method is not allowed here; use ` + allowed + `"}`, headers: headers{"Allow": allowed},
		})
	}
}

// Many connections at once: what a request holds must not be seen in another's events.
func TestServer(t *testing.T) {
	f := newFixture()
	f.Enrich = nothing{}
	listener := fasthttputil.NewInmemoryListener()
	server := &fasthttp.Server{Handler: f.Handle, Logger: discard{}}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	const clients, requests = 8, 50
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			client := &fasthttp.HostClient{Addr: "test", Dial: func(string) (net.Conn, error) { return listener.Dial() }}
			for r := range requests {
				id := strings.Repeat(strconv.Itoa(c), 1+r) + "-" + strconv.Itoa(r)
				req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
				req.Header.SetMethod("POST")
				req.SetRequestURI("http://test/v1/track")
				req.SetBodyString(`{"writeKey":"wk_open","messageId":"` + id + `","event":"` + id + `","userId":"` + id + `"}`)
				if err := client.Do(req, resp); err != nil || resp.StatusCode() != 200 {
					t.Errorf("%d %s, %v", resp.StatusCode(), resp.Body(), err)
				}
				fasthttp.ReleaseRequest(req)
				fasthttp.ReleaseResponse(resp)
			}
		})
	}
	wg.Wait()
	if err := server.Shutdown(); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range f.sink.events(t) {
		if seen[e.MessageID] = true; e.Name != e.MessageID || e.UserID != e.MessageID {
			t.Fatalf("mixed event %+v", e)
		}
	}
	equal(t, len(seen), clients*requests)
}

type nothing struct{}

func (nothing) Enrich(*collector.Project, *event.Client, *event.Event) {}

type discard struct{}

func (discard) Printf(string, ...any) {}

// Whatever a pixel is refused for, the header with the reason is one line of printable ASCII.
func TestRefusedPixelsHeaderIsPlain(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/pixel/a%0d%0aX-Evil:1%00%FF%C3%BC%E2%80%A8?data=e30": `type is "a\r\nX-Evil:1\x00\xff?\u2028"; want track, page, screen, identify, group or alias`,
		"/p.gif?k=wk_open&e=x&p.revenue=%0d%0aX-Evil:1%E2%82%AC":  `properties.revenue is "\r\nX-Evil:1?"; want a number`,
		"/v1/pixel/track?data=w7w":                                `body is not JSON: invalid character '?' looking for beginning of value at byte 1`,
	} {
		path = strings.Replace(path, "data=e30", "data="+base64.RawURLEncoding.EncodeToString([]byte(`{"writeKey":"wk_open"}`)), 1)
		_, got, _ := newFixture().do("GET", path, "", nil)
		if got["X-Touchline-Rejected"] != want {
			t.Errorf("%s: got %q, want %q", path, got["X-Touchline-Rejected"], want)
		}
	}
}

// Headers may hold any bytes; an event holds text.
func TestHeadersBecomeText(t *testing.T) {
	f := newFixture()
	f.do("POST", "/v1/page", `{"writeKey":"wk_open","channel":"browser"}`, headers{
		"User-Agent": "Moz\xff/5.0 (\xfe) \xff/1", "Sec-CH-UA-Platform": "\"\xff\xfe\"", "Sec-CH-UA": "\"B\xff\";v=\"1\"",
	})
	want := event.Client{IP: f.enrich.clients[0].IP, UserAgent: "Moz/5.0 () /1", Hints: event.Hints{
		Platform: `""`, Brands: `"B";v="1"`,
	}}
	equal(t, f.enrich.clients, []event.Client{want})
}
