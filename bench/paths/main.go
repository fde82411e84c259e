// Command paths measures what `touchline paths` takes for a file of journeys: how long, how much of the processor, how
// much memory, and prints them beside the limits.
//
//	make build && go run ./bench/paths
package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
)

type options struct {
	program  string
	journeys int
	runs     int // of each row, of which the fastest counts
}

func main() {
	o := options{}
	flag.StringVar(&o.program, "touchline", "bin/touchline", "`path` of the program")
	flag.IntVar(&o.journeys, "journeys", 1_000_000, "in a file; the limits are for a million")
	flag.IntVar(&o.runs, "runs", 3, "of each row, of which the fastest counts")
	flag.Parse()
	if o.journeys < 1 || o.runs < 1 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "paths: -journeys and -runs must be 1 or more, and nothing may follow the flags")
		os.Exit(2)
	}
	os.Exit(run.Main("paths", func(ctx context.Context) error {
		result, err := measure(ctx, o)
		if err != nil {
			return err
		}
		return result.print(os.Stdout)
	}))
}

// row is what is measured: a call of the program, mostly.
type row struct {
	name     string
	channels int
	args     []string      // none: in this process
	limit    time.Duration // 0: that it ends is all

	wall, cpu time.Duration // of the fastest run
	peak      int64         // bytes of memory
}

func rows() []row {
	return []row{
		{name: "all models, markov of order 1", channels: 12, args: []string{"--order=1"}, limit: 600 * time.Millisecond},
		{name: "all models, markov of order 2", channels: 12, args: []string{"--order=2"}, limit: 600 * time.Millisecond},
		{name: "all models, of orders 1 and 2 (in this process)", channels: 12, limit: 600 * time.Millisecond},
		{name: "all models, markov of order 3", channels: 12, args: []string{"--order=3"}, limit: 2 * time.Second},
		{name: "markov of order 4", channels: 20, args: []string{"--models=markov", "--order=4"}},
		{name: "comparison of the orders", channels: 12, args: []string{"--show=orders"}},
	}
}

// result is what the benchmark came to.
type result struct {
	options
	machine string
	files   map[int]*file // by channels
	rows    []row
}

// measure fails when a model does not credit all conversions and all value.
func measure(ctx context.Context, o options) (_ *result, err error) {
	dir, err := os.MkdirTemp("", "touchline-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &result{options: o, machine: run.Machine(), files: make(map[int]*file), rows: rows()}
	for i := range r.rows {
		row := &r.rows[i]
		if r.files[row.channels] == nil {
			path := filepath.Join(dir, strconv.Itoa(row.channels)+".csv")
			if r.files[row.channels], err = generate(path, row.channels, o.journeys); err != nil {
				return nil, err
			}
		}
		for range o.runs {
			if err := row.run(ctx, o.program, r.files[row.channels]); err != nil {
				return nil, fmt.Errorf("%s: %w", row.name, err)
			}
		}
	}
	return r, nil
}

// run does it once more.
func (r *row) run(ctx context.Context, program string, f *file) error {
	if r.args == nil {
		return r.together(f)
	}
	cmd := exec.CommandContext(ctx, program, append([]string{"paths", f.path, "--format=csv"}, r.args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return err
	}
	wall := time.Since(start)
	if r.wall == 0 || wall < r.wall {
		r.wall, r.cpu = wall, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = max(r.peak, usage.Maxrss<<10)
	}
	return check(&out, f)
}

// check adds up credit, where that is what was printed.
func check(out io.Reader, f *file) error {
	records, err := csv.NewReader(out).ReadAll()
	if err != nil {
		return err
	}
	if records[0][0] != "model" {
		return nil
	}
	conversions, value := map[string]float64{}, map[string]float64{}
	for _, record := range records[1:] {
		c, err := strconv.ParseFloat(record[2], 64)
		if err != nil {
			return err
		}
		v, err := strconv.ParseFloat(record[3], 64)
		if err != nil {
			return err
		}
		conversions[record[0]] += c
		value[record[0]] += v
	}
	for model := range conversions {
		if !near(conversions[model], f.conversions) || !near(value[model], f.value) {
			return fmt.Errorf("%s credits %v conversions worth %v, of %v worth %v",
				model, conversions[model], value[model], f.conversions, f.value)
		}
	}
	return nil
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*max(1, want) }

func (r *result) print(w io.Writer) error {
	f := r.files[rows()[0].channels]
	fmt.Fprintf(w, "paths: %s journeys, %s touches; the fastest of %d runs of each row\n%s\n\n",
		run.Number(float64(r.journeys)), run.Number(float64(f.touches)), r.runs, r.machine)
	table := [][]string{{"touchline paths", "channels", "seconds", "CPU seconds", "MB", "limit", ""}}
	for _, row := range r.rows {
		limit, verdict := "ends", run.Verdict(true)
		if row.limit > 0 {
			limit, verdict = "< "+run.Seconds(row.limit)+" s", run.Verdict(row.wall < row.limit)
		}
		table = append(table, []string{
			row.name, strconv.Itoa(row.channels), run.Seconds(row.wall), run.Seconds(row.cpu), run.Megabytes(row.peak), limit, verdict,
		})
	}
	return run.Table(w, table...)
}
