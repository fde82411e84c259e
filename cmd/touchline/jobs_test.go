package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/datadir"
)

func TestHowOftenJobsRun(t *testing.T) {
	for setting, want := range map[string]string{
		"":                         "15m0s",
		"jobs: {}\n":               "15m0s",
		"jobs: { every: 1m }\n":    "1m0s",
		"jobs: { every: 1d }\n":    "24h0m0s",
		"jobs: { every: off }\n":   "0s",
		"jobs: { every: 0 }\n":     "0s",
		"jobs: { every: 59s }\n":   `f:1:16: jobs.every: is "59s"; want a time like 15m, at least 1m, or off`,
		"jobs: { every: -15m }\n":  `f:1:16: jobs.every: is "-15m"; want a time like 15m, at least 1m, or off`,
		"jobs: { every: often }\n": `f:1:16: jobs.every: is "often"; want a time like 15m, at least 1m, or off`,
		"jobs: { evry: 15m }\n":    `f:1:9: unknown key "evry"`,
	} {
		cfg, err := parseConfig("f", []byte(setting+oneProject))
		var got string
		if err != nil {
			got = err.Error()
		} else {
			got = cfg.every.String()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", setting, got, want)
		}
	}
}

func TestSchedule(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	turns := make(chan int, 100)
	n, running := 0, 0
	begun := time.Now()
	err := schedule(ctx, time.Millisecond, func(ctx context.Context) {
		running++ // the race detector sees two at once
		defer func() { running-- }()
		n++
		turns <- running
		switch n {
		case 1:
			panic("the first")
		case 5:
			cancel()
			<-ctx.Done()
		}
	}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || n != 5 || time.Since(begun) > time.Minute {
		t.Errorf("%v after %d turns", err, n)
	}
	for range n {
		if at := <-turns; at != 1 {
			t.Errorf("%d turns at once", at)
		}
	}
	if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "panicked") || !strings.Contains(said, "jobs_test.go") {
		t.Errorf("the log says %q, want the panic and where it was", said)
	}
}

func TestJobsAlone(t *testing.T) {
	in := newInstallation(t, oneProject)
	_, stderr, code := in.Run(t, "jobs")
	want := "touchline: no instance runs in " + in.Dir + ", and clickhouse.dsn names no server: start touchline up, which runs jobs by itself, or set clickhouse.dsn\n"
	if code != exitFailed || stderr != want {
		t.Errorf("exit code %d, %q; want %q", code, stderr, want)
	}
	in.Configure(t, "jobs: { every: off }\n"+oneProject)
	_, stderr, code = in.Run(t, "jobs")
	if want := "touchline: jobs.every is off: there is nothing to do; set a time like 15m\n"; code != exitFailed || stderr != want {
		t.Errorf("exit code %d, %q; want %q", code, stderr, want)
	}
}

// says waits until a process has printed a text.
func says(t *testing.T, p *instance.Process, text string) {
	t.Helper()
	instance.Eventually(t, text, func() error {
		if said := p.Stderr(t); !strings.Contains(said, text) {
			return fmt.Errorf("it has said %q", said)
		}
		return nil
	})
}

const twoKinds = `projects: [{ id: shop, write_keys: [wk_shop], privacy: { mode: full },
  conversions: [{ event: "Order Completed" }, { event: Signup }] }]
`

// buyers are messages of people who come twice, sign up and buy, with one more message on every further day.
func buyers(name string, n int) (messages []map[string]any) {
	for i := range n {
		device, more := fmt.Sprintf("%s %d", name, i), ""
		if i%3 == 0 {
			more = "?utm_source=news&utm_medium=email"
		}
		messages = append(messages,
			page(at(1+i%7, "10:00"), device, "/", google),
			page(at(9+i%7, "10:00"), device, "/lamps"+more, facebook),
			browser("track", at(9+i%7, "10:01"), device, map[string]any{"event": "Signup"}),
			known("user of "+device, order(at(10+i%7, "10:00"), device, "order of "+device, float64(i))))
	}
	return messages
}

// attributed sums up what attribution has made, a line for each table and kind of conversion.
func attributed(t *testing.T, in *instance.Installation) []string {
	t.Helper()
	var selects []string
	for table, kind := range map[string]string{
		"identities": "''", "persons": "''", "touchpoints": "''",
		"conversions": "kind", "journeys": "kind", "path_stats": "kind", "credits": "kind", "channel_credits": "kind",
	} {
		selects = append(selects, fmt.Sprintf("SELECT '%s' AS table, %s AS of, sum(cityHash64(*)) AS hash FROM %[1]s GROUP BY of", table, kind))
	}
	stdout, stderr, code := in.Run(t, "sql", "SELECT * FROM ("+strings.Join(selects, " UNION ALL ")+") ORDER BY ALL")
	if code != 0 {
		t.Fatal(stderr)
	}
	return strings.Split(strings.TrimSpace(stdout), "\n")[1:]
}

