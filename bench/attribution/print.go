package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
)

// The figures to reach, over a hundred million events.
const (
	wantRules  = 120 * time.Second
	wantFull   = 180 * time.Second
	wantDay    = 10 * time.Second
	wantShare  = 0.2 // of the full run
	wantMemory = 4e9 // bytes, of any query
	wantAnswer = 300 * time.Millisecond
)

// listed is how many of the statements are printed.
const listed = 12

func (r *result) print(w io.Writer) error {
	fmt.Fprintf(w, "attribution: %d events of %d people, %d conversions\n%s\n\n",
		r.events, shop(r.events).People(), int64(r.full.conversions), r.machine)
	if r.loaded > 0 {
		fmt.Fprintf(w, "loaded in %s s, %s events/s\n\n", run.Seconds(r.loaded), run.Number(float64(r.events)/r.loaded.Seconds()))
	}
	for _, rows := range [][][]string{r.stepRows(), r.statementRows(), r.answerRows(), r.tableRows()} {
		if err := run.Table(w, rows...); err != nil {
			return err
		}
	}
	r.printFigures(w)
	return nil
}

// headings are the names of the jobs.
func (r *result) headings(first string) []string {
	row := []string{first, "full s"}
	for i := range r.days {
		row = append(row, "day "+strconv.Itoa(i+1)+" s")
	}
	return row
}

// stepRows are the steps that the program's log tells of, in the order of the full run, and the whole.
func (r *result) stepRows() [][]string {
	rows := [][]string{r.headings("step")}
	var names []string
	for _, j := range r.jobs() {
		for _, s := range j.steps {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	for _, name := range names {
		row := []string{name}
		for _, j := range r.jobs() {
			var d time.Duration
			for _, s := range j.steps {
				if s.Name == name {
					d += s.Duration
				}
			}
			row = append(row, run.Seconds(d))
		}
		rows = append(rows, row)
	}
	whole := []string{"the whole run"}
	for _, j := range r.jobs() {
		whole = append(whole, run.Seconds(j.duration))
	}
	return append(rows, whole)
}

func (r *result) statementRows() [][]string {
	rows := [][]string{append(r.headings("statement"), "peak MB")}
	for _, s := range r.statements[:min(listed, len(r.statements))] {
		row := []string{s.name}
		for _, d := range s.durations {
			row = append(row, run.Seconds(d))
		}
		rows = append(rows, append(row, run.Number(float64(s.peak)/1e6)))
	}
	return rows
}

func (r *result) answerRows() [][]string {
	rows := [][]string{{"dashboard's question", "asked", "p50 ms", "p95 ms"}}
	for _, a := range r.answers {
		rows = append(rows, []string{
			a.name, strconv.Itoa(len(a.durations)), run.Millis(quantile(a.durations, 0.5)), run.Millis(quantile(a.durations, 0.95)),
		})
	}
	return rows
}

func (r *result) tableRows() [][]string {
	rows := [][]string{{"table", "rows", "MB"}}
	for _, t := range r.tables {
		rows = append(rows, []string{t.name, run.Number(float64(t.rows)), run.Number(float64(t.bytes) / 1e6)})
	}
	return rows
}

func (r *result) printFigures(w io.Writer) {
	less := func(what string, d, limit time.Duration) {
		fmt.Fprintf(w, "%s: %s s, less than %s: %s\n", what, run.Seconds(d), run.Number(limit.Seconds()), run.Verdict(d < limit))
	}
	less("full run, everything at both levels", r.full.duration, wantFull)
	less("full run without the chains of markov", r.full.rules(), wantRules)
	for i, j := range r.days {
		day := "day " + strconv.Itoa(i+1)
		less(day, j.duration, wantDay)
		share := j.duration.Seconds() / r.full.duration.Seconds()
		fmt.Fprintf(w, "%s as a share of the full run: %.3f, at most %v: %s\n", day, share, wantShare, run.Verdict(share <= wantShare))
	}
	var peak uint64
	for _, s := range r.statements {
		peak = max(peak, s.peak)
	}
	fmt.Fprintf(w, "memory of the heaviest query: %s MB, less than %s: %s\n",
		run.Number(float64(peak)/1e6), run.Number(wantMemory/1e6), run.Verdict(float64(peak) < wantMemory))
	var all []time.Duration
	for _, a := range r.answers {
		all = append(all, a.durations...)
	}
	slices.Sort(all)
	p95 := quantile(all, 0.95)
	fmt.Fprintf(w, "p95 of the dashboards' questions: %s ms, less than %s: %s\n",
		run.Millis(p95), run.Millis(wantAnswer), run.Verdict(p95 < wantAnswer))
	fmt.Fprintf(w, "memory of the engine at its highest: %s MB\n", run.Megabytes(r.engine.Peak))
}
