package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
	"github.com/touchline-hq/touchline/bench/simulate/load"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/datadir"
	"github.com/touchline-hq/touchline/store/embedded"
)

const config = `projects:
  - id: ` + run.Project + `
    write_keys: [` + run.WriteKey + `]
    privacy: { mode: full }
    milestones: { lead: "Lead Qualified", opportunity: "Opportunity Created" }
`

// mergeLimit is how long the engine may merge what was loaded. Months that ended long ago are merged.
const mergeLimit = 10 * time.Minute

// shop is what the events are those of.
func shop(events uint64) load.Simulation {
	return load.Simulation{Project: run.Project, Seed: 1, Events: events, End: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// prepare returns a data directory with a loaded year and nothing else, and how long loading took. The caller has it
// removed. Where loaded events are kept it is a copy.
func prepare(ctx context.Context, o options) (dir string, loading time.Duration, remove func() error, err error) {
	if o.data == "" {
		if dir, err = os.MkdirTemp("", "touchline-bench-"); err != nil {
			return "", 0, nil, err
		}
		remove = func() error { return os.RemoveAll(dir) }
		if loading, err = loadYear(ctx, o, dir); err != nil {
			return "", 0, nil, errors.Join(err, remove())
		}
		return dir, loading, remove, nil
	}
	lock, err := datadir.Acquire(o.data)
	if err != nil {
		return "", 0, nil, err
	}
	dir = filepath.Join(o.data, "run")
	remove = func() error { return errors.Join(os.RemoveAll(dir), lock.Release()) }
	if loading, err = copyLoaded(ctx, o, dir); err != nil {
		return "", 0, nil, errors.Join(err, remove())
	}
	return dir, loading, remove, nil
}

// copyLoaded makes dir a copy of the loaded year, which it loads if need be. A year whose loading was cut short is under
// another name, and begins anew.
func copyLoaded(ctx context.Context, o options, dir string) (loading time.Duration, err error) {
	loaded, begun := filepath.Join(o.data, fmt.Sprintf("events-%d", o.events)), filepath.Join(o.data, "loading")
	if err = errors.Join(os.RemoveAll(dir), os.RemoveAll(begun)); err != nil {
		return 0, err
	}
	if _, err = os.Stat(loaded); errors.Is(err, os.ErrNotExist) {
		if loading, err = loadYear(ctx, o, begun); err == nil {
			err = os.Rename(begun, loaded)
		}
	}
	if err != nil {
		return 0, err
	}
	if output, err := exec.CommandContext(ctx, "cp", "-a", loaded, dir).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("copy the loaded events: %w: %s", err, bytes.TrimSpace(output))
	}
	return loading, nil
}

// loadYear makes an installation in dir and loads the events. It says on stderr how far it is.
func loadYear(ctx context.Context, o options, dir string) (_ time.Duration, err error) {
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	if err = os.WriteFile(filepath.Join(dir, "touchline.yaml"), []byte(config), 0o600); err != nil {
		return 0, err
	}
	in, err := open(ctx, o, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	start, year := time.Now(), shop(o.events)
	err = year.Year(ctx, in.db.Conn(), func(people uint64) {
		fmt.Fprintf(os.Stderr, "loaded the events of %d of %d people\n", people, year.People())
	})
	if err != nil {
		return 0, err
	}
	loading := time.Since(start)
	return loading, in.merge(ctx)
}

// installation is a data directory with a running engine, which other processes of the program find there.
type installation struct {
	dir    string
	lock   *datadir.Lock
	engine *embedded.Engine
	db     *store.DB
	pid    int // of the engine
}

func open(ctx context.Context, o options, dir string) (*installation, error) {
	lock, err := datadir.Acquire(dir)
	if err != nil {
		return nil, err
	}
	in := &installation{dir: dir, lock: lock}
	if err = in.start(ctx, o); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (in *installation) start(ctx context.Context, o options) (err error) {
	library := os.Getenv("TOUCHLINE_ENGINE_LIB")
	if library == "" {
		if library, err = embedded.FindLibraryIn(filepath.Dir(o.program)); err != nil {
			return fmt.Errorf("%w: run `make build` in the repository's root first, and this there", err)
		}
	}
	if in.engine, err = embedded.Start(ctx, embedded.Options{Dir: in.dir, Library: library}); err != nil {
		return err
	}
	if in.pid, err = run.ChildOf(os.Getpid()); err != nil {
		return err
	}
	in.db, err = store.Open(ctx, store.EngineTarget(in.engine.Addr(), in.engine.Product(), in.engine.Analyst()))
	if err != nil {
		return err
	}
	if err = in.db.Migrate(ctx); err != nil {
		return err
	}
	return in.lock.WriteInstance(datadir.Instance{
		PID: os.Getpid(), Addr: in.engine.Addr(), Started: time.Now(), Config: filepath.Join(in.dir, "touchline.yaml"),
	})
}

// merge waits until the engine merges nothing.
func (in *installation) merge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, mergeLimit)
	defer cancel()
	for {
		var merges uint64
		if err := in.db.Conn().QueryRow(ctx, "SELECT count() FROM system.merges").Scan(&merges); err != nil || merges == 0 {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return fmt.Errorf("%d merges go on after %v: %w", merges, mergeLimit, ctx.Err())
		}
	}
}

func (in *installation) close() (err error) {
	if in.db != nil {
		err = in.db.Close()
	}
	if in.engine != nil {
		err = errors.Join(err, in.engine.Stop(context.Background()))
	}
	return errors.Join(err, in.lock.Release())
}
