package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/attribution"
)

// DeviceUsers returns the users that a device belonged to.
func (db *DB) DeviceUsers(ctx context.Context, project, device string) ([]string, error) {
	var users []string
	err := db.query(ctx, "DeviceUsers", params{"project": project, "device": device}, func(r driver.Rows) error {
		var user string
		err := r.Scan(&user)
		users = append(users, user)
		return err
	})
	return users, err
}

// AccountMembers returns users and devices that named an account, at most limit.
func (db *DB) AccountMembers(ctx context.Context, project, account string, limit int) ([]string, error) {
	var members []string
	p := params{"project": project, "account": account, "limit": limit}
	err := db.query(ctx, "AccountMembers", p, func(r driver.Rows) error {
		var member string
		err := r.Scan(&member)
		members = append(members, member)
		return err
	})
	return members, err
}

// Persons returns the published people among ids.
func (db *DB) Persons(ctx context.Context, project string, ids []string) ([]attribution.PublishedPerson, error) {
	var persons []attribution.PublishedPerson
	err := db.query(ctx, "Persons", params{"project": project, "ids": ids}, func(r driver.Rows) error {
		var p attribution.PublishedPerson
		err := r.Scan(&p.ID, &p.Identified, &p.FirstSeen, &p.LastSeen)
		persons = append(persons, p)
		return err
	})
	return persons, err
}

// History returns what is known of people, at least one, in order of time; at most limit steps.
func (db *DB) History(ctx context.Context, project string, people []attribution.PublishedPerson, limit int) ([]attribution.HistoryStep, error) {
	var ids, keys []string
	var from, to time.Time
	for _, p := range people {
		ids, keys = append(ids, p.ID), append(keys, key(p))
		if from.IsZero() || p.FirstSeen.Before(from) {
			from = p.FirstSeen
		}
		if p.LastSeen.After(to) {
			to = p.LastSeen
		}
	}
	var steps []attribution.HistoryStep
	p := params{"project": project, "ids": ids, "keys": keys, "from": from.UnixMilli(), "to": to.UnixMilli(), "limit": limit}
	err := db.query(ctx, "History", p, func(r driver.Rows) error {
		var s attribution.HistoryStep
		err := r.Scan(&s.Time, &s.What, &s.Name, &s.Details, &s.Value, &s.ID, &s.Person, &s.Device)
		steps = append(steps, s)
		return err
	})
	return steps, err
}

// key tells a user from a device with the same id.
func key(p attribution.PublishedPerson) string {
	if p.Identified {
		return "u" + p.ID
	}
	return "d" + p.ID
}

// Canonical are the users who stand for those of the given ones whom alias calls joined.
func (db *DB) Canonical(ctx context.Context, project string, ids []string) ([]string, error) {
	var users []string
	err := db.query(ctx, "Canonical", params{"project": project, "ids": ids}, func(r driver.Rows) error {
		var user string
		err := r.Scan(&user)
		users = append(users, user)
		return err
	})
	return users, err
}
