package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/bench/run"
	"github.com/touchline-hq/touchline/collector/spool"
)

// Limits of a batch, as the collector reads them, and of the spool on disk.
const (
	readRecords = 100_000
	readBytes   = 64 << 20
	readLinger  = time.Second
	diskLimit   = 2 << 30
)

// durability is one of the spool's, with its name in the configuration.
type durability struct {
	name string
	is   spool.Durability
}

// appending is a spool that several writers append to at once while one reads.
type appending struct {
	durability durability
	writers    int
	batch      int // records of an append

	appends  uint64
	duration time.Duration // of the appends
	cpu      time.Duration // of writers and reader, until all is read
}

func appendings() (all []appending) {
	for _, d := range []durability{{"fsync", spool.Fsync}, {"os", spool.OS}} {
		for _, writers := range []int{1, 8, 64} {
			for _, batch := range []int{1, 100} {
				all = append(all, appending{durability: d, writers: writers, batch: batch})
			}
		}
	}
	return all
}

func (a appending) String() string {
	return fmt.Sprintf("durability %s, %d writers, %d records an append", a.durability.name, a.writers, a.batch)
}

func (a *appending) rate() float64 { return run.Rate(a.appends, a.duration) }

func (a *appending) measure(ctx context.Context, dir string, d time.Duration) error {
	dir = filepath.Join(dir, "spool")
	var damage atomic.Pointer[spool.DamageError]
	s, err := spool.Open(spool.Options{
		Dir: dir, Limit: diskLimit, Durability: a.durability.is, OnDamage: func(e *spool.DamageError) { damage.Store(e) },
	})
	if err != nil {
		return err
	}
	before, err := run.ReadUsage(os.Getpid())
	if err == nil {
		err = a.run(ctx, s, d)
	}
	if found := damage.Load(); found != nil {
		err = errors.Join(err, found)
	}
	after, usageErr := run.ReadUsage(os.Getpid())
	a.cpu = after.Since(before).CPU
	return errors.Join(err, usageErr, s.Close(), os.RemoveAll(dir))
}

// run appends for a while, until all is read, and compares.
func (a *appending) run(ctx context.Context, s *spool.Spool, d time.Duration) error {
	group, running := errgroup.WithContext(ctx)
	appending, written := context.WithCancel(running)
	var read uint64
	group.Go(func() (err error) {
		read, err = consume(appending, s)
		return err
	})
	group.Go(func() error {
		defer written()
		return a.append(running, s, d)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if want := a.appends * uint64(a.batch); read != want { //nolint:gosec // at most 100
		return fmt.Errorf("%d records were appended, %d were read", want, read)
	}
	return context.Cause(ctx)
}

func (a *appending) append(ctx context.Context, s *spool.Spool, d time.Duration) error {
	records := make([][]byte, a.batch) // of all writers: the spool only reads them
	for i := range records {
		records[i] = make([]byte, recordSize)
	}
	var appends atomic.Uint64
	start := time.Now()
	writers, ctx := errgroup.WithContext(ctx)
	for range a.writers {
		writers.Go(func() error {
			for ctx.Err() == nil && time.Since(start) < d {
				switch err := s.Append(records); {
				case err == nil:
					appends.Add(1)
				case errors.Is(err, spool.ErrFull): // a client would be told to come back later
					time.Sleep(time.Millisecond)
				default:
					return err
				}
			}
			return ctx.Err()
		})
	}
	err := writers.Wait()
	a.appends, a.duration = appends.Load(), time.Since(start)
	return err
}

// consume reads and commits as the collector does, until appending is over and nothing is left.
func consume(appending context.Context, s *spool.Spool) (records uint64, err error) {
	ctx, linger := appending, readLinger
	for {
		batch, err := s.Next(ctx, readRecords, readBytes, linger)
		switch {
		case err == nil:
		case appending.Err() != nil && errors.Is(err, context.Canceled):
			// What is left is there already: no more waiting.
			ctx, linger = context.WithoutCancel(appending), 0
			if s.Stats().Records == 0 {
				return records, nil
			}
			continue
		default:
			return records, err
		}
		records += uint64(len(batch.Records))
		if err := s.Commit(batch); err != nil {
			return records, err
		}
		if appending.Err() != nil && s.Stats().Records == 0 {
			return records, nil
		}
	}
}
