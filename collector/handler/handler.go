// Package handler answers the collector's HTTP requests: it finds the project, has the body decoded, each event
// enriched, and all of a request's events made durable before it says 200.
package handler

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Sink keeps records.
type Sink interface {
	// Append returns nil only when all records are durable, and an error when none may be counted on. The records
	// are the caller's again as soon as it returns.
	Append(records [][]byte) error
	// Err says why the sink takes no records at present, or nil.
	Err() error
}

// Enricher completes an event from what is known of its sender. It runs before anything is kept and must not keep c or
// e, but may keep their strings.
type Enricher interface {
	Enrich(p *collector.Project, c *event.Client, e *event.Event)
}

// Decoder turns bytes into messages and keeps nothing of them. An error is for a body of which nothing can be taken,
// its text for the sender.
type Decoder interface {
	Batch(body []byte, req collector.Request) (collector.Result, error)
	Single(body []byte, typ event.Type, req collector.Request) (collector.Result, error)
	Pixel(m *collector.Message, args *fasthttp.Args, req collector.Request) error
	// Sent returns the refused messages of a body that was decoded before, as JSON values, and SentPixel that of a
	// pixel.
	Sent(body []byte, rejected []collector.Rejection) [][]byte
	SentPixel(args *fasthttp.Args, decoded *collector.Message) []byte
}

// Filter takes from refused messages what their project does not keep.
type Filter interface {
	// Message returns what is kept of a JSON value, as JSON, or nil.
	Message(p *collector.Project, c *event.Client, message []byte) []byte
	// Detail returns what is kept of the reason that the sender was given.
	Detail(p *collector.Project, c *event.Client, reason string) string
}

// Config is what a Handler needs. The first seven are required.
type Config struct {
	Projects func() *collector.Projects // asked once a request, so that a reload is seen by the next
	Decode   Decoder
	Enrich   Enricher
	Filter   Filter
	Sink     Sink
	// ReadLink returns what the token of a signed link says, given the secrets of projects. The error is for whoever
	// clicked.
	ReadLink func(token string, secret func(project string) []byte, now time.Time) (collector.Link, error)
	Script   []byte // for browsers

	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default()
	MaxEvent int              // bytes of the body of one message, decompressed; 0: 32 KB
	MaxBatch int              // bytes of a batch, decompressed; 0: 500 KB

	Proxies Proxies           // whose word on where a request comes from is believed
	Paths   map[string]string // own names for standard paths, each checked by CheckPath
	Cookie  Cookie            // of visitors; the zero Cookie is none
}

// The limits of the Segment spec, in bytes.
const (
	DefaultMaxEvent = 32 << 10
	DefaultMaxBatch = 500 << 10
)

// Handler answers requests. It may be used by many goroutines at once.
type Handler struct {
	Config

	inflate     map[string]*sync.Pool // of *inflater, by content coding
	ownPrefixes []string              // of Paths, the longest first
	stats       stats
	large       gate
	failing     atomic.Bool // the last Append failed
	buffers     sync.Pool   // of *buffers
	script      script
	newID       func() string
}

// New returns a handler with the defaults filled in.
func New(c Config) *Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.MaxEvent == 0 {
		c.MaxEvent = DefaultMaxEvent
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = DefaultMaxBatch
	}
	return &Handler{
		Config:  c,
		inflate: newInflaters(),
		large:   make(gate, maxLarge),
		buffers: sync.Pool{New: func() any { return new(buffers) }},
		script:  newScript(c.Script),
		newID:   rand.Text,

		ownPrefixes: prefixesOf(c.Paths),
	}
}

// buffers is what a request needs for a while. Nothing in it outlives the request.
type buffers struct {
	body    bytes.Buffer // decompressed
	encoded []byte       // all records, one after the other
	ends    []int        // of each record in encoded
	records [][]byte
	refused [][]byte      // records of refused messages
	reasons []reasonCount // of refused

	messages []collector.Message
}

// keepBuffer is the size in bytes above which a buffer is left to the garbage collector, so that one large request does not
// hold its memory for good.
const keepBuffer = 4 << 20

// keepMessages is the same for the messages, which have about a kilobyte each.
const keepMessages = 1000

func (h *Handler) acquire() *buffers {
	b, _ := h.buffers.Get().(*buffers) // the pool holds nothing else
	return b
}

func (h *Handler) release(b *buffers) {
	b.refused, b.reasons = nil, nil
	if b.body.Cap()+cap(b.encoded) <= keepBuffer && cap(b.messages) <= keepMessages {
		clear(b.messages) // their strings are not held either
		h.buffers.Put(b)
	}
}

// Handle answers one request.
func (h *Handler) Handle(ctx *fasthttp.RequestCtx) {
	endpoint := EndpointAt(ctx.Path())
	if endpoint == nil {
		if target, ok := h.standardPath(ctx.Path()); ok {
			ctx.URI().SetPath(target)
			endpoint = EndpointAt(ctx.Path())
		}
	}
	if endpoint == nil {
		AnswerError(ctx, fasthttp.StatusNotFound, "there is nothing at this path")
		return
	}
	endpoint.answer(h, ctx)
}
