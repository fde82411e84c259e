// Package wire holds the real clients of others against the collector: what they send is recorded in testdata, played
// back through the whole way from the request to the event, and, with the clients themselves, to the table.
package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/collector/handler"
	"github.com/touchline-hq/touchline/event"
)

var (
	record = flag.Bool("record", false, "run the clients and record anew what they send")
	update = flag.Bool("update", false, "write the golden files anew")
)

// client is a program in clients that sends every message its library can send, and the project it sends to.
type client struct {
	name    string
	command func(t *testing.T, url, key string) *exec.Cmd
	// Its first batch is refused when it is recorded, and comes again. Go's gives up what is refused while it closes, and
	// Rudder's repeats itself to the byte.
	retries bool
}

var clients = []client{
	{"segment-node", node("segment-node.js"), true},
	{"segment-go", goClient, false},
	{"segment-browser", browser, true},
	{"rudder-node", node("rudder-node.js"), false},
}

func (c client) key() string       { return "wk_" + c.name }
func (c client) recording() string { return filepath.Join("testdata", c.name+".json") }
func (c client) golden() string    { return filepath.Join("testdata", c.name+".golden.json") }

// run runs the client against a collector at url.
func (c client) run(t *testing.T, url string) {
	t.Helper()
	cmd := c.command(t, url, c.key())
	if output, err := cmd.CombinedOutput(); err != nil || len(output) > 0 {
		t.Fatalf("%s: %v\n%s", c.name, err, output)
	}
}

func node(script string) func(t *testing.T, url, key string) *exec.Cmd {
	return func(t *testing.T, url, key string) *exec.Cmd {
		t.Helper()
		dir := filepath.Join("clients", "node")
		if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
			t.Fatalf("the clients are not installed: run npm ci in wire/%s, or make test: %v", dir, err)
		}
		cmd := exec.CommandContext(t.Context(), "node", script, url, key)
		cmd.Dir = dir
		return cmd
	}
}

func browser(t *testing.T, url, key string) *exec.Cmd {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("the browser is not installed: apt-get install chromium: %v", err)
	}
	cmd := node("browser.js")(t, url, key)
	cmd.Args = append(cmd.Args, chromium)
	return cmd
}

// goClient builds the module in clients/go, which is one of its own so that ours stays free of what it needs.
func goClient(t *testing.T, url, key string) *exec.Cmd {
	t.Helper()
	program := filepath.Join(t.TempDir(), "client")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("clients", "go"), "-o", program, ".")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return exec.CommandContext(t.Context(), program, url, key)
}

// request is a request as it came over the wire.
type request struct {
	Received int64             `json:"received"` // Unix ms
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body,omitempty"`
	Base64   string            `json:"base64,omitempty"` // of a body that is no text
}

func (r *request) body() ([]byte, error) {
	if r.Base64 == "" {
		return []byte(r.Body), nil
	}
	return base64.StdEncoding.DecodeString(r.Base64)
}

