package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/touchline-hq/touchline/collector/batch"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/store/datadir"
)

// doctorCommand examines an installation, running or not, and changes nothing of what it has collected.
type doctorCommand struct{}

func (c *doctorCommand) Run(ctx context.Context, g *globals) error {
	if !g.found() {
		return fmt.Errorf("there is no installation in %s: start one with touchline up, or name one with --data or --config", cmp.Or(g.Data, defaultData))
	}
	cfg, err := g.load()
	if err != nil {
		return err
	}
	d := &doctor{out: os.Stdout, installation: &installation{dir: g.dataDir(cfg), cfg: cfg, log: g.logger()}}
	d.examine(ctx, g)
	if d.wrong > 0 {
		return fmt.Errorf("%d of %d checks found something wrong", d.wrong, d.checks)
	}
	return nil
}

// doctor prints a line for each thing it looks at.
type doctor struct {
	*installation
	out io.Writer

	instance      datadir.Instance
	running       bool
	checks, wrong int
}

func (d *doctor) well(about, detail string, args ...any) {
	d.checks++
	fmt.Fprintf(d.out, "ok     %-14s  %s\n", about, fmt.Sprintf(detail, args...))
}

// ill says what is wrong and what to do about it.
func (d *doctor) ill(about, detail string, args ...any) {
	d.checks++
	d.wrong++
	fmt.Fprintf(d.out, "WRONG  %-14s  %s\n", about, fmt.Sprintf(detail, args...))
}

// note says what is worth knowing and not wrong.
func (d *doctor) note(about, detail string, args ...any) {
	fmt.Fprintf(d.out, "note   %-14s  %s\n", about, fmt.Sprintf(detail, args...))
}

// judge is well without an error, and else ill with it.
func (d *doctor) judge(err error, about, detail string, args ...any) {
	if err != nil {
		d.ill(about, "%s", oneLine(err))
		return
	}
	d.well(about, detail, args...)
}

// examine looks at one thing after the other. What needs the database comes last, and only when that answers.
func (d *doctor) examine(ctx context.Context, g *globals) {
	d.configuration()
	if !d.directory() {
		return
	}
	d.process()
	d.space()
	d.geo()
	opened, err := g.open(ctx)
	if err != nil {
		d.ill("database", "%s", oneLine(err))
		d.spoolAlone(ctx)
		return
	}
	defer opened.close()
	d.db = opened.db
	d.database(ctx)
	d.tables(ctx)
	d.parts(ctx)
	d.rejected(ctx)
	d.attribution(ctx)
	d.books(ctx)
}

func (d *doctor) configuration() {
	if d.cfg.file == "" {
		d.well("configuration", "none: one project, default, in privacy mode full")
		return
	}
	d.well("configuration", "%s, projects: %d", d.cfg.file, len(d.cfg.Projects))
	for _, warning := range d.cfg.warnings {
		d.note("configuration", "%s", warning)
	}
}

// directory tells whether there is one to look into.
func (d *doctor) directory() bool {
	info, err := os.Stat(d.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.ill("data directory", "%s is not there; touchline up makes it", d.dir)
		return false
	case err == nil && !info.IsDir():
		err = fmt.Errorf("%s is no directory; name another with --data", d.dir)
	case err == nil && unix.Access(d.dir, unix.W_OK) != nil:
		err = fmt.Errorf("%s cannot be written to by this user; run as its owner, or mount it for writing", d.dir)
	case err == nil && info.Mode().Perm()&0o077 != 0:
		d.ill("data directory", "%s holds personal data and passwords and others may enter it; chmod 700 it", d.dir)
		return true
	}
	if err == nil && !isInstallation(d.dir) {
		err = fmt.Errorf("nothing was ever started in %s; touchline up does, or name another with --data", d.dir)
	}
	d.judge(err, "data directory", "%s", d.dir)
	return err == nil
}

func (d *doctor) process() {
	var err error
	d.instance, d.running, err = datadir.FindInstance(d.dir)
	switch {
	case err != nil:
		d.ill("process", "%s", oneLine(err))
	case !d.running:
		d.well("process", "none runs here")
	case d.instance.Started.IsZero():
		d.ill("process", "process %d holds the data directory and does not serve; wait until it has started or ended", d.instance.PID)
	case d.instance.Admin == "":
		d.ill("process", "process %d runs without metrics: collector.admin was in use; set another address and restart it", d.instance.PID)
	default:
		d.well("process", "process %d since %s", d.instance.PID, d.instance.Started.Format(time.DateTime))
	}
}

// minFree is the space below which a disk counts as nearly full, in bytes: the engine merges into new files.
const minFree = 1 << 30

func (d *doctor) space() {
	var disk unix.Statfs_t
	if err := unix.Statfs(d.dir, &disk); err != nil {
		d.ill("disk", "%s: %v", d.dir, err)
		return
	}
	free := disk.Bavail * uint64(disk.Bsize) //nolint:gosec // a block has a size
	if free < minFree {
		d.ill("disk", "%s is free; make room: below 1.0 GB merges fail and then inserts", bytesText(free))
		return
	}
	d.well("disk", "%s free; the spool may take %s", bytesText(free), bytesText(uint64(d.cfg.spoolLimit))) //nolint:gosec // positive
}

