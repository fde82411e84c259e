package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/spool"
	"github.com/touchline-hq/touchline/store"
)

// spoolState is what doctor needs of a spool.
type spoolState struct {
	id      string
	failing bool      // takes nothing; known of a running instance only
	loaded  time.Time // when the instance read its configuration; zero: unknown
	spool.Stats
}

// committed is the number of events that the spool has given up.
func (s *spoolState) committed() uint64 { return s.Accepted - s.Records }

// spoolState asks the running instance, and else reads the files.
func (d *doctor) spoolState(ctx context.Context) (spoolState, error) {
	if d.running && d.instance.Admin != "" {
		url := "http://" + d.instance.Admin + "/metrics"
		status, text, err := get(ctx, url)
		if err == nil && status != 200 {
			err = fmt.Errorf("%s answers %d", url, status)
		}
		if err != nil {
			return spoolState{}, err
		}
		return parseMetrics(text)
	}
	id, stats, err := spool.Inspect(d.spoolDir())
	if errors.Is(err, fs.ErrNotExist) {
		return spoolState{}, nil // nothing was ever received here
	}
	if d.running {
		stats.Damaged = 0 // a record that is being written looks so
	}
	return spoolState{id: id, Stats: stats}, err
}

// parseMetrics reads what the instance says of its spool.
func parseMetrics(text string) (spoolState, error) {
	var s spoolState
	values := make(map[string]float64)
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, metricSpool+`{id="`); ok {
			s.id, _, _ = strings.Cut(rest, `"`)
		}
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				values[name] = n
			}
		}
	}
	for name, target := range map[string]*uint64{
		metricAccepted: &s.Accepted, metricPending: &s.Records, metricBatch: &s.Batch, metricDamaged: &s.Damaged, metricLost: &s.Lost,
	} {
		value, ok := values[name]
		if !ok {
			return s, fmt.Errorf("the running instance's metrics lack %s; restart it with this version", name)
		}
		*target = uint64(value)
	}
	s.Disk = int64(values[metricDisk])
	s.failing = values[metricFailing] == 1
	if at := int64(values[metricLoaded]); at > 0 {
		s.loaded = time.Unix(at, 0)
	}
	return s, nil
}

// balance accounts for every event that was ever received. All but expired and missing are at one instant.
type balance struct {
	here, elsewhere, imported uint64 // received: by this collector, by others with the same database, by imports

	stored, duplicate, expired, pending uint64
	rejected                            map[string]uint64 // by reason; less what was replayed

	missing int64 // this collector received them and they are in no book; negative: booked and never received
	unknown int64 // stored and in no book
}

func (b *balance) received() uint64 { return b.here + b.elsewhere + b.imported }

func (b *balance) rejectedInAll() (n uint64) {
	for _, events := range b.rejected {
		n += events
	}
	return n
}

// addsUp also says that the sum is what was received: whatever is not accounted for is in missing or unknown.
func (b *balance) addsUp() bool {
	return b.missing == 0 && b.unknown == 0 &&
		b.received() == b.stored+b.duplicate+b.expired+b.rejectedInAll()+b.pending
}

// reckon draws the balance of what a spool, the ledger and the tables say.
//
// What was delivered, imported and replayed and is neither stored nor expired was there before: duplicates. The batch that is on
// its way may be stored, and booked, before the spool gives it up; what is known to be there no longer counts as pending.
//
// What was replayed is no longer rejected. Whoever kept a refused event may have been killed before the ledger had it, and
// booked it as delivered once the cause was mended: the replay of such an event says nothing new.
func reckon(s *spoolState, booked []store.Booked, stored map[string]uint64) balance {
	b := balance{here: s.Accepted, pending: s.Records, rejected: make(map[string]uint64)}
	type cause struct{ project, reason string }
	refused, replayed := make(map[cause]uint64), make(map[cause]uint64)
	var arrived, here uint64
	for _, e := range booked {
		switch e.Outcome {
		case collector.Delivered, collector.Imported:
			arrived += e.Events
		case collector.Refused:
			refused[cause{e.Project, e.Reason}] += e.Events
		case collector.Unkept: // one record of the spool stood for them and another
			refused[cause{e.Project, e.Reason}] += e.Events
			if e.Collector == s.id {
				b.here += e.Events
			} else {
				b.elsewhere += e.Events
			}
			continue // in no spool
		case collector.Replayed:
			replayed[cause{e.Project, e.Reason}] += e.Events
			continue // received before
		case collector.Expired:
			b.expired += e.Events
			continue // received before
		}
		switch e.Collector {
		case "": // imports come through no spool
			b.imported += e.Events
		case s.id:
			here += e.Events
		default:
			b.elsewhere += e.Events
		}
	}
	for c, n := range refused {
		mended := min(n, replayed[c])
		arrived += mended
		if n > mended {
			b.rejected[c.reason] += n - mended
		}
	}
	for _, n := range stored {
		b.stored += n
	}
	b.missing = int64(s.committed()) - int64(here) //nolint:gosec // no spool gets that far
	onItsWay := s.Batch
	if onItsWay > 0 && b.missing == -int64(onItsWay) { //nolint:gosec // as above
		b.missing, b.pending, onItsWay = 0, b.pending-onItsWay, 0
	}
	left := int64(arrived) - int64(b.stored) - int64(b.expired) //nolint:gosec // as above
	if left < 0 {
		early := min(uint64(-left), onItsWay)
		b.pending -= early
		b.unknown = -left - int64(early) //nolint:gosec // as above
		left = 0
	}
	b.duplicate = uint64(left)
	return b
}

