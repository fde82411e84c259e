package main

import (
	"context"
	"errors"
	"fmt"
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
	Level   string `help:"person or account: whose journeys." enum:"person,account" default:"person"`
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
	project, _, err := in.cfg.project(c.Project)
	if err != nil {
		return usageError{err}
	}
	selection := attribution.Selection{Project: *project, Level: c.Level}
	asOf, err := in.db.PublishedAsOf(ctx, *project)
	if err != nil {
		return err
	}
	if asOf.IsZero() {
		return notPublished(selection)
	}
	people, account, err := findPeople(ctx, in.db, c.Project, c.Subject)
	if err != nil {
		return err
	}
	if len(people) == 0 {
		return fmt.Errorf("project %q knows no user, device or account %q as of %s", c.Project, c.Subject, asOf.UTC().Format(time.RFC3339))
	}
	steps, err := in.db.History(ctx, selection, people, account, maxSteps+1)
	if err != nil {
		return err
	}
	if len(steps) > maxSteps {
		steps = steps[:maxSteps]
		fmt.Fprintf(g.stderr, "the first %d steps; there are more\n", maxSteps)
	}
	fmt.Fprintf(g.stderr, "%s, %d people, level %s, as of %s\n", c.Project, len(people), c.Level, asOf.UTC().Format(time.RFC3339))
	return stepTable(steps).write(os.Stdout, c.Format)
}

// findPeople returns whom an id stands for: a user, also one whom alias has joined to another; the users of a device, or
// itself; else the people of an account, and that it is one.
func findPeople(ctx context.Context, db *store.DB, project, id string) (people []attribution.PublishedPerson, account string, err error) {
	users, err := db.DeviceUsers(ctx, project, id)
	if err != nil {
		return nil, "", err
	}
	ids := append(slices.Clone(users), id)
	joined, err := db.Canonical(ctx, project, ids)
	if err != nil {
		return nil, "", err
	}
	people, err = db.Persons(ctx, project, append(ids, joined...))
	people = slices.DeleteFunc(people, func(p attribution.PublishedPerson) bool {
		return !p.Identified && p.ID != id // a device with the name of a user
	})
	if err != nil || len(people) > 0 {
		return people, "", err
	}
	people, err = db.Members(ctx, project, id, maxMembers)
	return people, id, err
}

func stepTable(steps []attribution.HistoryStep) *table {
	t := &table{header: []string{"time", "what", "name", "details", "value", "id", "person", "account", "device"}}
	for _, s := range steps {
		value := cell{"", nil}
		if s.What == "conversion" || s.What == "journey" {
			value = number(s.Value)
		}
		t.rows = append(t.rows, []cell{
			text(s.Time.UTC().Format(time.RFC3339Nano)), text(s.What), text(s.Name), text(s.Details), value,
			text(s.ID), text(s.Person), text(s.Account), text(s.Device),
		})
	}
	return t
}
