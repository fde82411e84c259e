package collector

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/touchline-hq/touchline/event"
)

// RecordRefused is the first byte of a spool record that holds a RefusedMessage; its binary form follows.
const RecordRefused = 0x02

// RefusedMessage is what is kept of a message that was refused at the door, or of a request of which nothing could be
// read.
type RefusedMessage struct {
	Project    string
	MessageID  string // "" when it had none that could be read
	Reason     string // as in Entry
	Detail     string // what its sender was told
	ReceivedAt int64  // ms, UTC
	Size       uint64 // bytes of Payload, or of what was sent where that is not kept
	Hash       string // SHA-256 of the same, in hexadecimal digits
	Payload    string // a RefusedPayload as JSON, or "": nothing is kept
	More       uint64 // messages beside this one that were refused for the same reason and of which only this number is kept
}

// Refuser is who refused a message.
type Refuser string

// The refusers. Of a message that the database refused, Payload is the event as it was given to it.
const (
	ByCollector Refuser = "collector"
	ByDatabase  Refuser = "database"
)

// Rejected is a message as it is kept in the database, whoever refused it.
type Rejected struct {
	RefusedMessage
	RefusedBy  Refuser
	RejectedAt time.Time
}

// RefusedPayload is a refused message after its project's privacy filter, with what was known of its sender: all that
// replaying it needs.
type RefusedPayload struct {
	Message        json.RawMessage `json:"message"`                   // in the form of the Segment spec
	Origin         event.Origin    `json:"origin,omitempty"`          //
	Seq            uint32          `json:"seq,omitempty"`             // position in its batch
	DoNotTrack     bool            `json:"do_not_track,omitempty"`    // its sender objected to being tracked
	Country        string          `json:"country,omitempty"`         // and so on: as in Event
	Region         string          `json:"region,omitempty"`          //
	City           string          `json:"city,omitempty"`            //
	Browser        string          `json:"browser,omitempty"`         //
	BrowserVersion string          `json:"browser_version,omitempty"` //
	OS             string          `json:"os,omitempty"`              //
	OSVersion      string          `json:"os_version,omitempty"`      //
	Device         string          `json:"device,omitempty"`          //
	IsBot          bool            `json:"is_bot,omitempty"`          //
	BotReason      string          `json:"bot_reason,omitempty"`      //
}

// Note takes over what the enrichment has found out about the sender, whose address and user agent are not kept.
func (p *RefusedPayload) Note(e *event.Event) {
	p.Origin, p.Seq = e.Origin, e.Seq
	p.Country, p.Region, p.City = e.Country, e.Region, e.City
	p.Browser, p.BrowserVersion, p.OS, p.OSVersion, p.Device = e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.Device
	p.IsBot, p.BotReason = e.IsBot, e.BotReason
}

// Restore is the opposite of Note, for an event that was decoded and enriched again without its sender. Origin is the
// decoder's business.
func (p *RefusedPayload) Restore(e *event.Event) {
	e.Seq = p.Seq
	if p.Country != "" { // else there may be a geo file now, and a part of the address
		e.Country, e.Region, e.City = p.Country, p.Region, p.City
	}
	e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.Device = p.Browser, p.BrowserVersion, p.OS, p.OSVersion, p.Device
	e.IsBot, e.BotReason = p.IsBot, p.BotReason
}

// refusedVersion begins the binary form: version, then varint ReceivedAt, uvarints Size and More, and the strings with
// their uvarint lengths, in the order of texts.
const refusedVersion = 1

// ErrRefusedRecord is wrapped by every error of RefusedMessage.UnmarshalBinary.
var ErrRefusedRecord = errors.New("record of a refused message")

func (m *RefusedMessage) texts() [6]*string {
	return [...]*string{&m.Project, &m.MessageID, &m.Reason, &m.Detail, &m.Hash, &m.Payload}
}

// AppendBinary appends the encoded message to dst and returns the extended slice. It never fails.
func (m *RefusedMessage) AppendBinary(dst []byte) ([]byte, error) {
	dst = binary.AppendVarint(append(dst, refusedVersion), m.ReceivedAt)
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, m.Size), m.More)
	for _, s := range m.texts() {
		dst = append(binary.AppendUvarint(dst, uint64(len(*s))), *s...)
	}
	return dst, nil
}

// UnmarshalBinary replaces m by the message encoded in data, which it copies.
func (m *RefusedMessage) UnmarshalBinary(data []byte) error {
	if len(data) == 0 || data[0] != refusedVersion {
		return fmt.Errorf("%w: not of version %d, which this program reads", ErrRefusedRecord, refusedVersion)
	}
	rest := string(data[1:])
	*m = RefusedMessage{}
	received, n := binary.Varint(data[1:])
	if n <= 0 {
		return fmt.Errorf("%w: the time is cut", ErrRefusedRecord)
	}
	m.ReceivedAt, rest = received, rest[n:]
	var err error
	for _, number := range [...]*uint64{&m.Size, &m.More} {
		if *number, rest, err = cutUvarint(rest); err != nil {
			return err
		}
	}
	for _, s := range m.texts() {
		var size uint64
		if size, rest, err = cutUvarint(rest); err != nil {
			return err
		}
		if size > uint64(len(rest)) {
			return fmt.Errorf("%w: a text is cut", ErrRefusedRecord)
		}
		*s, rest = rest[:size], rest[size:]
	}
	if rest != "" {
		return fmt.Errorf("%w: %d bytes too many", ErrRefusedRecord, len(rest))
	}
	return nil
}

func cutUvarint(s string) (uint64, string, error) {
	n, size := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
	if size <= 0 {
		return 0, "", fmt.Errorf("%w: a number is cut", ErrRefusedRecord)
	}
	return n, s[size:], nil
}

// ReasonOf is the reason of an Entry for the error by which a message or a body was refused.
func ReasonOf(err error) string {
	var broken *event.Error
	switch {
	case errors.Is(err, ErrTooLarge):
		return "too large"
	case errors.As(err, &broken):
		return "invalid " + broken.Field // of the names that the code knows, not of the sender's
	default:
		return "malformed"
	}
}