// How often and how long doctor looks again while events are on their way: the numbers of spool, ledger and tables
// cannot be had at one instant.
const (
	lookAgain = 40
	lookAfter = 250 * time.Millisecond
)

// books prints the ledger, once its parts agree or after some ten seconds.
func (d *doctor) books(ctx context.Context) {
	var s spoolState
	var b balance
	for range lookAgain {
		before, err := d.spoolState(ctx)
		var booked []store.Booked
		var stored map[string]uint64
		if err == nil {
			booked, err = d.db.Ledger(ctx)
		}
		if err == nil {
			stored, err = d.db.CountStored(ctx)
		}
		if err == nil {
			s, err = d.spoolState(ctx)
		}
		if err != nil {
			d.ill("ledger", "%s", oneLine(err))
			return
		}
		b = reckon(&s, booked, stored)
		if still := s.committed() == before.committed() && s.Batch == before.Batch; still && b.addsUp() || !d.running {
			break
		}
		select {
		case <-time.After(lookAfter):
		case <-ctx.Done():
			return
		}
	}
	d.spool(&s)
	b.write(d.out)
	switch {
	case b.addsUp():
		d.well("ledger", "adds up: every event that was received is accounted for")
	case b.missing > 0:
		d.ill("ledger", "%d events that were received are nowhere: the spool was damaged or events were delivered before there was a ledger; see touchline spool and the log", b.missing)
	case b.missing < 0:
		d.ill("ledger", "%d events more were delivered than received: the spool is older than the database; was it restored from a copy?", -b.missing)
	default:
		d.ill("ledger", "%d stored events are in no book: an import or a replay was killed (do it again), or they are older than the ledger", b.unknown)
	}
}

// spoolAlone looks at the spool when there is no database to compare it with.
func (d *doctor) spoolAlone(ctx context.Context) {
	s, err := d.spoolState(ctx)
	if err != nil {
		d.ill("spool", "%s", oneLine(err))
		return
	}
	d.spool(&s)
}

func (d *doctor) spool(s *spoolState) {
	if info, err := os.Stat(d.cfg.file); err == nil && !s.loaded.IsZero() && info.ModTime().After(s.loaded.Add(time.Second)) {
		d.note("configuration", "changed at %s, after it was read: send SIGHUP to process %d, kill -HUP %d",
			info.ModTime().UTC().Format(time.DateTime), d.instance.PID, d.instance.PID)
	}
	switch {
	case s.failing:
		d.ill("spool", "takes nothing, requests are answered 503: is the disk full, read-only or gone? see the log; of %s %s are used",
			bytesText(uint64(d.cfg.spoolLimit)), bytesText(uint64(s.Disk))) //nolint:gosec // sizes
	case s.Damaged > 0 || s.Lost > 0:
		d.ill("spool", "%d damaged regions, %d events lost with them; see touchline spool, and whether the disk is failing", s.Damaged, s.Lost)
	case s.Disk > d.cfg.spoolLimit/5*4:
		d.ill("spool", "%d events wait, %s of %s are used: the database is away or too slow; at the limit the collector answers 503",
			s.Records, bytesText(uint64(s.Disk)), bytesText(uint64(d.cfg.spoolLimit))) //nolint:gosec // sizes
	default:
		d.well("spool", "%d events wait, no damage", s.Records)
	}
}

// write prints the sum: received = stored + duplicate + rejected + pending + expired.
func (b *balance) write(w io.Writer) {
	line := func(sign, name string, n int64, note string) {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("       %s %-10s %12d  %s", sign, name, n, note), " "))
	}
	unsigned := func(sign, name string, n uint64, note string) { line(sign, name, int64(n), note) } //nolint:gosec // counts of events
	unsigned(" ", "received", b.received(),
		fmt.Sprintf("%d by this collector, %d by others, %d imported", b.here, b.elsewhere, b.imported))
	unsigned("=", "stored", b.stored, "each message once")
	unsigned("+", "duplicate", b.duplicate, "")
	for _, reason := range slices.Sorted(maps.Keys(b.rejected)) {
		unsigned("+", "rejected", b.rejected[reason], reason)
	}
	if len(b.rejected) == 0 {
		unsigned("+", "rejected", 0, "")
	}
	unsigned("+", "pending", b.pending, "")
	unsigned("+", "expired", b.expired, "")
	if b.missing != 0 {
		line("+", "missing", b.missing, "")
	}
	if b.unknown != 0 {
		line("-", "unknown", b.unknown, "stored, and in no book")
	}
}

// oneLine is an error's text on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
