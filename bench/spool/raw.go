package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
)

const allocated = 16 << 20 // bytes of the file that is written before

// syncing is a file that gets a record and is synced, again and again.
type syncing struct {
	name     string
	sync     func(*os.File) error
	allocate bool // all blocks are there before; else the file grows

	syncs    int
	duration time.Duration
}

// syncings begin with what the spool does.
func syncings() []syncing {
	fsync := (*os.File).Sync
	return []syncing{
		{name: "fsync, the file grows", sync: fsync},
		{name: "fdatasync, the file grows", sync: fdatasync},
		{name: "fsync, written before", sync: fsync, allocate: true},
		{name: "fdatasync, written before", sync: fdatasync, allocate: true},
	}
}

func (s *syncing) rate() float64 { return run.Rate(s.syncs, s.duration) }

func (s *syncing) measure(ctx context.Context, dir string, d time.Duration) error {
	name := filepath.Join(dir, "plain")
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if s.allocate {
		_, err = file.WriteAt(make([]byte, allocated), 0)
		err = errors.Join(err, file.Sync())
	}
	if err == nil {
		err = s.write(ctx, file, d)
	}
	return errors.Join(err, file.Close(), os.Remove(name))
}

func (s *syncing) write(ctx context.Context, file *os.File, d time.Duration) error {
	record := make([]byte, recordSize)
	start := time.Now()
	for offset := int64(0); s.duration < d; offset += recordSize {
		if s.allocate && offset+recordSize > allocated {
			offset = 0
		}
		if _, err := file.WriteAt(record, offset); err != nil {
			return err
		}
		if err := s.sync(file); err != nil {
			return err
		}
		s.syncs++
		s.duration = time.Since(start)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}
