// Package embedded runs ClickHouse as a child of this program: the engine library, loaded into a second process of the
// same executable, serves the native protocol on a loopback port. The child ends with its parent and is restarted when
// it dies.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/touchline-hq/touchline/collector"
)

const (
	// stopGrace is how long a child has to end after SIGTERM. It takes a tenth of that.
	stopGrace = 2 * time.Second
	// handover is how long a killed engine may still hold its files.
	handover = 5 * time.Second
	// A child that lived for stable starts over with the shortest pause; else each pause doubles.
	stable   = time.Minute
	minPause = 100 * time.Millisecond
	maxPause = 30 * time.Second
)

// Options say how the engine runs. Dir is needed, the rest may stay empty.
type Options struct {
	Dir         string       // data directory, which the caller holds (see package datadir); the engine's files go to Dir/engine
	Log         *slog.Logger // nil: nothing is logged
	MemoryLimit uint64       // bytes the engine may use; 0: half of the machine's or the control group's
	Library     string       // engine library; "": TOUCHLINE_ENGINE_LIB, or beside the executable
}

// Engine is a running engine. It answers at one address as long as it lives, but not in the moments of a restart.
type Engine struct {
	layout  layout
	log     *slog.Logger
	library string
	port    int

	product, analyst Credentials

	restarts   atomic.Uint64
	cancel     context.CancelFunc
	background sync.WaitGroup
	done       chan struct{} // closed when the supervisor has ended and the child with it
}

// Start returns once the engine answers as the product's user. ctx bounds the start alone: the engine runs until Stop.
func Start(ctx context.Context, opts Options) (*Engine, error) {
	e := &Engine{log: opts.Log, done: make(chan struct{})}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if err := e.prepare(opts); err != nil {
		return nil, err
	}
	c, err := e.launchOnFreePort(ctx)
	if err != nil {
		return nil, fmt.Errorf("engine did not start: %w", err)
	}
	running, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	e.background.Go(func() { logChecksum(running, e.log, e.library) })
	go e.supervise(running, c)
	return e, nil
}

// Addr is host:port of the native protocol.
func (e *Engine) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(e.port)) }

// Product is the user with all rights.
func (e *Engine) Product() Credentials { return e.product }

// Analyst is the user who may read database touchline and write nothing.
func (e *Engine) Analyst() Credentials { return e.analyst }

// Restarts is how often the engine has died and was started again.
func (e *Engine) Restarts() uint64 { return e.restarts.Load() }

// Stop ends the engine with SIGTERM and, two seconds later, SIGKILL. The error is ctx's: then it ends without us.
func (e *Engine) Stop(ctx context.Context) error {
	e.cancel()
	select {
	case <-e.done:
		e.background.Wait()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop engine: %w", ctx.Err())
	}
}

func (e *Engine) prepare(opts Options) (err error) {
	if e.library, err = findLibrary(opts.Library); err != nil {
		return err
	}
	if e.layout, err = newLayout(opts.Dir); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	if err = os.MkdirAll(e.layout.dir, 0o700); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	if e.product, err = ensureCredentials(opts.Dir, productUser); err != nil {
		return err
	}
	if e.analyst, err = ensureCredentials(opts.Dir, analystUser); err != nil {
		return err
	}
	memory := opts.MemoryLimit
	if memory == 0 {
		physical, err := physicalMemory()
		if err != nil {
			return fmt.Errorf("engine: %w", err)
		}
		memory = defaultMemory(physical, os.DirFS("/"))
	}
	if err := e.layout.writeConfig(memory, e.product, e.analyst); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	return nil
}

// launchOnFreePort looks for another port when one is taken between our looking and the engine's listening.
func (e *Engine) launchOnFreePort(ctx context.Context) (*child, error) {
	for try := 0; ; try++ {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		e.port = port
		c, err := e.launch(ctx)
		if !errors.Is(err, errPortTaken) || try == 10 {
			return c, err
		}
	}
}

// launch starts a child and waits until it answers. It tries again while a child that was just killed still holds the
// files.
func (e *Engine) launch(ctx context.Context) (*child, error) {
	for deadline := time.Now().Add(handover); ; {
		c, err := spawn(e.library, e.layout, e.port)
		if err != nil {
			return nil, err
		}
		err = c.waitReady(ctx, e.Addr(), e.product)
		if err == nil {
			return c, nil
		}
		c.stop(0)
		if !errors.Is(err, errFilesHeld) || time.Now().After(deadline) || !pause(ctx, minPause) {
			return nil, err
		}
	}
}

// supervise restarts the child whenever it dies, until ctx ends, and then stops it.
func (e *Engine) supervise(ctx context.Context, c *child) {
	defer close(e.done)
	wait := minPause
	for {
		select {
		case <-ctx.Done():
			c.stop(stopGrace)
			return
		case <-c.exited:
		}
		if time.Since(c.started) > stable {
			wait = minPause
		}
		for err := c.exitError(); err != nil; wait = min(2*wait, maxPause) {
			e.log.Warn("engine is down, starting it again", "error", collector.WithoutValues(err), "pause", wait)
			if !pause(ctx, wait) {
				return
			}
			var next *child
			if next, err = e.launch(ctx); err == nil {
				c = next
				e.restarts.Add(1)
				e.log.Warn("engine is up again", "addr", e.Addr())
			}
		}
	}
}

// pause reports whether ctx let it last.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err = errors.Join(err, listener.Close()); err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
