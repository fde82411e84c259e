// Package batch carries events from the queue to where they are stored. What it has taken from the queue it gives up
// only after the insert has succeeded, and a repeated insert carries the token of the first.
package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Queue is a durable queue of records, read by one Deliverer.
type Queue interface {
	// Next waits for records and returns a batch of them, in order, with a token that names this batch and no other.
	// Until Commit it returns the same batch again, also after a crash. The records are valid until the next call.
	Next(ctx context.Context) (records [][]byte, token string, err error)
	// Commit gives up the batch that Next returned last.
	Commit() error
	// Pending is the number of records not committed.
	Pending() uint64
}

// Inserter stores events, and what became of them. A call with a token that the same method has had before changes
// nothing. What it is given is the caller's again when a call returns.
type Inserter interface {
	// Insert stores events, which come in their binary form. After a *collector.RefusedError none was stored. An error that
	// wraps event.ErrCodec says that they cannot be read. After any other it is not known whether they were stored.
	Insert(ctx context.Context, token string, records [][]byte) error
	// Reject keeps events that were refused.
	Reject(ctx context.Context, token string, refused []collector.RefusedEvent) error
	// RejectMessages keeps messages that were refused at the door.
	RejectMessages(ctx context.Context, token string, refused []collector.RefusedMessage) error
	// Book enters into the ledger what became of a batch. It may keep the entries' strings.
	Book(ctx context.Context, token string, entries []collector.Entry) error
	// ActiveParts is how many parts the database has still to merge where there are most.
	ActiveParts(ctx context.Context) (int, error)
}

// Deliverer moves batches from a Queue to an Inserter.
type Deliverer struct {
	Queue    Queue
	Inserter Inserter
	Log      *slog.Logger

	events  [][]byte                   // of the current batch, in their binary form
	counts  map[string]uint64          // of the current batch, by project
	atDoor  []collector.RefusedMessage // of the current batch: refused when they came
	refused []collector.RefusedEvent   // of the current batch
	paced   time.Time                  // when the parts were last counted
}

// MaxParts is the number of active parts in one partition above which delivery waits. A server slows inserts down at
// 1000 and refuses them at 3000; waiting before that leaves its power to the merges.
const MaxParts = 300

const countParts = time.Second // between counts

// Waits between attempts grow from minWait to maxWait, each shortened at random by up to a half, so that many
// collectors do not come back at once.
const (
	minWait = 100 * time.Millisecond
	maxWait = 10 * time.Second
)

// Run delivers until drain is closed and the queue is empty, or until ctx is done. Trouble with the queue or the inserter
// is tried again for as long as ctx lives, after drain is closed too, so ctx must carry the deadline for that. An error
// that wraps ctx's says how many events wait; another means that the queue holds what this version cannot read.
func (d *Deliverer) Run(ctx context.Context, drain <-chan struct{}) error {
	err := d.run(ctx, drain)
	if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
		return fmt.Errorf("%w; %d events wait in the spool", ended, d.Queue.Pending())
	}
	return err
}

func (d *Deliverer) run(ctx context.Context, drain <-chan struct{}) error {
	for {
		var records [][]byte
		var token string
		err := d.retry(ctx, "reading the spool", func() (err error) {
			records, token, err = d.next(ctx, drain)
			return err
		})
		if err != nil || records == nil {
			return err
		}
		if err := d.classify(records); err != nil {
			return err
		}
		if err := d.deliver(ctx, token); err != nil {
			return err
		}
		if err := d.retry(ctx, "moving the spool's read position", d.Queue.Commit); err != nil {
			return err
		}
	}
}

// next returns the next batch, or nil once drain is closed and nothing is left.
func (d *Deliverer) next(ctx context.Context, drain <-chan struct{}) ([][]byte, string, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-drain:
			cancel()
		case <-waiting.Done():
		}
	}()
	records, token, err := d.Queue.Next(waiting)
	if err == nil {
		return records, token, nil
	}
	if ctx.Err() != nil || waiting.Err() == nil {
		return nil, "", err
	}
	if d.Queue.Pending() == 0 {
		return nil, "", nil
	}
	return d.Queue.Next(ctx)
}

// classify finds out what the records of a batch are.
func (d *Deliverer) classify(records [][]byte) error {
	d.events, d.atDoor = d.events[:0], d.atDoor[:0]
	d.counts = make(map[string]uint64)
	for _, r := range records {
		if len(r) > 0 && r[0] == collector.RecordRefused {
			d.atDoor = append(d.atDoor, collector.RefusedMessage{})
			if err := d.atDoor[len(d.atDoor)-1].UnmarshalBinary(r[1:]); err != nil {
				return unreadable(err)
			}
			continue
		}
		if len(r) == 0 || r[0] != collector.RecordEvent {
			return errUnknownKind
		}
		project, err := event.ProjectOf(r[1:])
		if err != nil {
			return unreadable(err)
		}
		d.counts[string(project)]++
		d.events = append(d.events, r[1:])
	}
	return nil
}

