// Command batch measures how many events a second go through the whole collector, from batches of 100 Segment events
// to rows of view events, and beside it in the same run how fast the client library alone inserts such rows.
//
//	make build && go run ./bench/batch
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
)

// The figures to reach.
const (
	wantRate   = 100_000 // events/s, until all is stored
	wantP99    = 50 * time.Millisecond
	wantMemory = 300e6 // bytes of the collector
)

// settleLimit is how long the engine may merge before the client library has its turn.
const settleLimit = 30 * time.Second

// drainLimit is how long all that was acknowledged may take to be stored after the load.
const drainLimit = 10 * time.Minute

type options struct {
	program     string
	duration    time.Duration
	connections int
}

func main() {
	program := flag.String("touchline", "bin/touchline", "`path` of the program")
	seconds := flag.Int("seconds", 60, "of load; the client library alone gets a quarter of that")
	connections := flag.Int("connections", 8, "that are kept open, each with one request under way")
	flag.Parse()
	if *seconds < 1 || *connections < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "batch: -seconds and -connections must be 1 or more, and nothing may follow the flags")
		os.Exit(2)
	}
	os.Exit(run.Main("batch", func(ctx context.Context) error {
		result, err := measure(ctx, options{*program, time.Duration(*seconds) * time.Second, *connections})
		if err != nil {
			return err
		}
		return result.print(os.Stdout)
	}))
}

// result is what the benchmark came to.
type result struct {
	options
	machine                      string
	load                         *load
	stored                       uint64
	total                        time.Duration // from the first request until all is stored
	collector, engine, generator run.Usage     // in that time
	library                      *library
}

// measure fails when what was acknowledged and what is stored differ.
func measure(ctx context.Context, o options) (_ *result, err error) {
	rng := rand.New(rand.NewPCG(1, uint64(o.connections))) //nolint:gosec // for what test events look like
	c, err := run.Start(ctx, o.program)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	senders, err := newSenders(c.Addr, o.connections, rng)
	if err != nil {
		return nil, err
	}
	r := &result{options: o, machine: run.Machine()}
	if err = r.throughCollector(ctx, c, senders); err != nil {
		return nil, err
	}
	if err = c.Settle(ctx, min(o.duration, settleLimit)); err != nil {
		return nil, err
	}
	var templates []*template
	for _, s := range senders {
		templates = append(templates, s.templates...)
	}
	events, err := enriched(o.program, templates, min(len(r.load.latencies), blockBatches))
	if err == nil {
		r.library, err = measureLibrary(ctx, c, events, o.duration/4)
	}
	return r, err
}

func (r *result) throughCollector(ctx context.Context, c *run.Collector, senders []*sender) error {
	collector, engine, err := c.Usage()
	if err != nil {
		return err
	}
	generator, err := run.ReadUsage(os.Getpid())
	if err != nil {
		return err
	}
	start := time.Now()
	if r.load, err = send(ctx, senders, new(atomic.Uint64), r.duration); err != nil {
		return err
	}
	draining, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	if r.stored, err = c.WaitStored(draining, r.load.events()); err != nil {
		return err
	}
	r.total = time.Since(start)
	if r.stored != r.load.events() {
		return fmt.Errorf("%d events are stored, %d were sent", r.stored, r.load.events())
	}
	collectorNow, engineNow, err := c.Usage()
	if err != nil {
		return err
	}
	generatorNow, err := run.ReadUsage(os.Getpid())
	r.collector, r.engine, r.generator = collectorNow.Since(collector), engineNow.Since(engine), generatorNow.Since(generator)
	return err
}

func (r *result) print(w io.Writer) error {
	events, l := r.load.events(), r.load
	endToEnd := run.Rate(events, r.total)
	fmt.Fprintf(w, "batch: POST /v1/batch, %d events of %d bytes each, durable, enriched and inserted; %d connections, %v\n%s\n\n",
		batchSize, l.bytes/events, r.connections, r.duration, r.machine)
	err := run.Table(w,
		[]string{"", "events/s", "seconds"},
		[]string{"acknowledged", run.Number(run.Rate(events, l.duration)), run.Seconds(l.duration)},
		[]string{"end to end", run.Number(endToEnd), run.Seconds(r.total)},
		[]string{"client library alone", run.Number(r.library.rate()), run.Seconds(r.library.duration)},
	)
	if err != nil {
		return err
	}
	p99 := l.quantile(0.99)
	err = run.Table(w,
		[]string{"answers", "p50", "p95", "p99", "max"},
		[]string{"ms", run.Millis(l.quantile(0.5)), run.Millis(l.quantile(0.95)), run.Millis(p99), run.Millis(l.quantile(1))},
	)
	if err != nil {
		return err
	}
	process := func(name string, u run.Usage, events uint64) []string {
		return []string{name, run.Seconds(u.CPU), run.Micros(u.CPU, float64(events)), run.Megabytes(u.Peak)}
	}
	err = run.Table(w,
		[]string{"process", "CPU s", "µs/event", "peak MB"},
		process("collector", r.collector, events),
		process("engine", r.engine, events),
		process("generator", r.generator, events),
		process("client library alone", r.library.client, r.library.rows),
		process("engine for that", r.library.engine, r.library.rows),
	)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "stored: all %d acknowledged events, and no other\n", r.stored)
	fmt.Fprintf(w, "end to end: %s events/s, at least %s: %s\n", run.Number(endToEnd), run.Number(wantRate), run.Verdict(endToEnd >= wantRate))
	fmt.Fprintf(w, "p99 of the answers: %s ms, less than %s: %s\n", run.Millis(p99), run.Millis(wantP99), run.Verdict(p99 < wantP99))
	fmt.Fprintf(w, "memory of the collector: %s MB, less than %s: %s\n",
		run.Megabytes(r.collector.Peak), run.Megabytes(wantMemory), run.Verdict(r.collector.Peak < wantMemory))
	return nil
}
