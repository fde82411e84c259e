// Command attribution measures attribution over many events: a full run, and a run after each further day. It loads a
// year of simulated events, runs the program's attribute as a user would, and asks the dashboards' questions.
//
//	make build && go run ./bench/attribution -events 100000000 -data /var/tmp/touchline
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
	"github.com/touchline-hq/touchline/store/embedded"
)

type options struct {
	program string // path
	queries string // folder of the dashboards' questions
	data    string // directory that keeps the loaded events; "": they go when it ends
	events  uint64
	days    uint32
}

func main() {
	embedded.RunIfChild()
	var o options
	flag.StringVar(&o.program, "touchline", "bin/touchline", "`path` of the program")
	flag.StringVar(&o.queries, "queries", "dashboards/query", "`folder` of the dashboards' questions")
	flag.StringVar(&o.data, "data", "", "`directory` that keeps the loaded events for the next run; without it they are loaded anew")
	flag.Uint64Var(&o.events, "events", 1_000_000, "of the year, about; a tenth as many people")
	days := flag.Uint("days", 1, "that follow the year one by one, at most 100")
	flag.Parse()
	if o.events < 1000 || *days > 100 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "attribution: -events must be 1000 or more, -days 100 or fewer, and nothing may follow the flags")
		os.Exit(2)
	}
	o.days = uint32(*days)
	os.Exit(run.Main("attribution", func(ctx context.Context) error {
		result, err := measure(ctx, o)
		if err != nil {
			return err
		}
		return result.print(os.Stdout)
	}))
}

// result is what the benchmark came to.
type result struct {
	options
	machine    string
	loaded     time.Duration // 0: the events were there
	full       job
	days       []job
	statements []statement
	answers    []answers
	tables     []table
	engine     run.Usage
}

// measure fails when something does not work or does not add up.
func measure(ctx context.Context, o options) (_ *result, err error) {
	r := &result{options: o, machine: run.Machine()}
	dir, loaded, remove, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	r.loaded = loaded
	in, err := open(ctx, o, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if err = r.attribute(ctx, in); err != nil {
		return nil, err
	}
	if r.statements, err = heaviest(ctx, in.db.Conn(), r.jobs()); err != nil {
		return nil, err
	}
	if r.answers, err = ask(ctx, in.db, o.queries); err != nil {
		return nil, err
	}
	if r.tables, err = sizes(ctx, in.db.Conn()); err != nil {
		return nil, err
	}
	r.engine, err = run.ReadUsage(in.pid)
	return r, err
}

// attribute runs the job over the year, and again after each further day.
func (r *result) attribute(ctx context.Context, in *installation) (err error) {
	if r.full, err = attribute(ctx, r.program, in.dir); err != nil {
		return err
	}
	for day := uint32(1); day <= r.options.days; day++ {
		if err = shop(r.events).Day(ctx, in.db.Conn(), day); err != nil {
			return err
		}
		next, err := attribute(ctx, r.program, in.dir)
		if err != nil {
			return err
		}
		r.days = append(r.days, next)
	}
	return nil
}

// jobs are the full run and those after it.
func (r *result) jobs() []job { return append([]job{r.full}, r.days...) }
