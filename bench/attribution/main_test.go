package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/store/embedded"
)

func TestMain(m *testing.M) {
	embedded.RunIfChild() // the engine's process of the test binary
	os.Exit(m.Run())      //nolint:revive // deep-exit: this is TestMain
}

// A small run attributes a year and a day after it, adds up, and prints its figures; another one loads nothing.
func TestMeasure(t *testing.T) {
	program := instance.Build(t)
	for _, setting := range program.Env {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	data := t.TempDir()
	o := options{program: program.Path, queries: filepath.Join("..", "..", "dashboards", "query"), data: data, events: 20_000, days: 1}
	first, err := measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := first.print(&out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	if first.loaded == 0 || len(first.full.steps) == 0 || len(first.days) != 1 || len(first.answers) == 0 {
		t.Errorf("loaded in %v, steps %v, days %v, answers %v", first.loaded, first.full.steps, first.days, first.answers)
	}
	if full, day := first.full.conversions, first.days[0].conversions; full < 200 || day < full || day > full+20 {
		t.Errorf("%v conversions, %v after the day", full, day)
	}
	o.days = 0
	second, err := measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if second.loaded != 0 || second.full.conversions != first.full.conversions || second.full.value != first.full.value {
		t.Errorf("the second run loads in %v and finds %v conversions worth %v; the first found %v worth %v", second.loaded,
			second.full.conversions, second.full.value, first.full.conversions, first.full.value)
	}
	kept, err := filepath.Glob(filepath.Join(data, "*"))
	if want := []string{filepath.Join(data, "events-20000"), filepath.Join(data, "lock")}; err != nil || !reflect.DeepEqual(kept, want) {
		t.Errorf("%v are left, %v; want %v", kept, err, want)
	}
}

func TestReadSteps(t *testing.T) {
	got := readSteps(`{"level":"INFO","msg":"attribution step","step":"take events","duration":1500000000}
bench, Order Completed, as of 2026-01-01T23:38:07Z
{"level":"INFO","msg":"credit adds up","model":"markov"}
{"level":"INFO","msg":"attribution step","step":"solve chains","duration":500000000}
`)
	want := []step{{"take events", 1500 * time.Millisecond}, {"solve chains", 500 * time.Millisecond}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("reads %v, want %v", got, want)
	}
	if j := (job{duration: 3 * time.Second, steps: got}); j.rules() != 2500*time.Millisecond {
		t.Errorf("rules take %v", j.rules())
	}
}

func TestReadSums(t *testing.T) {
	header := []string{"model", "channel", "conversions", "value"}
	for name, c := range map[string]struct {
		rows [][]string
		want string // part of the error
	}{
		"agreed":   {[][]string{header, {"first", "a", "1", "10"}, {"first", "b", "2", "5"}, {"last", "b", "3", "15"}}, ""},
		"differ":   {[][]string{header, {"first", "a", "1", "10"}, {"last", "b", "2", "10"}}, "credits"},
		"value":    {[][]string{header, {"first", "a", "1", "10"}, {"last", "b", "1", "11"}}, "credits"},
		"nothing":  {[][]string{header}, "credits nothing"},
		"empty":    {nil, "credits nothing"},
		"no CSV":   {[][]string{{"model"}, {"first"}}, "1 fields"},
		"no digit": {[][]string{header, {"first", "a", "x", "1"}}, "invalid syntax"},
	} {
		var j job
		err := j.readSums(c.rows)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && (j.conversions != 3 || j.value != 15) {
			t.Errorf("%s: %v conversions worth %v", name, j.conversions, j.value)
		}
	}
}
