// Package instance runs the program as processes of its own, for tests that kill them.
package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a condition may take to come true on a machine that has much else to do.
const patience = time.Minute

// Program is the executable and its environment beside the test's own.
type Program struct {
	Path string
	Env  []string
}

// Installation is a data directory with its configuration and, now and then, a process that serves it.
type Installation struct {
	Dir    string // data directory
	Config string // file
	Addr   string // of the collector, host:port

	SpoolLimit string // collector.spool_limit, from the next Configure on; empty: the default
	Limits     string // collector.limits, without braces, from the next Configure on

	program Program
}

// New makes an installation, for as long as the test runs. For settings see Configure.
func New(t testing.TB, program Program, settings string) *Installation {
	t.Helper()
	dir := t.TempDir()
	in := &Installation{
		Dir: filepath.Join(dir, "data"), Config: filepath.Join(dir, "touchline.yaml"), Addr: freeAddress(t), program: program,
	}
	in.Configure(t, settings)
	t.Cleanup(func() { // the directory goes next
		Eventually(t, "the engine ends", func() error { return in.NoEngine(t) })
	})
	return in
}

// freeAddress is on a port below those that systems give to outgoing connections: it must not be taken while the
// collector is down.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+rand.IntN(12000))))
		if err == nil {
			_ = listener.Close() // nothing was accepted
			return listener.Addr().String()
		}
	}
	t.Fatal("no free port between 20000 and 32000")
	return ""
}

// Configure writes the configuration file: a first line about the collector, then the settings.
func (in *Installation) Configure(t testing.TB, settings string) {
	t.Helper()
	text := fmt.Sprintf("collector: { listen: %q, admin: \"127.0.0.1:0\", spool_limit: %q, limits: { %s } }\n%s",
		in.Addr, in.SpoolLimit, in.Limits, settings)
	if err := os.WriteFile(in.Config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Run runs a command to its end.
func (in *Installation) Run(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := in.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (in *Installation) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, in.program.Path, append(args, "--config", in.Config, "--data", in.Dir)...)
	cmd.Env = append(os.Environ(), in.program.Env...)
	return cmd
}

// Engines lists the engine processes of the data directory, by their command lines.
func (in *Installation) Engines(t testing.TB) []int {
	t.Helper()
	lines, err := commandLines()
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for pid, line := range lines {
		if strings.Contains(line, "--path="+filepath.Join(in.Dir, "engine", "data")+" ") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// NoEngine is an error as long as there is an engine process of the data directory.
func (in *Installation) NoEngine(t testing.TB) error {
	if pids := in.Engines(t); len(pids) > 0 {
		return fmt.Errorf("engine processes %v are there", pids)
	}
	return nil
}

// Engine waits for the data directory's only engine process.
func (in *Installation) Engine(t testing.TB) int {
	t.Helper()
	var pids []int
	Eventually(t, "one engine process", func() error {
		if pids = in.Engines(t); len(pids) != 1 {
			return fmt.Errorf("engine processes: %v", pids)
		}
		return nil
	})
	return pids[0]
}

// SpoolDir is where the collector keeps what is not stored yet.
func (in *Installation) SpoolDir() string { return filepath.Join(in.Dir, "spool") }

// PositionFile is the file of the spool that changes when a batch is taken from it and when one is committed.
func (in *Installation) PositionFile() string { return filepath.Join(in.SpoolDir(), "position") }

// Position is what that file holds.
func (in *Installation) Position(t testing.TB) []byte {
	t.Helper()
	position, err := os.ReadFile(in.PositionFile())
	if err != nil {
		t.Fatal(err)
	}
	return position
}

// commandLines are those of all processes that let us read them, arguments separated by spaces.
func commandLines() (map[int]string, error) {
	lines := make(map[int]string)
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		lines[pid] = strings.ReplaceAll(string(line), "\x00", " ")
	}
	if len(files) > 0 {
		return lines, nil
	}
	list, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	for line := range strings.Lines(string(list)) {
		number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, _ := strconv.Atoi(number)
		lines[pid] = command
	}
	return lines, err
}

// Eventually asks again and again until the condition is met, or fails the test with its last error.
func Eventually(t testing.TB, what string, condition func() error) {
	t.Helper()
	Within(t, patience, what, condition)
}

// Within is Eventually for what must not take longer than limit.
func Within(t testing.TB, limit time.Duration, what string, condition func() error) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
	}
}
