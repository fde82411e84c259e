// Package decode turns the bytes of a request into events. The format is that of the Segment spec, as real clients
// speak it. Decoding is pure: no clock, no network, nothing kept of the bytes it was given.
package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// The limits of a Decoder whose fields are zero.
const (
	DefaultMaxEvent    = 32 << 10 // bytes of a message, as in the Segment spec
	DefaultMaxMessages = 5000     // messages of a batch
)

// maxSpread bounds the bytes of a batch's context times its messages: each of them is stored with it, so a small body
// could otherwise become gigabytes.
const maxSpread = 8 << 20

// Request is collector.Request.
type Request = collector.Request

// Message is collector.Message.
type Message = collector.Message

// Rejection is collector.Rejection.
type Rejection = collector.Rejection

// Result is collector.Result.
type Result = collector.Result

// Decoder decodes bodies. Its zero value works; it may be used by many goroutines at once.
type Decoder struct {
	MaxEvent    int // bytes of one message of a batch; 0: DefaultMaxEvent
	MaxMessages int // of a batch; 0: DefaultMaxMessages

	parsers fastjson.ParserPool
}

// Batch decodes {"batch":[…],"sentAt":…,"context":{…},"writeKey":"…"}. A message that breaks a rule is among the
// result's Rejected and does not harm the others. The error is for a body that is no batch at all; it wraps
// collector.ErrTooLarge when the batch would become too much.
func (d *Decoder) Batch(body []byte, req Request) (Result, error) {
	parser := d.parsers.Get()
	defer d.parsers.Put(parser)
	root, widest, err := parse(parser, body)
	if err != nil {
		return Result{}, err
	}
	list := root.Get("batch")
	if typeOf(list) != fastjson.TypeArray {
		return Result{}, &event.Error{Field: "batch", Want: "is " + kind(list) + "; want an array of messages"}
	}
	messages := list.GetArray()
	if len(messages) == 0 {
		return Result{}, &event.Error{Field: "batch", Want: "is empty; want at least one message"}
	}
	if limit := orDefault(d.MaxMessages, DefaultMaxMessages); len(messages) > limit {
		return Result{}, fmt.Errorf("%w: batch has %d messages; at most %d are taken", collector.ErrTooLarge, len(messages), limit)
	}
	shared := root.Get("context")
	if t := typeOf(shared); t != fastjson.TypeNull && t != fastjson.TypeObject {
		return Result{}, &event.Error{Field: "context", Want: "is " + kind(shared) + "; want an object"}
	}
	b := newBatch(req, root, len(body))
	if len(b.contextRaw)*len(messages) > maxSpread {
		return Result{}, fmt.Errorf("%w: context of %d bytes for each of %d messages; at most %d bytes are taken in all",
			collector.ErrTooLarge, len(b.contextRaw), len(messages), maxSpread)
	}
	// Messages are measured one by one only when some could be too large: as they stand, white space counts.
	if limit := orDefault(d.MaxEvent, DefaultMaxEvent); widest+len(b.contextRaw) > limit {
		b.maxEvent = limit
	}
	result := Result{WriteKey: b.text(root.Get("writeKey")), Messages: slices.Grow(req.Into[:0], len(messages))}
	for i, v := range messages {
		b.decode(&result, i, v, "")
	}
	return result, nil
}

// Single decodes a body that is one message of the given type, whatever type the message says; "" leaves it to the
// message. The error is for a body that is not JSON; a message that breaks a rule is the result's only Rejection.
func (d *Decoder) Single(body []byte, typ event.Type, req Request) (Result, error) {
	parser := d.parsers.Get()
	defer d.parsers.Put(parser)
	root, _, err := parse(parser, body)
	if err != nil {
		return Result{}, err
	}
	b := newBatch(req, nil, len(body))
	result := Result{WriteKey: b.text(root.Get("writeKey")), Messages: req.Into[:0]}
	b.decode(&result, 0, root, typ)
	for i := range result.Rejected {
		result.Rejected[i].Alone = true
	}
	return result, nil
}

// parse returns the body's value, which lives until the parser's next use, and the size of the largest message in it.
//
// The strict check comes first because fastjson alone takes numbers and escapes that are not JSON, and because its
// errors quote the rest of the body once per level: a few hundred brackets and a wrong literal would cost a gigabyte.
func parse(parser *fastjson.Parser, body []byte) (v *fastjson.Value, widest int, err error) {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	widest, ok := valid(body)
	if !ok {
		return nil, 0, syntaxError(body)
	}
	if v, err = parser.ParseBytes(wholeSurrogates(body)); err != nil {
		return nil, 0, errTooDeep
	}
	return v, widest, nil
}

var errTooDeep = fmt.Errorf("body is nested too deeply; at most %d levels are taken", maxDepth)

func syntaxError(body []byte) error {
	var discard json.RawMessage
	err := json.Unmarshal(body, &discard)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("body is not JSON: %w at byte %d", err, syntax.Offset)
	}
	if err != nil {
		return fmt.Errorf("body is not JSON: %w", err)
	}
	return errTooDeep
}

func orDefault(n, fallback int) int {
	if n == 0 {
		return fallback
	}
	return n
}
