package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
)

// job is one run of `touchline attribute`.
type job struct {
	begun       time.Time
	duration    time.Duration
	steps       []step
	conversions float64 // that every model gives credit for
	value       float64
}

// step is what the program's log says of one.
type step struct {
	Name     string        `json:"step"`
	Duration time.Duration `json:"duration"` // ns, as slog writes it
}

// rules is the time without the model that needs all journeys at once.
func (j *job) rules() time.Duration {
	d := j.duration
	for _, s := range j.steps {
		if s.Name == "solve chains" {
			d -= s.Duration
		}
	}
	return d
}

// attribute runs the program as a user does, and checks that its models agree on the sums.
func attribute(ctx context.Context, program, dir string) (job, error) {
	cmd := exec.CommandContext(ctx, program, "attribute", "--project", run.Project, "--data", dir,
		"--format", "csv", "--verbose", "--log-format", "json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	j := job{begun: time.Now()}
	if err := cmd.Run(); err != nil {
		return job{}, fmt.Errorf("touchline attribute: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	j.duration = time.Since(j.begun)
	j.steps = readSteps(stderr.String())
	credits, err := csv.NewReader(&stdout).ReadAll()
	if err == nil {
		err = j.readSums(credits)
	}
	if err != nil {
		return job{}, fmt.Errorf("touchline attribute: %w", err)
	}
	return j, nil
}

// readSteps takes the steps from the log, which the report's own lines stand among.
func readSteps(log string) (steps []step) {
	for line := range strings.Lines(log) {
		var s step
		if json.Unmarshal([]byte(line), &s) == nil && s.Name != "" {
			steps = append(steps, s)
		}
	}
	return steps
}

// readSums adds up model,channel,conversions,value. Decimals of the report may differ in the last place.
func (j *job) readSums(credits [][]string) error {
	type sum struct{ conversions, value float64 }
	sums := map[string]sum{}
	for _, row := range credits[min(1, len(credits)):] {
		if len(row) != 4 {
			return fmt.Errorf("prints a row of %d fields, want model, channel, conversions and value", len(row))
		}
		conversions, err := strconv.ParseFloat(row[2], 64)
		value, err2 := strconv.ParseFloat(row[3], 64)
		if err = errors.Join(err, err2); err != nil {
			return err
		}
		s := sums[row[0]]
		sums[row[0]] = sum{s.conversions + conversions, s.value + value}
	}
	if len(sums) == 0 {
		return errors.New("credits nothing")
	}
	first := sums[credits[1][0]]
	j.conversions, j.value = first.conversions, first.value
	for model, s := range sums {
		if !near(s.conversions, j.conversions) || !near(s.value, j.value) {
			return fmt.Errorf("%s credits %v conversions worth %v, %s %v worth %v",
				model, s.conversions, s.value, credits[1][0], j.conversions, j.value)
		}
	}
	return nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) }