// outcome is what a request became.
type outcome[E any] struct {
	Request string            `json:"request"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Answer  string            `json:"answer"`
	Events  []E               `json:"events,omitempty"`
}

// brief is event.Event whose JSON leaves out what is empty.
var brief = func() reflect.Type {
	fields := reflect.VisibleFields(reflect.TypeFor[event.Event]())
	for i := range fields {
		fields[i].Tag = `json:",omitzero"`
	}
	return reflect.StructOf(fields)
}()

// sink keeps the events it is given, in brief, or fails with err.
type sink struct {
	events []any
	err    error
}

func (s *sink) Append(records [][]byte) error {
	if s.err != nil {
		return s.err
	}
	for _, record := range records {
		var e event.Event
		if err := e.UnmarshalBinary(record[1:]); err != nil {
			return err
		}
		s.events = append(s.events, reflect.ValueOf(e).Convert(brief).Interface())
	}
	return nil
}

func (s *sink) Err() error { return s.err }

// newHandler is the collector's request path with a clock of the test's own, and no country file.
func (c client) newHandler(s handler.Sink, now func() time.Time) *handler.Handler {
	projects := collector.NewProjects([]collector.Project{{
		ID: c.name, WriteKeys: []string{c.key()}, Origins: []string{"http://shop.example"}, Currency: "EUR", IP: collector.IPTruncate,
	}})
	return handler.New(handler.Config{
		Projects: func() *collector.Projects { return projects },
		Decode:   &decode.Decoder{}, Enrich: enrich.New(nil), Sink: s, Now: now, Log: slog.New(slog.DiscardHandler),
	})
}

// What the clients send becomes these events, and these answers.
func TestRecordings(t *testing.T) {
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			if *record {
				writeFile(t, c.recording(), encode(t, c.listen(t)))
			}
			got := encode(t, c.play(t))
			if *update {
				writeFile(t, c.golden(), got)
			}
			compareLines(t, c.golden(), got)
		})
	}
}

// compareLines reports where text begins to differ from what the file holds.
func compareLines(t *testing.T, file string, text []byte) {
	t.Helper()
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, want := bytes.Split(text, []byte("\n")), bytes.Split(golden, []byte("\n"))
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) {
			t.Fatalf("%s has %d lines; got %d. If that is right: go test -update", file, len(want), len(got))
		}
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("%s:%d:\ngot  %s\nwant %s\nIf that is right, and what follows: go test -update", file, i+1, got[i], want[i])
		}
	}
}

// listen runs the client and returns its requests, which are answered as always, but for a batch that has to come again.
func (c client) listen(t *testing.T) []request {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var requests []request
	var s sink
	refuse := c.retries
	h := c.newHandler(&s, time.Now)
	server := &fasthttp.Server{CloseOnShutdown: true, Handler: func(ctx *fasthttp.RequestCtx) {
		mu.Lock()
		defer mu.Unlock()
		r := newRequest(ctx)
		requests = append(requests, r)
		s.err = nil
		if refuse && ctx.IsPost() && strings.HasPrefix(r.Path, "/v1/b") {
			s.err, refuse = errors.New("full"), false
		}
		h.Handle(ctx)
	}}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	c.run(t, "http://"+listener.Addr().String())
	if err := server.Shutdown(); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	return requests
}

func newRequest(ctx *fasthttp.RequestCtx) request {
	r := request{
		Received: time.Now().UnixMilli(), Method: string(ctx.Method()), Path: string(ctx.RequestURI()), Headers: map[string]string{},
	}
	for name, value := range ctx.Request.Header.All() {
		r.Headers[string(name)] = string(value)
	}
	if body := ctx.Request.Body(); utf8.Valid(body) {
		r.Body = string(body)
	} else {
		r.Base64 = base64.StdEncoding.EncodeToString(body)
	}
	return r
}

// play sends the recorded requests through the collector, each at the time at which it was received.
func (c client) play(t *testing.T) []outcome[any] {
	t.Helper()
	requests := decodeFile[[]request](t, c.recording())
	var s sink
	var received int64
	h := c.newHandler(&s, func() time.Time { return time.UnixMilli(received) })
	outcomes := make([]outcome[any], 0, len(requests))
	for i := range requests {
		r := &requests[i]
		body, err := r.body()
		if err != nil {
			t.Fatal(err)
		}
		s.events, received = nil, r.Received
		var req fasthttp.Request
		req.Header.SetMethod(r.Method)
		req.SetRequestURI(r.Path)
		for name, value := range r.Headers {
			req.Header.Set(name, value)
		}
		req.SetBody(body)
		var ctx fasthttp.RequestCtx
		ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(198, 51, 100, 7)}, nil)
		h.Handle(&ctx)
		o := outcome[any]{
			Request: r.Method + " " + r.Path, Status: ctx.Response.StatusCode(), Headers: map[string]string{},
			Answer: string(ctx.Response.Body()), Events: s.events,
		}
		for name, value := range ctx.Response.Header.All() {
			o.Headers[string(name)] = string(value)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

func decodeFile[T any](t *testing.T, file string) T {
	t.Helper()
	var v T
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func writeFile(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
