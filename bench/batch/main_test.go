package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/bench/run"
)

// The smallest run of all finds each acknowledged event stored, and prints its figures.
func TestMeasure(t *testing.T) {
	program := instance.Build(t)
	for _, setting := range program.Env {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	result, err := measure(t.Context(), options{program.Path, time.Second, 2})
	if err != nil {
		t.Fatal(err)
	}
	if events := result.load.events(); events == 0 || result.stored != events || result.library.rows == 0 {
		t.Errorf("%d events are stored, %d were acknowledged; the client library has inserted %d", result.stored, events, result.library.rows)
	}
	var out bytes.Buffer
	if err := result.print(&out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	if want := fmt.Sprintf("stored: all %d acknowledged events, and no other\n", result.stored); !strings.Contains(out.String(), want) {
		t.Errorf("does not print %q: %s", want, out.String())
	}
}

// Batches of one template, and those of another, never share an id; the rest is as it was made.
func TestStamp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2025, 6, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	ids, devices := map[string]bool{}, map[string]bool{}
	var number uint64
	for range 3 {
		template, err := newTemplate(rng)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			number++
			template.stamp(number, now)
			var body struct {
				SentAt time.Time
				Batch  []struct {
					MessageID, AnonymousID, Type string
					Timestamp                    time.Time
				}
			}
			if err := json.Unmarshal(template.body, &body); err != nil {
				t.Fatal(err)
			}
			if !body.SentAt.Equal(now) || len(body.Batch) != batchSize {
				t.Errorf("sent at %v with %d messages, want %v and %d", body.SentAt, len(body.Batch), now, batchSize)
			}
			for i, m := range body.Batch {
				if want := now.Add(-time.Duration(batchSize-i) * between); !m.Timestamp.Equal(want) {
					t.Errorf("message %d is of %v, want %v", i, m.Timestamp, want)
				}
				if len(m.MessageID) != len("ajs-next-")+36 || len(m.AnonymousID) != 36 {
					t.Errorf("message %d has ids %q and %q, want UUIDs", i, m.MessageID, m.AnonymousID)
				}
				ids[m.MessageID], devices[m.AnonymousID] = true, true
			}
		}
	}
	if want := 12 * batchSize; len(ids) != want || len(devices) != want/sessionSize {
		t.Errorf("%d messages have %d ids and are of %d devices", want, len(ids), len(devices))
	}
}

func TestQuantile(t *testing.T) {
	var l load
	for n := range 101 {
		l.latencies = append(l.latencies, time.Duration(n))
	}
	got := [...]time.Duration{l.quantile(0), l.quantile(0.5), l.quantile(0.99), l.quantile(1)}
	if want := [...]time.Duration{0, 50, 99, 100}; got != want {
		t.Errorf("quantiles %v, want %v", got, want)
	}
	if got, want := run.Rate(l.events(), 2*time.Second), 101.0*batchSize/2; got != want {
		t.Errorf("rate %v, want %v", got, want)
	}
}
