// Command pixel measures how many pixel requests a second the collector takes, made durable, enriched and inserted,
// and beside it in the same run a bare fasthttp server that answers the same image.
//
//	make build && go run ./bench/pixel
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
)

// limit is the least ratio to the bare server.
const limit = 0.5

// drainLimit is how long all that was acknowledged may take to be stored after the load.
const drainLimit = 10 * time.Minute

type options struct {
	program  string
	duration time.Duration // of the load on one server, whole seconds
	rounds   int
}

func main() {
	if os.Getenv(bareEnv) != "" {
		if err := serveBare(); err != nil {
			fmt.Fprintln(os.Stderr, "bare server:", err)
			os.Exit(1)
		}
		return
	}
	program := flag.String("touchline", "bin/touchline", "`path` of the program")
	seconds := flag.Int("seconds", 10, "of load on each of the two servers, three times")
	flag.Parse()
	if *seconds < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "pixel: -seconds must be 1 or more, and nothing may follow the flags")
		os.Exit(2)
	}
	o := options{program: *program, duration: time.Duration(*seconds) * time.Second, rounds: 3}
	os.Exit(run.Main("pixel", func(ctx context.Context) error {
		result, err := measure(ctx, o)
		if err != nil {
			return err
		}
		return result.print(os.Stdout)
	}))
}

// round is one load on each server.
type round struct {
	bare, ours load
	drain      time.Duration // from the end of the load until all is stored
}

func (r *round) ratio() float64 { return r.ours.rate() / r.bare.rate() }

// result is what the benchmark came to.
type result struct {
	options
	machine           string
	rounds            []round
	stored            uint64
	bare              run.Usage
	collector, engine run.Usage // while our server had load, and until all was stored
}

// measure fails when an acknowledged event is not stored, or more are than were sent.
func measure(ctx context.Context, o options) (_ *result, err error) {
	dir, err := os.MkdirTemp("", "touchline-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)) //nolint:gosec // for ids of test events
	g, err := newGenerator(dir, rng)
	if err != nil {
		return nil, err
	}
	b, err := startBare(ctx)
	if err != nil {
		return nil, err
	}
	defer b.stop()
	c, err := run.Start(ctx, o.program)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()

	result := &result{options: o, machine: run.Machine()}
	prefix := strconv.FormatUint(rng.Uint64(), 36) + "-"
	for n := range o.rounds {
		if err = result.round(ctx, g, b, c, fmt.Sprintf("%s%d-", prefix, n)); err != nil {
			return nil, err
		}
	}
	if result.bare, err = run.ReadUsage(b.cmd.Process.Pid); err != nil {
		return nil, err
	}
	if most := result.acknowledged() + result.unanswered(); result.stored > most {
		return nil, fmt.Errorf("%d events are stored, but at most %d were sent", result.stored, most)
	}
	return result, nil
}

// round waits until all is stored, so that what the one server left undone does not burden the other.
func (r *result) round(ctx context.Context, g *generator, b *bare, c *run.Collector, prefix string) error {
	var next round
	var err error
	if next.bare, err = g.run(ctx, b.addr, prefix, r.duration); err != nil {
		return err
	}
	collector, engine, err := c.Usage()
	if err != nil {
		return err
	}
	if next.ours, err = g.run(ctx, c.Addr, prefix, r.duration); err != nil {
		return err
	}
	r.rounds = append(r.rounds, next)
	end := time.Now()
	draining, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	if r.stored, err = c.WaitStored(draining, r.acknowledged()); err != nil {
		return err
	}
	r.rounds[len(r.rounds)-1].drain = time.Since(end)
	collectorNow, engineNow, err := c.Usage()
	r.collector = r.collector.Plus(collectorNow.Since(collector))
	r.engine = r.engine.Plus(engineNow.Since(engine))
	return err
}

// acknowledged counts the requests that wrk has seen answered.
func (r *result) acknowledged() (n uint64) {
	for i := range r.rounds {
		n += r.rounds[i].ours.requests
	}
	return n
}

// unanswered is the most that wrk may have sent without seeing the answer: one on each connection at the end of a load.
func (r *result) unanswered() uint64 { return connections * uint64(len(r.rounds)) } //nolint:gosec // small

func (r *result) print(w io.Writer) error {
	fmt.Fprintf(w, "pixel: GET /p.gif, durable, enriched and inserted; wrk -t1 -c%d, %d rounds of %v\n%s\n\n",
		connections, len(r.rounds), r.duration, r.machine)
	rows := [][]string{{"round", "bare req/s", "touchline req/s", "ratio", "p50 ms", "p99 ms", "stored after s"}}
	var ratios, bareRates, ourRates []float64
	var wrkBare, wrkOurs time.Duration
	var bareRequests uint64
	for i := range r.rounds {
		next := &r.rounds[i]
		ratios = append(ratios, next.ratio())
		bareRates, ourRates = append(bareRates, next.bare.rate()), append(ourRates, next.ours.rate())
		wrkBare, wrkOurs = wrkBare+next.bare.cpu, wrkOurs+next.ours.cpu
		bareRequests += next.bare.requests
		rows = append(rows, []string{
			strconv.Itoa(i + 1), run.Number(next.bare.rate()), run.Number(next.ours.rate()), run.Number(next.ratio()),
			run.Millis(next.ours.p50), run.Millis(next.ours.p99), run.Seconds(next.drain),
		})
	}
	ratio := median(ratios)
	rows = append(rows, []string{"median", run.Number(median(bareRates)), run.Number(median(ourRates)), run.Number(ratio), "", "", ""})
	if err := run.Table(w, rows...); err != nil {
		return err
	}
	process := func(name string, cpu time.Duration, requests uint64, peak string) []string {
		return []string{name, run.Seconds(cpu), run.Micros(cpu, float64(requests)), peak}
	}
	err := run.Table(w,
		[]string{"process", "CPU s", "µs/request", "peak MB"},
		process("bare", r.bare.CPU, bareRequests, run.Megabytes(r.bare.Peak)),
		process("wrk on bare", wrkBare, bareRequests, ""),
		process("collector", r.collector.CPU, r.acknowledged(), run.Megabytes(r.collector.Peak)),
		process("engine", r.engine.CPU, r.acknowledged(), run.Megabytes(r.engine.Peak)),
		process("wrk on touchline", wrkOurs, r.acknowledged(), ""),
	)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "stored: all %d acknowledged events, and %d of at most %d whose answer wrk did not wait for\n",
		r.acknowledged(), r.stored-r.acknowledged(), r.unanswered())
	fmt.Fprintf(w, "ratio to the bare server: %s, at least %.2f: %s\n", run.Number(ratio), limit, run.Verdict(ratio >= limit))
	return nil
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
