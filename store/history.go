package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/attribution"
)

// DeviceUsers returns the users that a device belonged to.
func (db *DB) DeviceUsers(ctx context.Context, project, device string) ([]string, error) {
	var users []string
	err := db.query(ctx, "DeviceUsers", params{"project": project, "device": device}, scanName(&users))
	return users, err
}

// Canonical are the users who stand for those of the given ones whom alias calls joined.
func (db *DB) Canonical(ctx context.Context, project string, ids []string) ([]string, error) {
	var users []string
	err := db.query(ctx, "Canonical", params{"project": project, "ids": ids}, scanName(&users))
	return users, err
}

func scanName(names *[]string) func(driver.Rows) error {
	return func(r driver.Rows) error {
		var name string
		err := r.Scan(&name)
		*names = append(*names, name)
		return err
	}
}

// Persons returns the published people among ids.
func (db *DB) Persons(ctx context.Context, project string, ids []string) ([]attribution.PublishedPerson, error) {
	var people []attribution.PublishedPerson
	err := db.query(ctx, "Persons", params{"project": project, "ids": ids}, scanPerson(&people))
	return people, err
}

// Members returns the published people of an account, at most limit.
func (db *DB) Members(ctx context.Context, project, account string, limit int) ([]attribution.PublishedPerson, error) {
	var people []attribution.PublishedPerson
	err := db.query(ctx, "Members", params{"project": project, "account": account, "limit": limit}, scanPerson(&people))
	return people, err
}

func scanPerson(people *[]attribution.PublishedPerson) func(driver.Rows) error {
	return func(r driver.Rows) error {
		var p attribution.PublishedPerson
		err := r.Scan(&p.ID, &p.Identified, &p.Accounts)
		*people = append(*people, p)
		return err
	}
}

// History returns what is known of people in order of time; at most limit steps. Journeys, touches and conversions at level
// account are those of all accounts of the people, or of account only, if it is not empty.
func (db *DB) History(ctx context.Context, s attribution.Selection, people []attribution.PublishedPerson, account string, limit int) ([]attribution.HistoryStep, error) {
	users, devices, accounts := []string{}, []string{}, named([]string{account})
	for _, p := range people {
		if p.Identified {
			users = append(users, p.ID)
		} else {
			devices = append(devices, p.ID)
		}
		if account == "" {
			accounts = append(accounts, p.Accounts...)
		}
	}
	asOf, err := db.PublishedAsOf(ctx, s.Project)
	if err != nil {
		return nil, err
	}
	var steps []attribution.HistoryStep
	p := params{
		"project": s.Project.ID, "level": s.Level, "as_of": milliseconds(asOf),
		"users": users, "devices": devices, "accounts": accounts, "account": account, "limit": limit,
	}
	err = db.query(ctx, "History", p, func(r driver.Rows) error {
		var s attribution.HistoryStep
		err = r.Scan(&s.Time, &s.What, &s.Name, &s.Details, &s.Value, &s.ID, &s.Person, &s.Account, &s.Device)
		steps = append(steps, s)
		return err
	})
	return steps, err
}
