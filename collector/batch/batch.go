// Package batch carries events from the queue to where they are stored. What it has taken from the queue it gives up
// only after the insert has succeeded, and a repeated insert carries the token of the first.
package batch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
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

// Inserter stores events. A call with a token that has been inserted before changes nothing.
type Inserter interface {
	Insert(ctx context.Context, token string, events []event.Event) error
}

// Deliverer moves batches from a Queue to an Inserter.
type Deliverer struct {
	Queue    Queue
	Inserter Inserter
	Log      *slog.Logger

	events []event.Event
}

// Waits between attempts grow from minWait to maxWait, each shortened at random by up to a half, so that many
// collectors do not come back at once.
const (
	minWait = 100 * time.Millisecond
	maxWait = 10 * time.Second
)

// Run delivers until drain is closed and the queue is empty, or until ctx is done. After drain is closed it tries as
// before, so ctx must carry the deadline for it. An error that wraps ctx's says how many events wait; another means that
// the queue is unusable.
func (d *Deliverer) Run(ctx context.Context, drain <-chan struct{}) error {
	err := d.run(ctx, drain)
	if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
		return fmt.Errorf("%w; %d events wait in the spool", ended, d.Queue.Pending())
	}
	return err
}

func (d *Deliverer) run(ctx context.Context, drain <-chan struct{}) error {
	for {
		records, token, err := d.next(ctx, drain)
		if err != nil || records == nil {
			return err
		}
		if err := d.decode(records); err != nil {
			return err
		}
		if err := d.insert(ctx, token); err != nil {
			return err
		}
		if err := d.Queue.Commit(); err != nil {
			return fmt.Errorf("move the read position: %w", err)
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

func (d *Deliverer) decode(records [][]byte) error {
	d.events = d.events[:0]
	for _, r := range records {
		if len(r) == 0 || r[0] != collector.RecordEvent {
			return fmt.Errorf("the spool holds a record of a kind that this version does not know; start the version that wrote it")
		}
		var e event.Event
		if err := e.UnmarshalBinary(r[1:]); err != nil {
			return fmt.Errorf("the spool holds a record that this version cannot read; start the version that wrote it: %w", err)
		}
		d.events = append(d.events, e)
	}
	return nil
}

// insert tries until it succeeds or ctx is done.
func (d *Deliverer) insert(ctx context.Context, token string) error {
	wait := minWait
	for {
		err := d.Inserter.Insert(ctx, token, d.events)
		if err == nil {
			d.Log.Debug("batch inserted", "events", len(d.events), "token", token)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.Log.Warn("insert failed, trying again", "events", len(d.events), "wait", wait, "error", err)
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