func TestARunThatWasKilledIsDoneAgain(t *testing.T) {
	in := newInstallation(t, twoKinds)
	up := in.Up(t)
	compute := func() []string {
		for _, kind := range []string{"Order Completed", "Signup"} {
			if _, stderr, code := in.Run(t, "attribute", "--project", "shop", "--conversion", kind); code != 0 {
				t.Fatal(stderr)
			}
		}
		return attributed(t, in)
	}
	deliver := func(messages []map[string]any, events int) {
		sendMessages(t, in, messages)
		instance.Eventually(t, "events arrive", func() error {
			stdout, stderr, _ := in.Run(t, "sql", "SELECT count() FROM events")
			if stdout != fmt.Sprintf("count()\n%d\n", events) {
				return fmt.Errorf("%q %s", stdout, stderr)
			}
			return nil
		})
	}
	deliver(buyers("early", 20), 80)
	former := compute()
	deliver(buyers("late", 80), 400)
	alter(t, in, "RENAME TABLE removal_effects TO hidden")
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)

	// Killed while it computes.
	up = in.Start(t, "--verbose")
	says(t, up, "step=begin")
	up.Kill(t)
	if said := up.Stderr(t); strings.Contains(said, "scheduled run of attribution") {
		t.Errorf("the run had ended before it was killed: %s", said)
	}
	// Killed after it has published some tables, and others not.
	up = in.Start(t, "--verbose")
	says(t, up, "publish removal_effects: ")
	alter(t, in, "RENAME TABLE hidden TO removal_effects")
	between := attributed(t, in)
	up.Kill(t)
	up = in.Up(t, "--verbose")
	says(t, up, "msg=\"scheduled run of attribution\"")
	got := attributed(t, in)
	if done, want := output(t, in, "sql", "SELECT run, full FROM updates WHERE state = 'done' ORDER BY run"), "run,full\n1,true\n2,false\n3,false\n4,false\n"; done != want {
		t.Errorf("updates %q, want that the third was finished and none began anew: %q", done, want)
	}
	want := compute()
	if !slices.Equal(got, want) || len(got) != 13 {
		t.Errorf("tables\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	published := 0
	for i, table := range want {
		switch {
		case between[i] == table:
			published++
		case between[i] != former[i] && !strings.HasPrefix(table, "credits,"): // markov's follow its chain, which is not there yet
			t.Errorf("%s between the tables, before %s, in the end %s", between[i], former[i], table)
		}
		if former[i] == table {
			t.Errorf("%s before and in the end", table)
		}
	}
	if published == 0 || published == len(want) {
		t.Errorf("%d of %d tables were published when it was killed", published, len(want))
	}
}

// fleet is a database server of its own and an installation without an engine.
type fleet struct {
	*instance.Installation
	db *store.DB
}

func newFleet(t *testing.T, settings string) *fleet {
	t.Helper()
	engine := startEngine(t, t.TempDir())
	dsn := fmt.Sprintf("clickhouse://%s:%s@%s", engine.Product().User, engine.Product().Password, engine.Addr())
	f := &fleet{Installation: newInstallation(t, fmt.Sprintf("clickhouse: { dsn: %q }\n", dsn)+settings)}
	lock, err := datadir.Acquire(f.Dir) // doctor looks into it
	if err != nil {
		t.Fatal(err)
	}
	if err = lock.Release(); err != nil {
		t.Fatal(err)
	}
	if f.db, err = store.Open(t.Context(), store.EngineTarget(engine.Addr(), engine.Product(), engine.Analyst())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.db.Close() })
	if err = f.db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// replaceEvents makes the view events of what a query says of events_raw.
func (f *fleet) replaceEvents(t *testing.T, condition string) {
	t.Helper()
	if err := f.db.Conn().Exec(t.Context(), "CREATE OR REPLACE VIEW events AS SELECT * FROM events_raw FINAL WHERE "+condition); err != nil {
		t.Fatal(err)
	}
}

// lock takes the lock as soon as it is free, which must be soon.
func (f *fleet) lock(t *testing.T) (release func()) {
	t.Helper()
	instance.Within(t, 10*time.Second, "nobody holds the lock", func() (err error) {
		_, release, err = f.db.LockAttribution(t.Context(), "the test")
		return err
	})
	return release
}

// jobs starts a process that waits for the lock.
func (f *fleet) jobs(t *testing.T) *instance.Process {
	t.Helper()
	p := f.StartCommand(t, "jobs", "--verbose")
	says(t, p, `holder="the test"`)
	return p
}

func (f *fleet) runs(t *testing.T) string {
	t.Helper()
	stdout, stderr, code := f.Run(t, "sql", "SELECT project, result, as_of FROM runs ORDER BY started, project")
	if code != 0 {
		t.Fatal(stderr)
	}
	return strings.TrimPrefix(stdout, "project,result,as_of\n")
}

func TestJobsOfAFleet(t *testing.T) {
	f := newFleet(t, `projects:
  - { id: shop, write_keys: [wk_shop], privacy: { mode: full } }
  - { id: empty, write_keys: [wk_empty], privacy: { mode: full } }
`)
	file := filepath.Join(t.TempDir(), "events.csv")
	writeFile(t, file, "message_id,timestamp,user_id,event,value,currency\n1,2026-01-05T10:00:00Z,anna,Order Completed,10,EUR\n")
	if _, stderr, code := f.Run(t, "import", "events", file, "--project", "shop"); code != 0 {
		t.Fatal(stderr)
	}

	// A run that is ended in any way leaves neither a lock nor a row.
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		release := f.lock(t)
		p := f.jobs(t)
		f.replaceEvents(t, "NOT sleepEachRow(3)")
		release()
		instance.Eventually(t, "the run is under way", func() error {
			var n uint64
			err := f.db.Conn().QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE query LIKE '%FROM touchline.events%' AND query_id != queryID()").Scan(&n)
			if err == nil && n == 0 {
				err = errors.New("no such query")
			}
			return err
		})
		p.Signal(t, signal)
		f.lock(t)()
		if code := p.Wait(t); signal == syscall.SIGTERM && code != 0 {
			t.Errorf("exit code %d: %s", code, p.Stderr(t))
		}
		f.replaceEvents(t, "1")
	}
	if got := f.runs(t); got != "" {
		t.Errorf("runs %q", got)
	}

	// One that fails says so, everywhere.
	release := f.lock(t)
	p := f.jobs(t)
	f.replaceEvents(t, "throwIf(1, 'of ''anna''')")
	release()
	says(t, p, "a scheduled run of attribution failed, trying again at the next turn")
	if said := p.Stderr(t); strings.Contains(said, "anna") {
		t.Errorf("the log quotes: %s", said)
	}
	f.replaceEvents(t, "1")
	if got, want := f.runs(t), "shop,failed,1970-01-01 00:00:00.000\n"; got != want {
		t.Errorf("runs %q, want %q", got, want)
	}
	admin := p.Stderr(t)
	_, admin, _ = strings.Cut(admin, "metrics    ")
	admin, _, _ = strings.Cut(admin, "\n")
	if _, text, err := get(t.Context(), admin); err != nil || !strings.Contains(text, `touchline_attribution_runs_total{project="shop",result="failed"} 1`) {
		t.Errorf("%v, metrics %s", err, text)
	}
	if stdout, _, _ := f.Run(t, "doctor"); !strings.Contains(stdout, "WRONG  attribution     project shop: the run of ") {
		t.Errorf("doctor says %s", stdout)
	}
	p.Signal(t, syscall.SIGTERM)
	if code := p.Wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, p.Stderr(t))
	}

	// Of two, one runs; whoever asks meanwhile waits.
	release = f.lock(t)
	one, other := f.jobs(t), f.jobs(t)
	asked := f.StartCommand(t, "attribute", "--project", "shop")
	says(t, asked, "waiting: attribution is being computed by the test\n")
	release()
	if code := asked.Wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, asked.Stderr(t))
	}
	instance.Eventually(t, "both have had their turn", func() error {
		said := one.Stderr(t) + other.Stderr(t)
		for _, part := range []string{`msg="scheduled run of attribution" project=shop`, `msg="attribution has run lately" project=shop`} {
			if strings.Count(said, part) != 1 {
				return fmt.Errorf("they have said %s", said)
			}
		}
		return nil
	})
	if got, want := f.runs(t), "shop,done,2026-01-05 10:00:00.000\n"; !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 2 {
		t.Errorf("runs %q, want one more %q", got, want)
	}
	long := time.Now().Add(-46 * time.Minute)
	if err := f.db.RecordRun(t.Context(), store.Run{Project: "empty", Started: long, Ended: long}); err != nil {
		t.Fatal(err)
	}
	stdout, _, _ := f.Run(t, "doctor")
	for _, line := range []string{
		"ok     attribution     project shop: last run at ",
		"WRONG  attribution     project empty: the last run began at " + long.UTC().Format(time.DateTime) + ", jobs.every is 15m",
	} {
		if !strings.Contains(stdout, line) {
			t.Errorf("%q is not in what doctor says: %s", line, stdout)
		}
	}
}

func TestJobsFollowTheInstance(t *testing.T) {
	in := newInstallation(t, oneProject)
	up := in.Up(t)
	g := &globals{Config: in.Config, Data: in.Dir, stderr: os.Stderr}
	joined, err := g.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer joined.close()
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	if err = joined.rejoin(t.Context()); err == nil || err.Error() != "no instance with an engine runs in "+in.Dir {
		t.Errorf("%v, want that none runs", err)
	}
	in.Up(t)
	if err := joined.rejoin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := joined.db.LastRuns(t.Context()); err != nil {
		t.Error(err)
	}
}
