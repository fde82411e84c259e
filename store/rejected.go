package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/collector"
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
		return appendRejected(b, &collector.Rejected{RefusedBy: collector.ByDatabase, RejectedAt: now, RefusedMessage: collector.RefusedMessage{
			Project: e.Project, MessageID: e.MessageID, Reason: refused[i].Reason, Detail: refused[i].Detail, ReceivedAt: e.ReceivedAt,
			Size: uint64(len(payload)), Hash: hex.EncodeToString(hash[:]), Payload: string(payload),
		}}, neverReplayed)
	})
}

// RejectMessages keeps messages that were refused at the door. Of calls with the same token, only the first has an
// effect.
func (in *Inserter) RejectMessages(ctx context.Context, token string, refused []collector.RefusedMessage) error {
	now := time.Now()
	return in.db.insertOnce(ctx, "rejected_raw", token, len(refused), func(b driver.Batch, i int) error {
		return appendRejected(b, &collector.Rejected{RefusedBy: collector.ByCollector, RejectedAt: now, RefusedMessage: refused[i]}, neverReplayed)
	})
}

// neverReplayed is what column replayed_at holds of a message that still is refused.
var neverReplayed = time.Unix(0, 0)

// appendRejected appends a row of rejected_raw.
func appendRejected(b driver.Batch, m *collector.Rejected, replayed time.Time) error {
	return b.Append(m.Project, m.MessageID, m.Reason, clip(m.Detail), string(m.RefusedBy), time.UnixMilli(m.ReceivedAt), m.RejectedAt,
		m.Size, m.Hash, m.Payload, replayed)
}

func clip(detail string) string { return detail[:min(len(detail), maxDetail)] }
