// Package chaos_test kills collector and engine under load and then counts: every event that was acknowledged is
// stored once, and nothing else is stored.
//
//	go test -v -run TestChaos ./bench/chaos -kills=100 -seed=1
package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/store/storetest"
)

var (
	kills = flag.Int("kills", 2, "how many `times` something is killed")
	seed  = flag.Uint64("seed", 0, "decides what is sent, and what is killed when; 0: the clock does")
)

const (
	settings = "projects: [{ id: shop, write_keys: [" + writeKey + "], privacy: { mode: full } }]\n"
	senders  = 8
	// maxWait is the longest time from one kill, and what had to be waited for after it, to the next.
	maxWait = 3 * time.Second
)

func TestChaos(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	in := instance.New(t, build(t), settings)
	up := in.Up(t)

	load, stop := startLoad(t, in)
	c := &chaos{in: in, up: up, rng: rand.New(rand.NewPCG(*seed, 0)), load: load}
	for n := range *kills {
		if c.pause(maxWait) != nil {
			break // stop has the reason
		}
		t.Logf("kill %d of %d: %s", n+1, *kills, c.kill(t))
	}
	c.up.WaitReady(t)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	check(t, in, load.senders)
	// What nobody waits for may still be in the spool. After a shutdown in good order it is empty.
	c.up.Signal(t, syscall.SIGTERM)
	if code := c.up.Wait(t); code != 0 {
		t.Errorf("exit code %d, want 0: %s", code, c.up.Stderr(t))
	}
	in.Up(t)
	t.Log(check(t, in, load.senders))
}

// build makes the program from the sources, so that it is never an old one that is tested.
func build(t *testing.T) instance.Program {
	t.Helper()
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "touchline")
	output, err := exec.Command("go", "build", "-o", program, "github.com/touchline-hq/touchline/cmd/touchline").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return instance.Program{Path: program, Env: []string{"TOUCHLINE_ENGINE_LIB=" + library}}
}

// load is several senders at work.
type load struct {
	ctx      context.Context // ends when a sender has failed
	senders  []*sender
	answered chan struct{} // a batch was acknowledged just now
}

// startLoad sends until stop is called, which returns when what is under way is answered.
func startLoad(t *testing.T, in *instance.Installation) (l load, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Duration(*kills)*time.Minute)
	t.Cleanup(cancel)
	group, ctx := errgroup.WithContext(ctx)
	l.ctx, l.answered = ctx, make(chan struct{})
	stopped := make(chan struct{})
	for i := range senders {
		s := newSender(in, fmt.Sprintf("s%d", i), rand.New(rand.NewPCG(*seed, uint64(i)+1)), l.answered)
		l.senders = append(l.senders, s)
		group.Go(func() error { return s.run(ctx, stopped) })
	}
	return l, func() error {
		close(stopped)
		return group.Wait()
	}
}

// chaos is the process that serves, and what becomes of it.
type chaos struct {
	in   *instance.Installation
	up   *instance.Process
	load load
	rng  *rand.Rand
}

// kill ends the collector, the engine or both with SIGKILL, in one of four ways, and sees to it that a collector runs.
func (c *chaos) kill(t *testing.T) string {
	t.Helper()
	way := c.rng.IntN(4)
	if way > 0 {
		c.up.WaitReady(t)
	}
	switch way {
	case 0: // maybe before it is ready
		c.up.Kill(t)
		return c.restart(t, "collector")
	case 1: // right after an answer, which must not have been given too early
		select {
		case <-c.load.answered:
		case <-c.load.ctx.Done():
		}
		c.up.Kill(t)
		return c.restart(t, "collector after an answer")
	case 2: // while the collector stands still the engine ends an insert that the collector will not know of
		before := c.in.Position(t)
		instance.Eventually(t, "a batch is taken or committed", func() error {
			if c.load.ctx.Err() == nil && bytes.Equal(before, c.in.Position(t)) {
				return errors.New("the spool's position is what it was")
			}
			return nil
		})
		_ = c.pause(50 * time.Millisecond)
		c.up.Signal(t, syscall.SIGSTOP)
		_ = c.pause(time.Second)
		c.up.Kill(t)
		return c.restart(t, "collector after standing still")
	default:
		if err := syscall.Kill(c.in.Engine(t), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if c.rng.IntN(2) == 0 {
			return "engine"
		}
		c.up.Kill(t)
		return c.restart(t, "engine and collector")
	}
}

// pause lasts a random time below most, or until the load has failed.
func (c *chaos) pause(most time.Duration) error {
	return pause(c.load.ctx, time.Duration(c.rng.Int64N(int64(most))))
}

func (c *chaos) restart(t *testing.T, killed string) string {
	t.Helper()
	c.up = c.in.Start(t)
	if c.rng.IntN(2) == 0 {
		c.up.WaitReady(t)
		return killed + ", and it is back"
	}
	return killed
}

// check waits until everything acknowledged is stored, and expects nothing beyond that.
func check(t *testing.T, in *instance.Installation, all []*sender) verdict {
	t.Helper()
	var v verdict
	instance.Eventually(t, "everything acknowledged is stored", func() error {
		db, err := connect(t.Context(), in)
		if err != nil {
			return err
		}
		defer db.Close() // only read
		if v, err = audit(t.Context(), db, all); err == nil && len(v.missing) > 0 {
			err = errors.New(v.String())
		}
		return err
	})
	if len(v.twice) > 0 || len(v.repeated) > 0 || v.acknowledged == 0 {
		t.Error(v)
	}
	return v
}
