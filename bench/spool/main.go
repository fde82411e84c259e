// Command spool measures how many appends a second the spool makes durable, and beside it in the same run and directory
// how often a second a plain file can be synced.
//
//	go run ./bench/spool
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
	"github.com/touchline-hq/touchline/collector/spool"
)

const recordSize = 500 // bytes, of which an event has about as many

func main() {
	seconds := flag.Int("seconds", 2, "of each row of the tables, which are 16")
	flag.Parse()
	if *seconds < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "spool: -seconds must be 1 or more, and nothing may follow the flags")
		os.Exit(2)
	}
	os.Exit(run.Main("spool", func(ctx context.Context) error {
		result, err := measure(ctx, time.Duration(*seconds)*time.Second)
		if err != nil {
			return err
		}
		return result.print(os.Stdout)
	}))
}

// result is what the benchmark came to.
type result struct {
	machine string
	each    time.Duration
	raw     []syncing
	appends []appending
}

// measure gives each row a time. It fails when the spool does not give back what was appended.
func measure(ctx context.Context, each time.Duration) (_ *result, err error) {
	dir, err := os.MkdirTemp("", "touchline-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &result{machine: run.Machine(), each: each, raw: syncings(), appends: appendings()}
	for i := range r.raw {
		if err := r.raw[i].measure(ctx, dir, each); err != nil {
			return nil, fmt.Errorf("%s: %w", r.raw[i].name, err)
		}
	}
	for i := range r.appends {
		if err := r.appends[i].measure(ctx, dir, each); err != nil {
			return nil, fmt.Errorf("%v: %w", r.appends[i], err)
		}
	}
	return r, nil
}

func (r *result) print(w io.Writer) error {
	fmt.Fprintf(w, "spool: appends of %d-byte records, read and committed meanwhile; %v each\n%s\n\n", recordSize, r.each, r.machine)
	rows := [][]string{{"a plain file, one writer", "syncs/s", "µs/sync"}}
	for i := range r.raw {
		s := &r.raw[i]
		rows = append(rows, []string{s.name, run.Number(s.rate()), run.Micros(s.duration, float64(s.syncs))})
	}
	if err := run.Table(w, rows...); err != nil {
		return err
	}
	fsync := r.raw[0].rate()
	rows = [][]string{{"durability", "writers", "records/append", "appends/s", "records/s", "MB/s", "CPU µs/record", "appends per plain fsync"}}
	for i := range r.appends {
		a := &r.appends[i]
		shared := ""
		if a.durability.is == spool.Fsync {
			shared = run.Number(a.rate() / fsync)
		}
		rows = append(rows, []string{
			a.durability.name, strconv.Itoa(a.writers), strconv.Itoa(a.batch),
			run.Number(a.rate()), run.Number(a.rate() * float64(a.batch)), run.Number(a.rate() * float64(a.batch) * recordSize / 1e6),
			run.Micros(a.cpu, float64(a.appends)*float64(a.batch)), shared,
		})
	}
	if err := run.Table(w, rows...); err != nil {
		return err
	}
	fmt.Fprintln(w, "read back: all records that were appended, and no other")
	return nil
}
