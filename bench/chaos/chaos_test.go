// Package chaos_test kills collector and engine under load, stops them, fills and tears the spool, and then counts:
// every event that was acknowledged is stored once, and nothing else is stored.
//
//	go test -v -run TestChaos ./bench/chaos -kills=100 -seed=1
package chaos_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/store/embedded"
	"github.com/touchline-hq/touchline/store/storetest"
)

var (
	kills = flag.Int("kills", 4, "how many `times` something is killed, at least 2")
	seed  = flag.Uint64("seed", 0, "decides what is sent, and what is killed when; 0: the clock does")
)

const (
	project  = "projects: [{ id: shop, write_keys: [" + writeKey + "], privacy: { mode: full }, conversions: [{ event: " + purchase + " }] }]\n"
	purchase = "Chaos Purchase"

	// roundKills is how many kills a round has, about. The other faults come once a round.
	roundKills = 20
)

// TestMain makes the engine's process of the test binary: that is how package embedded starts it.
func TestMain(m *testing.M) {
	embedded.RunIfChild()
	m.Run()
}

// TestChaos changes between two ways to run the program, on the same data directory: with a relay before an engine of
// the test's, where an insert can be caught, and with the engine that the program starts itself.
func TestChaos(t *testing.T) {
	if *kills < 2 {
		t.Fatalf("-kills is %d; want at least 2", *kills)
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	started := time.Now()
	c := newChaos(t)
	c.load = startLoad(t, c.in)
	for n, rounds := 0, max(1, *kills/roundKills); n < rounds; n++ {
		end := *kills * (n + 1) / rounds // kills after this round
		if n > 0 {
			c.tear(t)
		}
		c.catchInserts(t, (end-c.count+1)/2)
		c.hitAnywhere(t, end-c.count)
	}
	c.up.WaitReady(t)
	c.load.stop(t)
	v := c.finish(t)
	t.Logf("%d kills in %v: %s", c.count, time.Since(started).Round(time.Second), c.summary())
	t.Log(v)
	if 10*c.between < 3**kills {
		t.Errorf("only %d of %d kills hit between insert and position; want 30 %%", c.between, *kills)
	}
}

// chaos is the process that serves, and what becomes of it.
type chaos struct {
	in      *instance.Installation
	up      *instance.Process
	load    *load
	relay   *relay
	library string // the engine's
	rng     *rand.Rand

	count   int            // kills
	between int            // those of them between an insert and the position's write
	killed  map[string]int // all of them, by kind
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	return &chaos{
		in: instance.New(t, instance.Build(t), project), relay: newRelay(t), library: library,
		rng: rand.New(rand.NewPCG(*seed, 0)), killed: make(map[string]int),
	}
}

// note counts a kill that has happened.
func (c *chaos) note(t *testing.T, kind string) {
	t.Helper()
	c.count++
	c.killed[kind]++
	t.Logf("kill %d of %d: %s", c.count, *kills, kind)
}

func (c *chaos) summary() string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(c.killed)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", c.killed[kind], kind))
	}
	return strings.Join(kinds, ", ")
}

func (c *chaos) killEngine(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(c.in.Engine(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// pause lasts a random time below most.
func (c *chaos) pause(t *testing.T, most time.Duration) {
	t.Helper()
	if err := pause(c.load.ctx, time.Duration(c.rng.Int64N(int64(most)))); err != nil {
		t.Fatal(err)
	}
}

// await waits until something has happened n times to the load.
func (c *chaos) await(t *testing.T, happened <-chan struct{}, n int) {
	t.Helper()
	if err := c.load.await(happened, n); err != nil {
		t.Fatal(err)
	}
}

// finish waits until all is stored and looks whether it is right, twice: what nobody waits for may still be in the
// spool, which is empty only after a shutdown in good order.
func (c *chaos) finish(t *testing.T) verdict {
	t.Helper()
	check(t, c.in, c.load.senders)
	c.up.Signal(t, syscall.SIGTERM)
	if code := c.up.Wait(t); code != 0 {
		t.Errorf("exit code %d, want 0: %s", code, c.up.Stderr(t))
	}
	c.in.Up(t)
	v := check(t, c.in, c.load.senders)
	checkDerived(t, c.in, c.load.senders)
	checkBooks(t, c.in)
	return v
}
