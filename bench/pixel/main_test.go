package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
)

func TestMain(m *testing.M) {
	if os.Getenv(bareEnv) != "" {
		if err := serveBare(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return
	}
	os.Exit(m.Run())
}

// The smallest run of all finds each acknowledged event stored, and prints its figures.
func TestMeasure(t *testing.T) {
	program := instance.Build(t)
	for _, setting := range program.Env {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	result, err := measure(t.Context(), options{program: program.Path, duration: time.Second, rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := result.rounds[0].ours.requests
	if acknowledged == 0 || result.stored < acknowledged || result.stored > acknowledged+connections {
		t.Errorf("%d events are stored, %d were acknowledged", result.stored, acknowledged)
	}
	var out bytes.Buffer
	if err := result.print(&out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	if want := fmt.Sprintf("stored: all %d acknowledged events, and", acknowledged); !strings.Contains(out.String(), want) {
		t.Errorf("does not print %q: %s", want, out.String())
	}
}

func TestParse(t *testing.T) {
	const before = "Running 1s test\n  Latency   1.00ms\nRequests/sec: 10.00\n"
	got, err := parse(before + "result 25000 1000100 1500 7500 0\n")
	want := load{requests: 25000, duration: 1000100 * time.Microsecond, p50: 1500 * time.Microsecond, p99: 7500 * time.Microsecond}
	if err != nil || got != want {
		t.Errorf("parse: %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", before, before + "result 1 2", before + "result 10 1000000 1 1 2\n", before + "result 0 1000000 0 0 0\n"} {
		if got, err := parse(bad); err == nil {
			t.Errorf("parse(%q): %+v, want an error", bad, got)
		}
	}
}