var errUnknownKind = errors.New("the spool holds a record of a kind that this version does not know; start the version that wrote it")

func unreadable(err error) error {
	return fmt.Errorf("the spool holds a record that this version cannot read; start the version that wrote it: %w", err)
}

// deliver stores the events of a batch, keeps what is refused, and books both. Each step has a token of its own
// made from the batch's, so whatever a crash cuts short is done once when the batch comes again.
func (d *Deliverer) deliver(ctx context.Context, token string) error {
	if err := d.pace(ctx); err != nil {
		return err
	}
	d.refused = d.refused[:0]
	if err := d.insert(ctx, token); err != nil {
		return err
	}
	if len(d.atDoor) > 0 {
		if err := d.retry(ctx, "rejecting", func() error { return d.Inserter.RejectMessages(ctx, token+"/door", d.atDoor) }); err != nil {
			return err
		}
	}
	if len(d.refused) > 0 {
		d.Log.Warn("the database refused events, they are in table rejected", "events", len(d.refused), "reason", d.refused[0].Reason)
		if err := d.retry(ctx, "rejecting", func() error { return d.Inserter.Reject(ctx, token+"/rejected", d.refused) }); err != nil {
			return err
		}
	}
	entries := d.entries()
	if err := d.retry(ctx, "booking", func() error { return d.Inserter.Book(ctx, token, entries) }); err != nil {
		return err
	}
	d.Log.Debug("batch delivered", "events", len(d.events), "refused", len(d.refused)+len(d.atDoor), "token", token)
	return nil
}

// insert stores the events that the database takes, and notes the others.
func (d *Deliverer) insert(ctx context.Context, token string) error {
	return collector.InsertByHalves(token, d.events, func(token string, events [][]byte) error {
		var final error // that no attempt will mend
		err := d.retry(ctx, "inserting", func() error {
			err := d.Inserter.Insert(ctx, token, events)
			var refused *collector.RefusedError
			switch {
			case errors.Is(err, event.ErrCodec):
				final = unreadable(err)
			case errors.As(err, &refused):
				final = refused
			default:
				return err
			}
			return nil
		})
		return cmp.Or(err, final)
	}, d.refuse)
}

// refuse takes leave of an event.
func (d *Deliverer) refuse(record []byte, why *collector.RefusedError) error {
	e := new(event.Event)
	if err := e.UnmarshalShared(record); err != nil {
		return unreadable(err)
	}
	e.Project = strings.Clone(e.Project) // goes into the ledger's entries, which may be kept
	d.refused = append(d.refused, collector.RefusedEvent{Event: e, Reason: why.Reason, Detail: why.Detail})
	return nil
}

// entries are what became of the current batch, in an order that depends on nothing else.
func (d *Deliverer) entries() []collector.Entry {
	counts := make(map[collector.Entry]uint64)
	for project, n := range d.counts {
		counts[collector.Entry{Project: project, Outcome: collector.Delivered}] = n
	}
	for _, r := range d.refused {
		counts[collector.Entry{Project: r.Event.Project, Outcome: collector.Delivered}]--
		counts[collector.Entry{Project: r.Event.Project, Outcome: collector.Refused, Reason: r.Reason}]++
	}
	for _, m := range d.atDoor {
		counts[collector.Entry{Project: m.Project, Outcome: collector.Refused, Reason: m.Reason}]++
		counts[collector.Entry{Project: m.Project, Outcome: collector.Unkept, Reason: m.Reason}] += m.More
	}
	var entries []collector.Entry
	for entry, n := range counts {
		if entry.Events = n; n > 0 {
			entries = append(entries, entry)
		}
	}
	slices.SortFunc(entries, func(a, b collector.Entry) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Reason, b.Reason))
	})
	return entries
}

// pace waits while the database has too many parts to merge. That they cannot be counted is left for the insert to
// complain of.
func (d *Deliverer) pace(ctx context.Context) error {
	if time.Since(d.paced) < countParts {
		return nil
	}
	return d.retry(ctx, "waiting for the database to merge", func() error {
		parts, err := d.Inserter.ActiveParts(ctx)
		d.paced = time.Now()
		if err == nil && parts > MaxParts {
			return fmt.Errorf("%d active parts in one partition, the most is %d", parts, MaxParts)
		}
		return nil
	})
}

// retry calls f until it succeeds or ctx is done.
func (d *Deliverer) retry(ctx context.Context, doing string, f func() error) error {
	wait := minWait
	for {
		err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.Log.Warn(doing+" failed, trying again", "pending", d.Queue.Pending(), "wait", wait, "error", collector.WithoutValues(err))
		if err := sleep(ctx, wait/2+rand.N(wait/2)); err != nil {
			return err
		}
		wait = min(2*wait, maxWait)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
