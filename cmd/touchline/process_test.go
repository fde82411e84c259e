package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/store/embedded"
)

// The tests here run the program as a process and end it in every way a process can end.

const oneProject = "projects: [{ id: shop, write_keys: [wk_shop], privacy: { mode: full } }]\n"

func newInstallation(t *testing.T, settings string) *instance.Installation {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return instance.New(t, instance.Program{Path: executable, Env: []string{runAsTouchline + "=1"}}, settings)
}

// messageIDs are n ids that sort as they are counted.
func messageIDs(name string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s %04d", name, i)
	}
	return ids
}

// send posts messages with these ids and expects every one to be acknowledged.
func send(t *testing.T, in *instance.Installation, ids []string) {
	t.Helper()
	var messages []map[string]any
	for _, id := range ids {
		messages = append(messages, instance.Message(id))
	}
	sendMessages(t, in, messages)
}

func sendMessages(t *testing.T, in *instance.Installation, messages []map[string]any) {
	t.Helper()
	answer, err := in.Send(t.Context(), http.DefaultClient, "wk_shop", messages)
	if err != nil || answer != instance.Acknowledged {
		t.Fatalf("answer %+v, error %v", answer, err)
	}
}

// stored compares the message ids in a table with those expected.
func stored(t *testing.T, in *instance.Installation, table string, want []string) error {
	t.Helper()
	stdout, stderr, code := in.Run(t, "sql", "SELECT message_id FROM "+table+" ORDER BY message_id")
	if code != 0 {
		return errors.New(stderr)
	}
	got := strings.Split(strings.TrimSpace(stdout), "\n")[1:]
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		return fmt.Errorf("table %s has %d messages %.200q; want %d %.200q", table, len(got), got, len(want), want)
	}
	return nil
}

func waitStored(t *testing.T, in *instance.Installation, want []string) {
	t.Helper()
	instance.Eventually(t, "events arrive", func() error { return stored(t, in, "events", want) })
}

// terminate ends up with SIGTERM and expects that it delivers everything first: no process is left that could, and
// each message was inserted once.
func terminate(t *testing.T, in *instance.Installation, up *instance.Process, want []string) {
	t.Helper()
	up.Signal(t, syscall.SIGTERM)
	if code := up.Wait(t); code != 0 {
		t.Errorf("exit code %d, want 0: %s", code, up.Stderr(t))
	}
	if err := in.NoEngine(t); err != nil {
		t.Error(err)
	}
	for _, table := range []string{"events", "events_raw"} {
		if err := stored(t, in, table, want); err != nil {
			t.Error(err)
		}
	}
}

func TestAcknowledgedEventsSurviveAKillOfTheCollector(t *testing.T) {
	in := newInstallation(t, oneProject)
	up := in.Up(t)
	delivered, sent, spooled := messageIDs("delivered", 300), messageIDs("sent", 300), messageIDs("spooled", 300)
	send(t, in, delivered)
	waitStored(t, in, delivered)
	sendToFrozenEngine(t, in, sent)
	send(t, in, spooled)
	up.Kill(t)
	instance.Within(t, 2*time.Second, "the engine ends with its parent", func() error { return in.NoEngine(t) })

	up = in.Up(t)
	all := slices.Concat(delivered, sent, spooled)
	waitStored(t, in, all)
	terminate(t, in, up, all)
}

