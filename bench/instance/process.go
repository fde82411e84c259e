package instance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Process is a process that serves an installation.
type Process struct {
	in     *Installation
	cmd    *exec.Cmd
	stderr string // file
	exited chan struct{}
}

// Start starts `up`, with further arguments, for as long as the test runs, and does not wait for it.
func (in *Installation) Start(t testing.TB, args ...string) *Process {
	t.Helper()
	return in.StartCommand(t, append([]string{"up"}, args...)...)
}

// StartCommand starts any command, for as long as the test runs, and does not wait for it.
func (in *Installation) StartCommand(t testing.TB, args ...string) *Process {
	t.Helper()
	stderr, err := os.CreateTemp(filepath.Dir(in.Config), args[0]+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close() // the process has its own
	p := &Process{in: in, cmd: in.command(context.Background(), args...), stderr: stderr.Name(), exited: make(chan struct{})}
	p.cmd.Stderr = stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // ProcessState says it all
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
		if t.Failed() {
			t.Logf("process %d, %v:\n%s", p.PID(), p.cmd.ProcessState, p.Stderr(t))
		}
	})
	return p
}

// Up starts `up` and waits until it takes events.
func (in *Installation) Up(t testing.TB, args ...string) *Process {
	t.Helper()
	p := in.Start(t, args...)
	p.WaitReady(t)
	return p
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stderr is what the process has printed so far.
func (p *Process) Stderr(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// WaitReady returns once the process takes events.
func (p *Process) WaitReady(t testing.TB) {
	t.Helper()
	client := &http.Client{Timeout: time.Second}
	Eventually(t, "up is ready", func() error {
		p.Alive(t)
		response, err := client.Get("http://" + p.in.Addr + "/readyz")
		if err != nil {
			return err
		}
		defer response.Body.Close() // nothing in it
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	})
}

// Alive fails the test when the process has ended.
func (p *Process) Alive(t testing.TB) {
	t.Helper()
	select {
	case <-p.exited:
		t.Fatalf("it ended by itself, %v: %s", p.cmd.ProcessState, p.Stderr(t))
	default:
	}
}

// Signal sends a signal.
func (p *Process) Signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// Wait waits for the end and returns the exit code, -1 after a signal that the process did not handle.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	Eventually(t, "the process ends", func() error {
		select {
		case <-p.exited:
			return nil
		default:
			return fmt.Errorf("process %d runs: %s", p.PID(), p.Stderr(t))
		}
	})
	return p.cmd.ProcessState.ExitCode()
}

// Kill kills the process, which must be alive until then, with SIGKILL.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	p.Alive(t)
	p.Signal(t, os.Kill)
	p.Wait(t)
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("it ended by itself, %v: %s", p.cmd.ProcessState, p.Stderr(t))
	}
}
