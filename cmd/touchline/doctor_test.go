package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/spool"
	"github.com/touchline-hq/touchline/store"
)

func TestReckon(t *testing.T) {
	entry := func(spool string, outcome collector.Outcome, reason string, n uint64) store.Booked {
		return store.Booked{Collector: spool, Entry: collector.Entry{Project: "p", Outcome: outcome, Reason: reason, Events: n}}
	}
	delivered := entry("me", collector.Delivered, "", 90)
	for name, c := range map[string]struct {
		spool  spool.Stats
		booked []store.Booked
		stored uint64
		want   string
		addsUp bool
	}{
		"empty": {want: "0 = 0 stored + 0 duplicate + 0 rejected + 0 pending + 0 expired; missing 0, unknown 0", addsUp: true},
		"everything": {
			spool.Stats{Accepted: 100, Records: 3},
			[]store.Booked{
				delivered, entry("me", collector.Refused, "A", 5), entry("me", collector.Refused, "B", 2),
				entry("other", collector.Delivered, "", 40), entry("other", collector.Refused, "A", 1),
				entry("", collector.Imported, "", 30), entry("", collector.Expired, "", 10),
			}, 145,
			"171 = 145 stored + 5 duplicate + 8 rejected + 3 pending + 10 expired; missing 0, unknown 0", true,
		},
		"a flood, and some replayed": {
			spool.Stats{Accepted: 100},
			[]store.Booked{
				delivered, entry("me", collector.Refused, "A", 6), entry("me", collector.Refused, "B", 4), entry("me", collector.Unkept, "B", 50),
				entry("other", collector.Refused, "B", 1), entry("other", collector.Unkept, "B", 7),
				entry("", collector.Replayed, "A", 6), entry("", collector.Replayed, "B", 2),
			}, 97,
			"158 = 97 stored + 1 duplicate + 60 rejected + 0 pending + 0 expired; missing 0, unknown 0", true,
		},
		"replayed after the ledger missed the refusal, then delivered": {
			spool.Stats{Accepted: 90}, []store.Booked{delivered, entry("", collector.Replayed, "A", 1)}, 90,
			"90 = 90 stored + 0 duplicate + 0 rejected + 0 pending + 0 expired; missing 0, unknown 0", true,
		},
		"replayed after an import was killed": {
			spool.Stats{}, []store.Booked{entry("", collector.Replayed, "A", 1)}, 1,
			"0 = 1 stored + 0 duplicate + 0 rejected + 0 pending + 0 expired; missing 0, unknown 1", false,
		},
		"imports, and no spool": {
			spool.Stats{},
			[]store.Booked{entry("", collector.Imported, "", 30), entry("", collector.Refused, "A", 2), entry("", collector.Expired, "", 1)}, 20,
			"32 = 20 stored + 9 duplicate + 2 rejected + 0 pending + 1 expired; missing 0, unknown 0", true,
		},
		"a batch on its way": {
			spool.Stats{Accepted: 100, Records: 10, Batch: 10}, []store.Booked{delivered}, 90,
			"100 = 90 stored + 0 duplicate + 0 rejected + 10 pending + 0 expired; missing 0, unknown 0", true,
		},
		"a batch stored and not booked": {
			spool.Stats{Accepted: 100, Records: 10, Batch: 10}, []store.Booked{delivered}, 100,
			"100 = 100 stored + 0 duplicate + 0 rejected + 0 pending + 0 expired; missing 0, unknown 0", true,
		},
		"a batch booked and not committed": {
			spool.Stats{Accepted: 100, Records: 20, Batch: 10}, []store.Booked{delivered}, 85,
			"100 = 85 stored + 5 duplicate + 0 rejected + 10 pending + 0 expired; missing 0, unknown 0", true,
		},
		"lost by damage": {
			spool.Stats{Accepted: 100}, []store.Booked{delivered}, 90,
			"100 = 90 stored + 0 duplicate + 0 rejected + 0 pending + 0 expired; missing 10, unknown 0", false,
		},
		"an old spool": {
			spool.Stats{Accepted: 80}, []store.Booked{delivered}, 90,
			"80 = 90 stored + 0 duplicate + 0 rejected + 0 pending + 0 expired; missing -10, unknown 0", false,
		},
		"stored behind our back": {
			spool.Stats{Accepted: 90}, []store.Booked{delivered}, 91,
			"90 = 91 stored + 0 duplicate + 0 rejected + 0 pending + 0 expired; missing 0, unknown 1", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := "me"
			if c.spool == (spool.Stats{}) {
				id = "" // there never was one
			}
			b := reckon(&spoolState{id: id, Stats: c.spool}, c.booked, map[string]uint64{"p": c.stored})
			got := fmt.Sprintf("%d = %d stored + %d duplicate + %d rejected + %d pending + %d expired; missing %d, unknown %d",
				b.received(), b.stored, b.duplicate, b.rejectedInAll(), b.pending, b.expired, b.missing, b.unknown)
			if got != c.want || b.addsUp() != c.addsUp {
				t.Errorf("got  %s, adds up: %v\nwant %s, %v", got, b.addsUp(), c.want, c.addsUp)
			}
			sum := int64(b.stored+b.duplicate+b.rejectedInAll()+b.pending+b.expired) + b.missing - b.unknown
			if sum != int64(b.received()) {
				t.Errorf("the sum is %d, of %d received", sum, b.received())
			}
		})
	}
}