func TestABatchIsStoredOnceWhenItsCommitIsLost(t *testing.T) {
	in := newInstallation(t, oneProject)
	up := in.Up(t)
	ids := messageIDs("sent", 300)
	uncommitted := sendToFrozenEngine(t, in, ids)
	if err := syscall.Kill(in.Engine(t), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	waitStored(t, in, ids)
	up.Kill(t)
	if err := os.WriteFile(in.PositionFile(), uncommitted, 0o600); err != nil {
		t.Fatal(err)
	}
	up = in.Up(t)
	terminate(t, in, up, ids)
}

// sendToFrozenEngine stops the engine and returns once a batch is on its way to it, which then is not stored: with
// what the spool's position is while it is not committed. The kernel lets the engine go on when its parent dies.
func sendToFrozenEngine(t *testing.T, in *instance.Installation, ids []string) (position []byte) {
	t.Helper()
	if err := syscall.Kill(in.Engine(t), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	before := in.Position(t)
	send(t, in, ids)
	instance.Eventually(t, "a batch is on its way", func() error {
		if position = in.Position(t); bytes.Equal(position, before) {
			return errors.New("the spool's position is what it was")
		}
		return nil
	})
	return position
}

func TestUpSurvivesAKillOfTheEngine(t *testing.T) {
	in := newInstallation(t, oneProject)
	up := in.Up(t)
	before, after := messageIDs("before", 300), messageIDs("after", 300)
	send(t, in, before)
	engine := in.Engine(t)
	if err := syscall.Kill(engine, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	send(t, in, after)
	all := slices.Concat(before, after)
	waitStored(t, in, all)
	up.Alive(t)
	if next := in.Engine(t); next == engine {
		t.Errorf("engine process %d is the one that was killed", next)
	}
	terminate(t, in, up, all)
}

func TestTerminationDeliversEverything(t *testing.T) {
	for about, also := range map[string]func(t *testing.T, in *instance.Installation){
		"signal to the collector": func(*testing.T, *instance.Installation) {},
		"signal to the engine too, as service managers do": func(t *testing.T, in *instance.Installation) {
			if err := syscall.Kill(in.Engine(t), syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(about, func(t *testing.T) {
			in := newInstallation(t, oneProject)
			up := in.Up(t)
			ids := messageIDs("last", 500)
			send(t, in, ids)
			also(t, in)
			terminate(t, in, up, ids)
		})
	}
}

func TestUpStartsAgainRightAfterAKill(t *testing.T) {
	in := newInstallation(t, oneProject)
	up := in.Up(t)
	ids := messageIDs("first", 300)
	send(t, in, ids)
	up.Kill(t)
	up = in.Up(t)
	terminate(t, in, up, ids)
}

func TestUpWaitsForAnEngineThatIsStillEnding(t *testing.T) {
	in := newInstallation(t, oneProject)
	engine := startEngine(t, in.Dir) // in place of one whose parent was killed: that cannot be held back
	up := in.Start(t)
	instance.Eventually(t, "the next engine meets the former", func() error {
		up.Alive(t)
		output, err := os.ReadFile(filepath.Join(in.Dir, "engine", "output.log"))
		if err == nil && !strings.Contains(string(output), "Another server instance in same directory is already running") {
			err = fmt.Errorf("it has said %q", output)
		}
		return err
	})
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	up.WaitReady(t)
}

func TestASecondUpIsRefused(t *testing.T) {
	in := newInstallation(t, oneProject)
	up := in.Up(t)
	_, stderr, code := in.Run(t, "up")
	want := fmt.Sprintf("touchline: data directory %s is in use by process %d: stop it or choose another with --data\n", in.Dir, up.PID())
	if code != exitFailed || stderr != want {
		t.Errorf("exit code %d, %q; want %d, %q", code, stderr, exitFailed, want)
	}
	send(t, in, messageIDs("still served", 1))
}

func TestReload(t *testing.T) {
	in := newInstallation(t, oneProject)
	up := in.Up(t)
	answers := func(want map[string]int) error {
		got := make(map[string]int)
		for key := range want {
			answer, err := in.Send(t.Context(), http.DefaultClient, key, []map[string]any{instance.Message("m")})
			if err != nil {
				return err
			}
			got[key] = answer.Status
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("keys are answered %v, want %v", got, want)
		}
		return nil
	}
	if err := answers(map[string]int{"wk_shop": 200, "wk_new": 401}); err != nil {
		t.Fatal(err)
	}

	in.Configure(t, "projects: [{ id: shop, write_keys: [wk_new], privacy: { mode: full } }]\n")
	up.Signal(t, syscall.SIGHUP)
	reloaded := map[string]int{"wk_shop": 401, "wk_new": 200}
	instance.Eventually(t, "the new key is taken", func() error { return answers(reloaded) })

	for settings, complaint := range map[string]string{
		"projects:\n  - id: shop\n    write_key: [wk_shop]\n":                        `:4:5: unknown key "write_key"`,
		"projects:\n  - id: shop\n    write_keys: [a]\n    privacy: { mode: off }\n": `:5:22: projects[0].privacy.mode: is "off"; this version knows full`,
	} {
		in.Configure(t, settings)
		up.Signal(t, syscall.SIGHUP)
		line := "not reloaded: " + in.Config + complaint + "\n"
		instance.Eventually(t, "the complaint", func() error {
			if said := up.Stderr(t); !strings.Contains(said, line) {
				return fmt.Errorf("up has said %q, want %q in it", said, line)
			}
			return nil
		})
		if err := answers(reloaded); err != nil {
			t.Error(err)
		}
	}
}

// startEngine starts an engine that no installation of the test knows of.
func startEngine(t *testing.T, dir string) *embedded.Engine {
	t.Helper()
	engine, err := embedded.Start(t.Context(), embedded.Options{Dir: dir, MemoryLimit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return engine
}

func TestUpWithAServerThatIsThereAlready(t *testing.T) {
	engine := startEngine(t, t.TempDir())
	dsn := fmt.Sprintf("clickhouse://%s:%s@%s", engine.Product().User, engine.Product().Password, engine.Addr())
	in := newInstallation(t, fmt.Sprintf("clickhouse: { dsn: %q }\n", dsn)+oneProject)
	up := in.Up(t)
	sendMessages(t, in, []map[string]any{
		page(at(1, "10:00"), "a", "/", google),
		page(at(3, "10:00"), "a", "/", facebook),
		order(at(3, "10:10"), "a", "o1", 100),
	})
	instance.Eventually(t, "events arrive", func() error {
		stdout, stderr, _ := in.Run(t, "sql", "SELECT project, type, channel FROM events ORDER BY timestamp")
		if want := "project,type,channel\nshop,page,Organic Search\nshop,page,Organic Social\nshop,track,Direct\n"; stdout != want {
			return fmt.Errorf("%q, %s; want %q", stdout, stderr, want)
		}
		return nil
	})
	if err := in.NoEngine(t); err != nil {
		t.Error(err)
	}

	stdout, stderr, code := in.Run(t, "attribute", "--project", "shop", "--models", "linear")
	want := "model,channel,conversions,value\nlinear,Organic Search,0.5,50\nlinear,Organic Social,0.5,50\n"
	if code != 0 || stdout != want {
		t.Errorf("exit code %d, %q, %s; want %q", code, stdout, stderr, want)
	}

	for _, statement := range []string{
		"INSERT INTO events_raw (project, message_id) VALUES ('shop', 'forged')",
		"INSERT INTO events_raw (project, message_id) SETTINGS readonly = 0 VALUES ('shop', 'forged')",
		"ALTER TABLE events_raw DELETE WHERE 1",
		"TRUNCATE TABLE events_raw",
		"DROP VIEW events",
		"CREATE TABLE mine (x Int8) ENGINE = Memory",
		"CREATE TEMPORARY TABLE mine (x Int8)",
		"SET readonly = 0",
	} {
		stdout, stderr, code := in.Run(t, "sql", statement)
		if code != exitFailed || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "readonly") {
			t.Errorf("%s: exit code %d, %q, %q; want a line that says readonly", statement, code, stdout, stderr)
		}
	}
	stdout, stderr, _ = in.Run(t, "sql", "SELECT count() FROM events_raw")
	if want := "count()\n3\n"; stdout != want {
		t.Errorf("%q, %s; want %q", stdout, stderr, want)
	}
	up.Signal(t, syscall.SIGTERM)
	if code := up.Wait(t); code != 0 {
		t.Errorf("exit code %d, want 0: %s", code, up.Stderr(t))
	}
}

func TestProjectNamedWithoutAConfiguration(t *testing.T) {
	cfg, err := (&globals{Data: t.TempDir()}).defaultConfig()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = cfg.project("shop")
	const want = `unknown project "shop"; without a configuration file there is only default: name the file with --config`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
