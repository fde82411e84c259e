package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// blaming are the errors by which a server blames data. Every other one may pass: memory, disk, too many parts, a table
// that is being altered or is not there.
var blaming = []proto.Error{
	proto.ErrCannotParseText,
	proto.ErrCannotParseEscapeSequence,
	proto.ErrCannotParseQuotedString,
	proto.ErrCannotParseInputAssertionFailed,
	proto.ErrCannotParseDate,
	proto.ErrCannotParseDatetime,
	proto.ErrTypeMismatch,
	proto.ErrArgumentOutOfBound,
	proto.ErrCannotConvertType,
	proto.ErrCannotParseNumber,
	proto.ErrIncorrectData,
	proto.ErrTooLargeArraySize,
	proto.ErrTooLargeStringSize,
	proto.ErrValueIsOutOfRangeOfDataType,
	proto.ErrCannotInsertNullInOrdinaryColumn,
	proto.ErrCannotParseUUID,
	proto.ErrDecimalOverflow,
	proto.ErrCannotParseBool,
	proto.ErrViolatedConstraint,
}

// refusal is a *collector.RefusedError when the server blames the rows, and nil when it may take them another time.
func refusal(err error) error {
	var exception *ch.Exception
	if !errors.As(err, &exception) || !slices.Contains(blaming, exception.Code) {
		return nil
	}
	message, _, _ := strings.Cut(exception.Message, "\n")
	return &collector.RefusedError{
		Reason: exception.Code.String(),
		Detail: fmt.Sprintf("%s (%d): %s", exception.Code, int(exception.Code), message),
	}
}

// maxDetail bounds what is kept of the server's words, which repeat the row.
const maxDetail = 4 << 10 // bytes

// Reject keeps events that the database refused. Of calls with the same token, only the first has an effect.
func (in *Inserter) Reject(ctx context.Context, token string, refused []collector.RefusedEvent) error {
	now := time.Now()
	return in.db.insertOnce(ctx, "rejected_raw", token, len(refused), func(b driver.Batch, i int) error {
		e := refused[i].Event
		payload, err := marshalRow(e)
		if err != nil {
			return err
		}
		hash := sha256.Sum256(payload)
		return b.Append(e.Project, e.MessageID, refused[i].Reason, clip(refused[i].Detail), byDatabase, time.UnixMilli(e.ReceivedAt), now,
			uint64(len(payload)), hex.EncodeToString(hash[:]), string(payload), neverReplayed)
	})
}

// Who refused a message: column refused_by.
const (
	byDatabase  = "database"
	byCollector = "collector"
)

// neverReplayed is what column replayed_at holds of a message that still is refused.
var neverReplayed = time.Unix(0, 0)

// RejectMessages keeps messages that were refused at the door. Of calls with the same token, only the first has an
// effect.
func (in *Inserter) RejectMessages(ctx context.Context, token string, refused []collector.RefusedMessage) error {
	now := time.Now()
	return in.db.insertOnce(ctx, "rejected_raw", token, len(refused), func(b driver.Batch, i int) error {
		m := &refused[i]
		return b.Append(m.Project, m.MessageID, m.Reason, clip(m.Detail), byCollector, time.UnixMilli(m.ReceivedAt), now,
			m.Size, m.Hash, m.Payload, neverReplayed)
	})
}

func clip(detail string) string { return detail[:min(len(detail), maxDetail)] }

// marshalRow makes of an event a row of events_raw in format JSONEachRow, without what is empty.
func marshalRow(e *event.Event) ([]byte, error) {
	row := map[string]any{
		"client_day": time.Unix(int64(e.ClientDay)*24*60*60, 0).UTC().Format(time.DateOnly),
		"client_key": fmt.Sprint(e.ClientKey),
	}
	for i, s := range words(e) {
		if s != "" {
			row[wordColumns[i]] = s
		}
	}
	for i, s := range texts(e) {
		if s != "" {
			row[textColumns[i]] = s
		}
	}
	for i, ms := range times(e) {
		row[timeColumns[i]] = time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000")
	}
	for i, b := range bools(e) {
		if b {
			row[boolColumns[i]] = true
		}
	}
	if e.Seq != 0 {
		row["seq"] = e.Seq
	}
	if e.Value != 0 {
		row["value"] = decimal.New(e.Value, -6).String()
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(row); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
