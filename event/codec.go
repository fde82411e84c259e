package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// The spool keeps events in this form:
//
//	+---------+----------------------------+------------------------------+
//	| version | numbers: zigzag varints    | strings: uvarint length and  |
//	| 1 byte  | in the order of numbers()  | bytes, in that of texts()    |
//	+---------+----------------------------+------------------------------+
//
// A field is only ever appended to the end of its list, together with a new version.
const codecVersion = 1

// ErrCodec is wrapped by every error of UnmarshalBinary.
var ErrCodec = errors.New("event record")

// AppendBinary appends the encoded event to dst and returns the extended slice. It never fails.
func (e *Event) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, codecVersion)
	for _, n := range e.numbers() {
		dst = binary.AppendVarint(dst, n)
	}
	for _, s := range e.texts() {
		dst = binary.AppendUvarint(dst, uint64(len(*s)))
		dst = append(dst, *s...)
	}
	return dst, nil
}

// Records returns the events encoded one by one.
func Records(events []Event) [][]byte {
	records := make([][]byte, len(events))
	for i := range events {
		records[i], _ = events[i].AppendBinary(nil) // never fails
	}
	return records
}

// ProjectOf returns the project of an encoded event, which is data's own bytes. It looks at nothing behind that.
func ProjectOf(data []byte) ([]byte, error) {
	if len(data) == 0 || data[0] != codecVersion {
		return nil, fmt.Errorf("%w: version is not %d", ErrCodec, codecVersion)
	}
	rest := data[1:]
	for range numberCount {
		_, size := binary.Varint(rest)
		if size <= 0 {
			return nil, fmt.Errorf("%w: a number is cut", ErrCodec)
		}
		rest = rest[size:]
	}
	n, size := binary.Uvarint(rest)
	if size <= 0 || n > uint64(len(rest)-size) {
		return nil, fmt.Errorf("%w: project is cut", ErrCodec)
	}
	return rest[size : size+int(n)], nil
}

// UnmarshalBinary replaces e by the event encoded in data. It copies data once; the event's strings share that copy.
func (e *Event) UnmarshalBinary(data []byte) error {
	return e.unmarshal(data, string(data))
}

// UnmarshalShared is UnmarshalBinary without the copy: the event's strings are data, which must not change as long as
// one of them is in use.
func (e *Event) UnmarshalShared(data []byte) error {
	return e.unmarshal(data, unsafe.String(unsafe.SliceData(data), len(data)))
}

// unmarshal makes the event's strings of text, which holds the same bytes as data.
func (e *Event) unmarshal(data []byte, text string) error {
	if len(data) == 0 {
		return fmt.Errorf("%w: empty", ErrCodec)
	}
	if data[0] != codecVersion {
		return fmt.Errorf("%w: version %d, this program reads %d", ErrCodec, data[0], codecVersion)
	}
	rest := data[1:]
	var numbers [numberCount]int64
	for i := range numbers {
		n, size := binary.Varint(rest)
		if size <= 0 {
			return fmt.Errorf("%w: number %d is cut", ErrCodec, i)
		}
		numbers[i], rest = n, rest[size:]
	}
	*e = Event{}
	e.setNumbers(&numbers)
	for i, s := range e.texts() {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return fmt.Errorf("%w: text %d is cut", ErrCodec, i)
		}
		start := len(text) - len(rest) + size
		*s, rest = text[start:start+int(n)], rest[size+int(n):]
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: %d bytes too many", ErrCodec, len(rest))
	}
	return nil
}

const numberCount = 10

func (e *Event) numbers() [numberCount]int64 {
	return [...]int64{
		e.Timestamp, e.ClientTimestamp, e.SentAt, e.ReceivedAt, bit(e.TimeReplaced), int64(e.Seq),
		int64(e.ClientDay), int64(e.ClientKey), bit(e.IsBot), e.Value,
	}
}

func (e *Event) setNumbers(n *[numberCount]int64) {
	e.Timestamp, e.ClientTimestamp, e.SentAt, e.ReceivedAt = n[0], n[1], n[2], n[3]
	e.TimeReplaced, e.Seq = n[4] == 1, uint32(n[5])
	e.ClientDay, e.ClientKey, e.IsBot, e.Value = int32(n[6]), uint64(n[7]), n[8] == 1, n[9]
}

func (e *Event) texts() [42]*string {
	return [...]*string{
		&e.Project, &e.MessageID, (*string)(&e.Type), &e.Name,
		&e.AnonymousID, &e.UserID, &e.AccountID, &e.PreviousID,
		&e.URL, &e.Host, &e.Path, &e.Title, &e.Referrer,
		&e.Source, &e.Medium, &e.Campaign, &e.Term, &e.Content, &e.ClickID, &e.ClickIDType, &e.Channel, &e.ChannelReason,
		&e.Country, &e.Region, &e.City,
		&e.Browser, &e.BrowserVersion, &e.OS, &e.OSVersion, &e.Device, &e.BotReason,
		&e.Language, &e.Timezone, &e.Screen, &e.Currency, &e.OrderID,
		&e.Properties, &e.Traits, &e.Context, &e.Consent, &e.Library, (*string)(&e.Origin),
	}
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
