package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Link is a run of one user on one device.
type Link struct {
	Device, User        string
	FirstSeen, LastSeen time.Time
	Events              uint64
}

// Unlinked is a link that was undone: of events that name both, those up to At no longer link the device to the user.
type Unlinked struct {
	Device, User string
	At           time.Time // whole milliseconds
	Reason       string
}

// Links lists the runs, as the last attribution found them, of a device, a user or both; "" stands for all.
func (db *DB) Links(ctx context.Context, project, device, user string) ([]Link, error) {
	var links []Link
	err := db.query(ctx, "Links", params{"project": project, "device": device, "user": user}, func(r driver.Rows) error {
		var l Link
		err := r.Scan(&l.Device, &l.User, &l.FirstSeen, &l.LastSeen, &l.Events)
		links = append(links, l)
		return err
	})
	return links, err
}

// CountLinking counts the events up to a time that link the device to the user, undone or not.
func (db *DB) CountLinking(ctx context.Context, project, device, user string, until time.Time) (uint64, error) {
	var n uint64
	err := db.query(ctx, "CountLinking", params{
		"project": project, "device": device, "user": user, "until": until.UnixMilli(),
	}, func(r driver.Rows) error { return r.Scan(&n) })
	return n, err
}

// Unlink notes that a link is undone.
func (db *DB) Unlink(ctx context.Context, project string, u Unlinked) error {
	return db.exec(ctx, "Unlink", params{
		"project": project, "device": u.Device, "user": u.User, "at": u.At.UnixMilli(), "reason": u.Reason,
	})
}

// Unlinks lists what was undone, newest first.
func (db *DB) Unlinks(ctx context.Context, project string) ([]Unlinked, error) {
	var list []Unlinked
	err := db.query(ctx, "Unlinks", params{"project": project}, func(r driver.Rows) error {
		var u Unlinked
		err := r.Scan(&u.Device, &u.User, &u.At, &u.Reason)
		list = append(list, u)
		return err
	})
	return list, err
}
