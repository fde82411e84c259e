package collector

import (
	"errors"

	"github.com/touchline-hq/touchline/event"
)

// RecordEvent is the first byte of a spool record that holds an event; the event's binary form follows.
const RecordEvent = 0x01

// ErrTooLarge is wrapped by the errors for a body that is within its limit and would still become too much.
var ErrTooLarge = errors.New("too large")

// Request is what a decoder must know of a request besides its body.
type Request struct {
	ReceivedAt int64 // ms, UTC
	// Origin is set where the endpoint alone decides it, as for a pixel. Otherwise each message says it.
	Origin event.Origin
	// FromBrowser reports that the request carried Origin, Referer or Sec-Fetch-Site, which only browsers send.
	FromBrowser bool
	// NewID makes the id of a message that came without one. When nil, that is a hash of what a retry repeats.
	NewID func() string
	// Into is memory for the result's messages; it may be nil.
	Into []Message
}

// Message is one decoded message.
type Message struct {
	Event event.Event
	// Client holds only what the message itself says of the sender: context.ip, userAgent and userAgentData.
	Client event.Client
}

// Rejection says why one message of a request was refused.
type Rejection struct {
	Index     int    `json:"index"` // position in the batch
	MessageID string `json:"messageId"`
	Reason    string `json:"reason"`

	// Class is Reason in a word or two, of which there are few.
	Class string `json:"-"`
	// Decoded is what could be made of the message until it was refused; nil: nothing.
	Decoded *Message `json:"-"`
	// Alone reports that the message was the whole body.
	Alone bool `json:"-"`
}

// Result is what a body held. Messages and Rejected together are as many as the body's messages.
type Result struct {
	WriteKey string // "" when the body names none
	Messages []Message
	Rejected []Rejection
}
