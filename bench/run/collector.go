// Package run starts the program for a benchmark, reads from /proc what its processes use, and counts what is stored.
package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/datadir"
	"github.com/touchline-hq/touchline/store/embedded"
)

// The project that a Collector collects for.
const (
	Project  = "bench"
	WriteKey = "wk_bench"
)

// How long the program may take to start and to end.
const (
	startLimit = time.Minute
	stopLimit  = 30 * time.Second
	poll       = 20 * time.Millisecond
)

// Collector is `touchline up` as a process with a data directory of its own.
type Collector struct {
	Addr string    // host:port of the HTTP interface
	DB   *store.DB // a connection to its engine

	dir    string
	cmd    *exec.Cmd
	exited chan struct{}
	stderr bytes.Buffer // to be read once exited is closed
	engine int          // process id
}

// Start starts the program and returns once it takes events. The caller stops it.
func Start(ctx context.Context, program string) (*Collector, error) {
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w: run `make build` in the repository's root first, and this there", err)
	}
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "touchline-bench-")
	if err != nil {
		return nil, err
	}
	c := &Collector{dir: dir, exited: make(chan struct{})}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err = c.launch(program); err == nil {
		err = c.connect(ctx)
	}
	if err != nil {
		_ = c.Stop() // it ends as badly as it began
		return nil, err
	}
	return c, nil
}

func (c *Collector) data() string { return filepath.Join(c.dir, "data") }

func (c *Collector) launch(program string) error {
	var err error
	if c.Addr, err = freeAddress(); err != nil {
		return err
	}
	config := filepath.Join(c.dir, "touchline.yaml")
	text := fmt.Sprintf("collector: { listen: %q, admin: \"127.0.0.1:0\" }\ndashboards: { listen: \"127.0.0.1:0\" }\n"+
		"projects: [{ id: %s, write_keys: [%s], privacy: { mode: full } }]\n", c.Addr, Project, WriteKey)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(program, "up", "--config", config, "--data", c.data())
	cmd.Stderr = &c.stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	c.cmd = cmd
	go func() {
		defer close(c.exited)
		_ = cmd.Wait() // ProcessState says it all
	}()
	return nil
}

// connect waits until the program takes events, and finds its engine.
func (c *Collector) connect(ctx context.Context) error {
	if err := c.until(ctx, c.ready); err != nil {
		return fmt.Errorf("touchline up is not ready: %w", err)
	}
	instance, _, err := datadir.FindInstance(c.data())
	if err != nil {
		return err
	}
	product, analyst, err := embedded.ReadCredentials(c.data())
	if err != nil {
		return err
	}
	if c.DB, err = store.Open(ctx, store.EngineTarget(instance.Addr, product, analyst)); err != nil {
		return err
	}
	c.engine, err = ChildOf(c.cmd.Process.Pid)
	return err
}

func (c *Collector) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Addr+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() // for the status alone
	_, _ = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// until asks again and again until the condition is met, ctx is done or the program has ended. The error is the
// condition's last one.
func (c *Collector) until(ctx context.Context, condition func(context.Context) error) error {
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(poll):
		case <-c.exited:
			return fmt.Errorf("touchline up ended by itself, %v: %s", c.cmd.ProcessState, bytes.TrimSpace(c.stderr.Bytes()))
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// WaitStored waits until view events holds at least n events of the project, and returns how many it holds.
func (c *Collector) WaitStored(ctx context.Context, n uint64) (uint64, error) {
	// Rows before deduplication are counted from the parts' headers, which costs the engine nothing while it works.
	var rows uint64
	err := c.until(ctx, func(ctx context.Context) error {
		if err := c.DB.Conn().QueryRow(ctx, "SELECT count() FROM events_raw").Scan(&rows); err != nil {
			return err
		}
		if rows < n {
			return fmt.Errorf("%d rows are stored, %d events were acknowledged", rows, n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	events, err := c.Stored(ctx, Project)
	if err == nil && events < n {
		err = fmt.Errorf("%d events are stored, but %d were acknowledged", events, n)
	}
	return events, err
}

// Stored counts view events: each event of a project once.
func (c *Collector) Stored(ctx context.Context, project string) (events uint64, err error) {
	err = c.DB.Conn().QueryRow(ctx, "SELECT count() FROM events WHERE project = ?", project).Scan(&events)
	return events, err
}

// Settle waits until the engine merges nothing, so that what was stored so far does not burden what comes next; but
// no longer than limit.
func (c *Collector) Settle(ctx context.Context, limit time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := c.until(limited, func(ctx context.Context) error {
		var merges uint64
		if err := c.DB.Conn().QueryRow(ctx, "SELECT count() FROM system.merges").Scan(&merges); err != nil {
			return err
		}
		if merges > 0 {
			return fmt.Errorf("%d merges", merges)
		}
		return nil
	})
	if limited.Err() != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

// Usage is what the collector and its engine have used until now.
func (c *Collector) Usage() (collector, engine Usage, err error) {
	if collector, err = ReadUsage(c.cmd.Process.Pid); err == nil {
		engine, err = ReadUsage(c.engine)
	}
	return collector, engine, err
}

// Stop ends the program and removes its data. The error is for a program that did not end in good order.
func (c *Collector) Stop() error {
	if c.DB != nil {
		_ = c.DB.Close() // nothing is pending on it
	}
	var err error
	if c.cmd != nil {
		err = c.terminate()
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

func (c *Collector) terminate() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
	select {
	case <-c.exited:
	case <-time.After(stopLimit):
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
	if !c.cmd.ProcessState.Success() {
		return fmt.Errorf("touchline up: %v: %s", c.cmd.ProcessState, bytes.TrimSpace(c.stderr.Bytes()))
	}
	return nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
