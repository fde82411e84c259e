package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
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
		var by string
		err := r.Scan(&m.Project, &m.MessageID, &m.Reason, &m.Detail, &by, &m.ReceivedAt, &m.RejectedAt, &m.Size, &m.Hash, &m.Payload)
		m.ByDatabase = by == byDatabase
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
		return b.Append(m.Project, "", string(collector.Replayed), m.Reason, name, uint64(1), now)
	})
	if err != nil {
		return err
	}
	return db.insertOnce(ctx, "rejected_raw", token, len(replayed), func(b driver.Batch, i int) error {
		m := &replayed[i]
		by := byCollector
		if m.ByDatabase {
			by = byDatabase
		}
		return b.Append(m.Project, m.MessageID, m.Reason, m.Detail, by, time.UnixMilli(m.ReceivedAt), m.RejectedAt, m.Size, m.Hash, m.Payload, now)
	})
}

// UnmarshalRow reads the payload of an event that the database refused.
func UnmarshalRow(payload string) (event.Event, error) {
	var e event.Event
	var row map[string]any
	decoder := json.NewDecoder(strings.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&row); err != nil {
		return e, fmt.Errorf("payload: %w", err)
	}
	for name, field := range textFields(&e) {
		*field, _ = row[name].(string)
	}
	typ, _ := row["type"].(string)
	origin, _ := row["origin"].(string)
	e.Type, e.Origin = event.Type(typ), event.Origin(origin)
	e.TimeReplaced, _ = row["time_replaced"].(bool)
	e.IsBot, _ = row["is_bot"].(bool)
	err := readNumbers(&e, row)
	return e, err
}

func readNumbers(e *event.Event, row map[string]any) error {
	var errs []error
	for i, field := range []*int64{&e.Timestamp, &e.ClientTimestamp, &e.SentAt, &e.ReceivedAt} {
		at, err := time.Parse("2006-01-02 15:04:05.000", fmt.Sprint(row[timeColumns[i]]))
		*field, errs = at.UnixMilli(), append(errs, err)
	}
	day, err := time.Parse(time.DateOnly, fmt.Sprint(row["client_day"]))
	e.ClientDay, errs = int32(day.Unix()/(24*60*60)), append(errs, err) //nolint:gosec // 4 digits of a year
	_, err = fmt.Sscan(fmt.Sprint(row["client_key"]), &e.ClientKey)
	errs = append(errs, err)
	if seq, ok := row["seq"]; ok {
		_, err = fmt.Sscan(fmt.Sprint(seq), &e.Seq)
		errs = append(errs, err)
	}
	if value, ok := row["value"]; ok {
		d, err := decimal.NewFromString(fmt.Sprint(value))
		if err == nil && (d.Exponent() < -6 || d.Exponent() > 12) { // as marshalRow writes none
			err = errors.New("value is no decimal of six places")
		}
		if errs = append(errs, err); err == nil {
			e.Value = d.Shift(6).IntPart()
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	return nil
}

// textFields are the fields of e by the columns that words and texts fill, save type and origin.
func textFields(e *event.Event) map[string]*string {
	return map[string]*string{
		"project": &e.Project, "event": &e.Name, "host": &e.Host, "source": &e.Source, "medium": &e.Medium, "campaign": &e.Campaign,
		"click_id_type": &e.ClickIDType, "channel": &e.Channel, "channel_reason": &e.ChannelReason, "country": &e.Country,
		"region": &e.Region, "city": &e.City, "browser": &e.Browser, "browser_version": &e.BrowserVersion, "os": &e.OS,
		"os_version": &e.OSVersion, "device": &e.Device, "bot_reason": &e.BotReason, "language": &e.Language,
		"timezone": &e.Timezone, "screen": &e.Screen, "currency": &e.Currency, "consent": &e.Consent, "library": &e.Library,
		"message_id": &e.MessageID, "anonymous_id": &e.AnonymousID, "user_id": &e.UserID, "account_id": &e.AccountID,
		"previous_id": &e.PreviousID, "url": &e.URL, "path": &e.Path, "title": &e.Title, "referrer": &e.Referrer,
		"term": &e.Term, "content": &e.Content, "click_id": &e.ClickID, "order_id": &e.OrderID, "properties": &e.Properties,
		"traits": &e.Traits, "context": &e.Context,
	}
}
