package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
	"github.com/touchline-hq/touchline/bench/simulate/load"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/datadir"
	"github.com/touchline-hq/touchline/store/embedded"
)

func main() {
	embedded.RunIfChild()
	events := flag.Uint64("events", 1_000_000, "")
	data := flag.String("data", "", "")
	day := flag.Uint("day", 0, "")
	flag.Parse()
	os.Exit(run.Main("attribution", func(ctx context.Context) error { return loadIt(ctx, *data, *events, uint32(*day)) }))
}

func loadIt(ctx context.Context, dir string, events uint64, day uint32) error {
	lock, err := datadir.Acquire(dir)
	if err != nil {
		return err
	}
	defer lock.Release()
	if err = os.WriteFile(filepath.Join(dir, "touchline.yaml"), []byte("collector: { listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\" }\n"+
		"dashboards: { listen: \"127.0.0.1:0\" }\nprojects:\n  - id: bench\n    write_keys: [wk_bench]\n    privacy: { mode: full }\n    milestones: { lead: \"Lead Qualified\", opportunity: \"Opportunity Created\" }\n"), 0o600); err != nil {
		return err
	}
	engine, err := embedded.Start(ctx, embedded.Options{Dir: dir, Library: "bin/libchdb.so"})
	if err != nil {
		return err
	}
	defer engine.Stop(context.Background())
	db, err := store.Open(ctx, store.EngineTarget(engine.Addr(), engine.Product(), engine.Analyst()))
	if err != nil {
		return err
	}
	defer db.Close()
	if err = db.Migrate(ctx); err != nil {
		return err
	}
	l := load.Simulation{Project: "bench", Seed: 1, Events: events, End: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	begin := time.Now()
	if day == 0 {
		err = l.Year(ctx, db.Conn(), func(n uint64) { fmt.Println(n, time.Since(begin)) })
	} else {
		err = l.Day(ctx, db.Conn(), day)
	}
	fmt.Println(time.Since(begin))
	return err
}
