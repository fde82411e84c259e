package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/store"
)

// journeyCommand tells all that is known of a person, or of the people of an account, in order.
type journeyCommand struct {
	Subject string `arg:"" name:"person|account" help:"User id, device (anonymousId), or account (groupId)."`
	Project string `help:"Project." required:""`
	Format  format `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

// What a journey shows at most.
const (
	maxMembers = 1000
	maxSteps   = 100_000
)

func (c *journeyCommand) Run(ctx context.Context, g *globals) error {
	if c.Subject == "" {
		return usageError{errors.New("whose journey? want a user id, a device or an account")}
	}
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	if _, _, err = in.cfg.project(c.Project); err != nil {
		return usageError{err}
	}
	people, err := findPeople(ctx, in.db, c.Project, c.Subject)
	if err != nil {
		return err
	}
	if len(people) == 0 {
		return fmt.Errorf("project %q knows no user, device or account %q; what came since touchline attribute last ran is not known yet", c.Project, c.Subject)
	}
	steps, err := in.db.History(ctx, c.Project, people, maxSteps+1)
	if err != nil {
		return err
	}
	if len(steps) > maxSteps {
		steps = steps[:maxSteps]
		fmt.Fprintf(g.stderr, "the first %d steps; there are more\n", maxSteps)
	}
	if err := writePeople(ctx, in.db, g.stderr, c.Project, people); err != nil {
		return err
	}
	return stepTable(steps).write(os.Stdout, c.Format)
}

// findPeople returns whom an id stands for: a user, also one whom alias has joined to another; the users of a device, or
// itself; else the people of an account.
func findPeople(ctx context.Context, db *store.DB, project, id string) ([]attribution.PublishedPerson, error) {
	users, err := db.DeviceUsers(ctx, project, id)
	if err != nil {
		return nil, err
	}
	people, err := db.Persons(ctx, project, append(users, id))
	if err == nil && (len(people) == 0 || !containAll(people, users)) {
		people, err = joinedPeople(ctx, db, project, append(users, id))
	}
	if err != nil || len(people) > 0 {
		return slices.DeleteFunc(people, func(p attribution.PublishedPerson) bool {
			return !p.Identified && p.ID != id // a device with the name of a user
		}), err
	}
	members, err := db.AccountMembers(ctx, project, id, maxMembers)
	if err != nil || len(members) == 0 {
		return nil, err
	}
	return joinedPeople(ctx, db, project, members)
}

func containAll(people []attribution.PublishedPerson, ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool {
		return !slices.ContainsFunc(people, func(p attribution.PublishedPerson) bool { return p.ID == id })
	})
}

// joinedPeople finds people by ids of users, also of such whom alias has joined to another, and of devices.
func joinedPeople(ctx context.Context, db *store.DB, project string, ids []string) ([]attribution.PublishedPerson, error) {
	joined, err := db.Canonical(ctx, project, ids)
	if err != nil {
		return nil, err
	}
	return db.Persons(ctx, project, append(slices.Clone(ids), joined...))
}

// writePeople says of whom, and as of when, the steps tell.
func writePeople(ctx context.Context, db *store.DB, w io.Writer, project string, people []attribution.PublishedPerson) error {
	kinds, err := db.PublishedKinds(ctx, project, attribution.Person)
	var asOf time.Time
	for _, t := range kinds {
		if t.After(asOf) {
			asOf = t
		}
	}
	fmt.Fprintf(w, "%s, %d people, as of %s\n", project, len(people), asOf.UTC().Format(time.RFC3339))
	return err
}

func stepTable(steps []attribution.HistoryStep) *table {
	t := &table{header: []string{"time", "what", "name", "details", "value", "id", "person", "device"}}
	for _, s := range steps {
		value := cell{"", nil}
		if s.What == "conversion" || s.What == "journey" {
			value = number(s.Value)
		}
		t.rows = append(t.rows, []cell{
			text(s.Time.UTC().Format(time.RFC3339Nano)), text(s.What), text(s.Name), text(s.Details), value,
			text(s.ID), text(s.Person), text(s.Device),
		})
	}
	return t
}