func TestParseMetrics(t *testing.T) {
	text := `# HELP touchline_spool_info x
touchline_spool_info{id="abc"} 1
touchline_spool_accepted_events_total 1.234567e+06
touchline_spool_pending_events 12
touchline_spool_batch_events 7
touchline_spool_disk_bytes 99
touchline_spool_damaged_regions_total 1
touchline_spool_lost_events_total 2
touchline_spool_failing 1
touchline_configuration_loaded_timestamp_seconds 1.8e+09
`
	got, err := parseMetrics(text)
	want := spoolState{id: "abc", failing: true, loaded: time.Unix(1_800_000_000, 0), Stats: spool.Stats{Accepted: 1234567, Records: 12, Batch: 7, Disk: 99, Damaged: 1, Lost: 2}}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := parseMetrics(strings.Replace(text, "spool_batch", "spool_bath", 1)); err == nil || !strings.Contains(err.Error(), "touchline_spool_batch_events") {
		t.Errorf("%v, want what is missing", err)
	}
}

// examined runs doctor and expects its ledger and exit code.
func examined(t *testing.T, in *instance.Installation, code int, ledger string) error {
	t.Helper()
	stdout, stderr, got := in.Run(t, "doctor")
	var lines []string
	for line := range strings.Lines(stdout) {
		if strings.HasPrefix(line, "     ") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	if found := strings.Join(lines, "\n"); got != code || found != ledger {
		return fmt.Errorf("exit code %d, want %d; ledger\n%s\nwant\n%s\n%s%s", got, code, found, ledger, stdout, stderr)
	}
	return nil
}

func wantExamined(t *testing.T, in *instance.Installation, code int, ledger string) {
	t.Helper()
	if err := examined(t, in, code, ledger); err != nil {
		t.Error(err)
	}
}

const ledgerForm = `received %d %d by this collector, 0 by others, %d imported
= stored %d each message once
+ duplicate %d
+ rejected %s
+ pending %d
+ expired %d`

func TestDoctorAccountsForEveryEvent(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	up := in.Up(t)
	wantExamined(t, in, 0, fmt.Sprintf(ledgerForm, 0, 0, 0, 0, 0, "0", 0, 0))

	first := messageIDs("first", 300)
	send(t, in, first)
	send(t, in, first[:40]) // duplicates
	waitStored(t, in, first)
	output(t, in, "import", "accesslog", logFile, "--project", "shop", "--host", "shop.example")
	imported := len(strings.Fields(output(t, in, "sql", "SELECT message_id FROM events WHERE origin = 'import'"))) - 1
	if imported < 10 {
		t.Fatalf("%d events imported", imported)
	}
	want := func(sent, stored, pending int) string {
		return fmt.Sprintf(ledgerForm, sent+imported, sent, imported, stored+imported, 40, "0", pending, 0)
	}
	wantExamined(t, in, 0, want(340, 300, 0))

	// A batch that the engine never answers, and one behind it: the process that had them is killed.
	sendToFrozenEngine(t, in, messageIDs("second", 50))
	send(t, in, messageIDs("third", 20))
	up.Kill(t)
	instance.Eventually(t, "the engine ends", func() error { return in.NoEngine(t) })
	wantExamined(t, in, 0, want(410, 300, 70))
	stdout, stderr, code := in.Run(t, "spool")
	if n := strings.Count(stdout, "CRC ok"); code != 0 || n < 70 {
		t.Errorf("spool: exit code %d, %d records, %s", code, n, stderr)
	}

	up = in.Up(t)
	instance.Eventually(t, "what waited is delivered", func() error { return examined(t, in, 0, want(410, 370, 0)) })
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	wantExamined(t, in, 0, want(410, 370, 0))
}

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	complains := func(code int, parts ...string) {
		t.Helper()
		stdout, stderr, got := in.Run(t, "doctor")
		if got != code {
			t.Errorf("exit code %d, want %d:\n%s%s", got, code, stdout, stderr)
		}
		for _, part := range parts {
			if !regexp.MustCompile(part).MatchString(stdout + stderr) {
				t.Errorf("%q is not in\n%s%s", part, stdout, stderr)
			}
		}
	}
	complains(exitFailed, `(?m)^WRONG  data directory  .* is not there; touchline up makes it$`, `touchline: 1 of 2 checks found something wrong`)

	up := in.Up(t)
	send(t, in, messageIDs("sent", 10))
	waitStored(t, in, messageIDs("sent", 10))
	complains(0, `(?m)^ok     process         process \d+ since`, `(?m)^ok     database        embedded engine, ClickHouse 26\.`,
		`(?m)^ok     tables          version \d+$`, `(?m)^ok     parts  `, `(?m)^ok     clock  `, `(?m)^ok     disk  `, `(?m)^ok     geo file  `,
		`(?m)^ok     ledger          adds up`)
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)

	for _, step := range []struct {
		do, undo func() error
		parts    []string
	}{
		{func() error { return os.Chmod(in.Dir, 0o755) }, func() error { return os.Chmod(in.Dir, 0o700) }, []string{`WRONG  data directory  .*chmod 700`}},
		{
			func() error { in.Configure(t, "geoip: { database: /nowhere.mmdb }\n"+oneProject); return nil },
			func() error { in.Configure(t, withGeo(t)); return nil },
			[]string{`WRONG  geo file        /nowhere.mmdb is not there`},
		},
		{
			func() error { return os.Rename(filepath.Join(in.Dir, "spool"), filepath.Join(in.Dir, "elsewhere")) },
			func() error { return os.Rename(filepath.Join(in.Dir, "elsewhere"), filepath.Join(in.Dir, "spool")) },
			nil, // what it took came from another collector then
		},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		code := 0
		if step.parts != nil {
			code = exitFailed
		}
		complains(code, step.parts...)
		if err := step.undo(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDoctorFindsWhatIsInNoBook(t *testing.T) {
	engine := startEngine(t, t.TempDir())
	dsn := fmt.Sprintf("clickhouse://%s:%s@%s", engine.Product().User, engine.Product().Password, engine.Addr())
	in := newInstallation(t, fmt.Sprintf("clickhouse: { dsn: %q }\n", dsn)+withGeo(t))
	up := in.Up(t)
	send(t, in, messageIDs("sent", 10))
	waitStored(t, in, messageIDs("sent", 10))
	target, err := store.ServerTarget(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	exec := func(statement string) {
		t.Helper()
		if err := db.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("INSERT INTO events_raw (project, message_id) VALUES ('shop', 'forged')")
	stdout, _, code := in.Run(t, "doctor")
	if code != exitFailed || !strings.Contains(stdout, "WRONG  ledger          1 stored events are in no book") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
	exec("DELETE FROM events_raw WHERE message_id = 'forged'")
	exec("TRUNCATE TABLE ledger_raw")
	exec("TRUNCATE TABLE events_raw")
	stdout, _, code = in.Run(t, "doctor")
	if code != exitFailed || !strings.Contains(stdout, "WRONG  ledger          10 events that were received are nowhere") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedEventsAreRejectedAndInTheMetrics(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	up := in.Up(t)
	send(t, in, messageIDs("before", 5))
	waitStored(t, in, messageIDs("before", 5))
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	constrain(t, in)

	in.Up(t)
	var messages []map[string]any
	for i, id := range messageIDs("m", 20) {
		message := instance.Message(id)
		if i%7 == 3 {
			message["event"] = "poison"
		}
		messages = append(messages, message)
	}
	sendMessages(t, in, messages)
	instance.Eventually(t, "the rest is stored", func() error {
		return examined(t, in, 0, fmt.Sprintf(ledgerForm, 25, 25, 0, 22, 0, "3 VIOLATED_CONSTRAINT", 0, 0))
	})
	if err := stored(t, in, "rejected", []string{"m 0003", "m 0010", "m 0017"}); err != nil {
		t.Error(err)
	}
	text := scrape(t, in)
	for _, line := range []string{
		`touchline_requests_total{endpoint="batch",status="2xx"} 1`,
		`touchline_ledger_events_total{outcome="delivered",project="shop",reason=""} 17`,
		`touchline_ledger_events_total{outcome="rejected",project="shop",reason="VIOLATED_CONSTRAINT"} 3`,
		`touchline_spool_accepted_events_total 25`,
		`touchline_spool_pending_events 0`,
		`touchline_events_total{outcome="accepted",project="shop",reason=""} 20`,
		`touchline_batches_total 1`,
	} {
		if !strings.Contains(text+"\n", line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
	if status, text, err := get(t.Context(), adminURL(t, in)+"/healthz"); err != nil || status != http.StatusOK || text != "ok" {
		t.Errorf("healthz: %d %s, %v", status, text, err)
	}
}

// constrain makes the stopped installation's engine refuse events called poison.
func constrain(t *testing.T, in *instance.Installation) {
	t.Helper()
	alterEvents(t, in, "ADD CONSTRAINT no_poison CHECK event != 'poison'")
}

// relax undoes constrain.
func relax(t *testing.T, in *instance.Installation) {
	t.Helper()
	alterEvents(t, in, "DROP CONSTRAINT no_poison")
}

func alterEvents(t *testing.T, in *instance.Installation, how string) {
	t.Helper()
	engine := startEngine(t, in.Dir)
	db, err := store.Open(t.Context(), store.EngineTarget(engine.Addr(), engine.Product(), engine.Analyst()))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Conn().Exec(t.Context(), "ALTER TABLE events_raw "+how); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAPortInUseCostsTheMetricsOnly(t *testing.T) {
	taken := newInstallation(t, oneProject)
	taken.Up(t)
	in := newInstallation(t, oneProject)
	writeFile(t, in.Config, fmt.Sprintf("collector: { listen: %q, admin: %q }\n", in.Addr, taken.Addr)+withGeo(t))
	up := in.Up(t)
	if said := up.Stderr(t); !strings.Contains(said, "no metrics: the address is in use") || !strings.Contains(said, taken.Addr) {
		t.Errorf("up has said %q", said)
	}
	ids := messageIDs("sent", 10)
	send(t, in, ids)
	waitStored(t, in, ids)
	stdout, _, code := in.Run(t, "doctor")
	if code != exitFailed || !strings.Contains(stdout, "WRONG  process ") || !strings.Contains(stdout, "ok     ledger          adds up") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

func TestSpoolAndDoctorWhereThereIsNothing(t *testing.T) {
	in := newInstallation(t, oneProject)
	_, stderr, code := in.Run(t, "spool")
	if code != exitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "there is no spool in "+in.Dir) {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	t.Chdir(t.TempDir())
	if code := run([]string{"doctor"}); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("doctor has made %v, %v", entries, err)
	}
}
