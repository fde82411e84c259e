package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/collector"
)

// RefusedFilter chooses among the messages of a project that are refused still.
type RefusedFilter struct {
	Project string
	Reason  string    // "": any
	Since   time.Time // of receipt; zero: from the first
}

// Refused returns refused messages, the newest first.
func (db *DB) Refused(ctx context.Context, f RefusedFilter, limit int) ([]collector.Rejected, error) {
	return db.refused(ctx, f, nil, true, limit)
}

// RefusedAfter returns refused messages in the order of their receipt, those that follow one; nil: the first.
func (db *DB) RefusedAfter(ctx context.Context, f RefusedFilter, after *collector.Rejected, limit int) ([]collector.Rejected, error) {
	return db.refused(ctx, f, after, false, limit)
}

func (db *DB) refused(ctx context.Context, f RefusedFilter, after *collector.Rejected, newest bool, limit int) ([]collector.Rejected, error) {
	p := params{
		"project": f.Project, "reason": f.Reason, "since": int64(0), "newest": 0, "limit": limit,
		"first": 1, "after": int64(0), "id": "", "hash": "",
	}
	if newest {
		p["newest"] = 1
	}
	if !f.Since.IsZero() {
		p["since"] = f.Since.UnixMilli()
	}
	if after != nil {
		p["first"], p["after"], p["id"], p["hash"] = 0, after.ReceivedAt, after.MessageID, after.Hash
	}
	var list []collector.Rejected
	err := db.query(ctx, "Refused", p, func(r driver.Rows) error {
		var m collector.Rejected
		err := r.Scan(&m.Project, &m.MessageID, &m.Reason, &m.Detail, (*string)(&m.RefusedBy), &m.ReceivedAt, &m.RejectedAt, &m.Size, &m.Hash, &m.Payload)
		list = append(list, m)
		return err
	})
	return list, err
}

// MarkReplayed books that refused messages have been brought in, and marks them. It may be repeated: a message is booked
// once however often.
func (db *DB) MarkReplayed(ctx context.Context, token string, replayed []collector.Rejected) error {
	now := time.Now()
	err := db.insertOnce(ctx, "ledger_raw", token, len(replayed), func(b driver.Batch, i int) error {
		m := &replayed[i]
		name := m.MessageID
		if name == "" {
			name = m.Hash
		}
		// Another copy that is refused later was received, and booked, once more.
		name = fmt.Sprintf("%d %s", m.ReceivedAt, name)
		return b.Append(m.Project, "", string(collector.Replayed), m.Reason, name, uint64(1), now)
	})
	if err != nil {
		return err
	}
	return db.insertOnce(ctx, "rejected_raw", token, len(replayed), func(b driver.Batch, i int) error {
		return appendRejected(b, &replayed[i], now)
	})
}
