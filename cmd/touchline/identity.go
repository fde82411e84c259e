package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/touchline-hq/touchline/store"
)

// identityCommand shows which devices belong to whom, and undoes it.
type identityCommand struct {
	Unlink  identityUnlink  `cmd:"" help:"Undo the link of a device to a user: events so far that name both no longer link them, later ones do."`
	Links   identityLinks   `cmd:"" help:"List which users a device belonged to, or the devices of a user, as attribute found them last."`
	Unlinks identityUnlinks `cmd:"" help:"List what was undone, newest first."`
}

type identityUnlink struct {
	Project string `help:"Project." required:""`
	Device  string `help:"Device: the anonymousId of its events." required:"" placeholder:"ID"`
	User    string `help:"User: the userId of events that name both." required:"" placeholder:"ID"`
	Reason  string `help:"Why; kept with it." placeholder:"TEXT"`
}

func (c *identityUnlink) Run(ctx context.Context, g *globals) error {
	if c.Device == "" || c.User == "" {
		return usageError{errors.New("--device and --user must not be empty")}
	}
	return g.inProject(ctx, c.Project, func(in *installation) error {
		now := time.Now().Truncate(time.Millisecond).UTC()
		events, err := in.db.CountLinking(ctx, c.Project, c.Device, c.User, now)
		if err != nil {
			return err
		}
		if events == 0 {
			return fmt.Errorf("no event of project %s links device %s to user %s; touchline identity links lists what is linked", c.Project, c.Device, c.User)
		}
		if err = in.db.Unlink(ctx, c.Project, store.Unlinked{Device: c.Device, User: c.User, At: now, Reason: c.Reason}); err != nil {
			return err
		}
		_, err = fmt.Fprintf(os.Stdout, "events up to %s that name both (%d) no longer link them; touchline attribute makes it so in the tables\n",
			now.Format(instant), events)
		return err
	})
}

type identityLinks struct {
	Project string `help:"Project." required:""`
	Device  string `help:"Device: the anonymousId of its events." placeholder:"ID"`
	User    string `help:"User: the userId of its events." placeholder:"ID"`
	Format  format `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

func (c *identityLinks) Run(ctx context.Context, g *globals) error {
	if c.Device == "" && c.User == "" {
		return usageError{errors.New("whose links? add --user or --device")}
	}
	return g.inProject(ctx, c.Project, func(in *installation) error {
		links, err := in.db.Links(ctx, c.Project, c.Device, c.User)
		if err != nil {
			return err
		}
		f := c.Format.resolve(os.Stdout)
		t := &table{header: []string{"anonymous_id", "user_id", "first_seen", "last_seen", "events"}}
		for _, l := range links {
			t.rows = append(t.rows, []cell{
				f.sent(l.Device), f.sent(l.User), text(l.FirstSeen.Format(instant)), text(l.LastSeen.Format(instant)), numberOrText(fmt.Sprint(l.Events)),
			})
		}
		return t.write(os.Stdout, f)
	})
}

type identityUnlinks struct {
	Project string `help:"Project." required:""`
	Format  format `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

func (c *identityUnlinks) Run(ctx context.Context, g *globals) error {
	return g.inProject(ctx, c.Project, func(in *installation) error {
		list, err := in.db.Unlinks(ctx, c.Project)
		if err != nil {
			return err
		}
		f := c.Format.resolve(os.Stdout)
		t := &table{header: []string{"anonymous_id", "user_id", "unlinked_at", "reason"}}
		for _, u := range list {
			t.rows = append(t.rows, []cell{f.sent(u.Device), f.sent(u.User), text(u.At.Format(instant)), f.sent(u.Reason)})
		}
		return t.write(os.Stdout, f)
	})
}

// instant is a time in UTC as tables show it.
const instant = "2006-01-02 15:04:05.000"

// sent is a cell of what a stranger sent, which must not steer a terminal.
func (f format) sent(s string) cell {
	if f == formatTable {
		s = printable(s)
	}
	return text(s)
}

// inProject calls f with the installation, which has the project.
func (g *globals) inProject(ctx context.Context, project string, f func(*installation) error) error {
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	if _, _, err := in.cfg.project(project); err != nil {
		return usageError{err}
	}
	return f(in)
}
