package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
)

const (
	connections = 64
	devices     = 10_000
)

//go:embed request.lua
var script []byte

// generator runs wrk.
type generator struct {
	dir  string
	path string // of wrk
}

// newGenerator writes what wrk reads into dir.
func newGenerator(dir string, rng *rand.Rand) (*generator, error) {
	path, err := exec.LookPath("wrk")
	if err != nil {
		return nil, errors.New("the load comes from wrk, which is missing: apt-get install wrk")
	}
	g := &generator{dir: dir, path: path}
	err = errors.Join(os.WriteFile(g.script(), script, 0o600), os.WriteFile(g.endings(), endings(rng), 0o600))
	return g, err
}

func (g *generator) script() string  { return filepath.Join(g.dir, "request.lua") }
func (g *generator) endings() string { return filepath.Join(g.dir, "endings") }

// endings are two page views of each device: the query behind the message id, a tab and the user agent.
func endings(rng *rand.Rand) []byte {
	lines := make([]string, 0, 2*devices)
	for range devices {
		device, agent := run.UUID(rng), run.UserAgents[rng.IntN(len(run.UserAgents))]
		for range 2 {
			v := run.NewView(rng)
			query := fmt.Sprintf("&e=page&aid=%s&url=%s", device, url.QueryEscape(v.URL))
			if v.Referrer != "" {
				query += "&ref=" + url.QueryEscape(v.Referrer)
			}
			if v.Source != "" {
				query += fmt.Sprintf("&utm_source=%s&utm_medium=%s&utm_campaign=%s", v.Source, v.Medium, v.Campaign)
			}
			lines = append(lines, query+"\t"+agent+"\n")
		}
	}
	rng.Shuffle(len(lines), func(i, k int) { lines[i], lines[k] = lines[k], lines[i] })
	return []byte(strings.Join(lines, ""))
}

// load is what a run of wrk came to.
type load struct {
	requests uint64 // completed
	duration time.Duration
	p50, p99 time.Duration
	cpu      time.Duration // of wrk
}

func (l load) rate() float64 { return run.Rate(l.requests, l.duration) }

// run loads a server. All message ids begin with prefix.
func (g *generator) run(ctx context.Context, addr, prefix string, d time.Duration) (load, error) {
	cmd := exec.CommandContext(ctx, g.path, "-t1", "-c"+strconv.Itoa(connections), fmt.Sprintf("-d%ds", int(d.Seconds())),
		"--latency", "-s", g.script(), "http://"+addr+"/", "--", run.WriteKey, prefix, g.endings())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w: %s%s", err, stdout, stderr.Bytes())
	}
	l, err := parse(string(stdout))
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w: %s%s", err, stdout, stderr.Bytes())
	}
	l.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return l, nil
}

// parse reads the line that the script prints at the end.
func parse(stdout string) (load, error) {
	_, line, _ := strings.Cut(stdout, "\nresult ")
	var requests uint64
	var duration, p50, p99, failures int64
	if _, err := fmt.Sscan(line, &requests, &duration, &p50, &p99, &failures); err != nil {
		return load{}, fmt.Errorf("its script printed no result: %w", err)
	}
	if failures > 0 || requests == 0 {
		return load{}, fmt.Errorf("%d requests failed, %d did not", failures, requests)
	}
	micros := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	return load{requests: requests, duration: micros(duration), p50: micros(p50), p99: micros(p99)}, nil
}