func (d *doctor) geo() {
	file, err := d.geoFile()
	if err == nil && !fileExists(file) {
		err = fmt.Errorf("%s is not there, countries stay empty; run make build, or set geoip.database", file)
	}
	if err == nil {
		_, err = enrich.OpenGeo(file)
	}
	d.judge(err, "geo file", "%s", file)
}

// maxSkew is how far clocks may differ before times of events and their order suffer.
const maxSkew = 5 * time.Second

func (d *doctor) database(ctx context.Context) {
	server, err := d.db.Server(ctx)
	if err != nil {
		d.ill("database", "%s", oneLine(err))
		return
	}
	kind := "embedded engine"
	if d.cfg.ClickHouse.DSN != "" {
		kind = "server of clickhouse.dsn"
	}
	d.well("database", "%s, ClickHouse %s", kind, server.Version)
	now := time.Now()
	switch skew := server.Now.Sub(now).Abs(); {
	case skew > maxSkew:
		d.ill("clock", "this machine's and the database's differ by %s; set both by NTP", skew.Round(time.Millisecond))
	case server.Newest.Sub(now) > maxSkew:
		d.ill("clock", "it is %s here and an event was received at %s: the clock was set back; set it by NTP",
			now.UTC().Format(time.DateTime), server.Newest.Format(time.DateTime))
	default:
		d.well("clock", "%s UTC, as the database's", now.UTC().Format(time.DateTime))
	}
}

func (d *doctor) tables(ctx context.Context) {
	current, newest, err := d.db.Versions(ctx)
	if err == nil && current != newest {
		err = fmt.Errorf("version %d, and this touchline knows %d; restart touchline up with one version everywhere", current, newest)
	}
	d.judge(err, "tables", "version %d", current)
}

func (d *doctor) parts(ctx context.Context) {
	parts, err := d.db.ActiveParts(ctx)
	if err == nil && parts > batch.MaxParts {
		err = fmt.Errorf("%d active parts in one partition, delivery waits at %d: merges do not keep up; see system.merges and whether the disk is slow or full", parts, batch.MaxParts)
	}
	d.judge(err, "parts", "%d active in one partition at most", parts)
}

// rejected lists what was refused within a day. That is the clients' doing, as a rule, and nothing is wrong here.
func (d *doctor) rejected(ctx context.Context) {
	entries, err := d.db.RejectedSince(ctx, time.Now().Add(-24*time.Hour))
	if err != nil {
		d.ill("rejected", "%s", oneLine(err))
		return
	}
	for len(entries) > 0 {
		project, sum := entries[0].Project, uint64(0)
		var reasons []string
		for len(entries) > 0 && entries[0].Project == project {
			sum += entries[0].Events
			reasons = append(reasons, fmt.Sprintf("%d %s", entries[0].Events, entries[0].Reason))
			entries = entries[1:]
		}
		d.note("rejected", "%d events of project %s in the last day (%s): see touchline rejected --project %s, mend the cause, then touchline rejected replay",
			sum, project, strings.Join(reasons, ", "), project)
	}
}

// attribution looks at the scheduled runs.
func (d *doctor) attribution(ctx context.Context) {
	runs, err := d.db.LastRuns(ctx)
	if err != nil {
		d.ill("attribution", "%s", oneLine(err))
		return
	}
	for i := range d.cfg.attributed {
		id := d.cfg.attributed[i].ID
		last, ran := runs[id]
		began, late := last.Started.Format(time.DateTime), time.Since(last.Good) > overdueTurns*d.cfg.every
		switch {
		case !ran:
			d.note("attribution", "project %s: no scheduled run so far; jobs.every is %s", id, d.cfg.Jobs.Every)
		case last.Error != "":
			d.ill("attribution", "project %s: the run of %s failed: %s; mend that, the next run may be %s away", id, began, last.Error, d.cfg.Jobs.Every)
		case d.cfg.every == 0:
			d.note("attribution", "project %s: last scheduled run at %s; jobs.every is %s", id, began, d.cfg.Jobs.Every)
		case late && (d.running || d.cfg.ClickHouse.DSN != ""):
			d.ill("attribution", "project %s: the last run began at %s, jobs.every is %s; see the log of touchline up or jobs, with --verbose", id, began, d.cfg.Jobs.Every)
		default:
			d.well("attribution", "project %s: last run at %s", id, began)
		}
	}
}

// overdueTurns are how many turns may pass without a run until something is wrong.
const overdueTurns = 3

// bytesText prints a size in units of 1024, as the configuration reads it.
func bytesText(n uint64) string {
	for _, unit := range []struct {
		name  string
		shift int
	}{{"TB", 40}, {"GB", 30}, {"MB", 20}, {"KB", 10}} {
		if n >= 1<<unit.shift {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(uint64(1)<<unit.shift), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
