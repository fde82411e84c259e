package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/bench/instance"
)

// The log and the script that counts it a second time, in another language and without any of our code.
const (
	logFile = "../../collector/importer/testdata/small.log"
	counter = "../../collector/importer/testdata/count.py"
)

func TestImportedLogCountsLikeAnIndependentScript(t *testing.T) {
	in := newInstallation(t, strings.Replace(withGeo(t), "id: shop,", "id: shop, conversions: [{ event: File Downloaded }],", 1))
	in.Up(t)
	first := output(t, in, "import", "accesslog", logFile, "--project", "shop", "--host", "shop.example")
	events := output(t, in, "sql", "SELECT count() FROM events")
	second := output(t, in, "import", "accesslog", logFile, "--project", "shop", "--host", "shop.example")
	if again := output(t, in, "sql", "SELECT count() FROM events"); again != events {
		t.Errorf("a second import made %q of %q", again, events)
	}
	if !strings.Contains(first, " 0 already there") || !strings.Contains(second, " 0 imported") {
		t.Errorf("ledgers\n%s\n%s", first, second)
	}
	credits := output(t, in, "attribute", "--project", "shop", "--conversion", "File Downloaded", "--format", "csv")
	if !strings.HasPrefix(credits, "model,channel,conversions,value\nfirst,") {
		t.Errorf("attribute printed %q", credits)
	}
	for _, by := range []string{"channel", "referrer_host"} {
		want, err := exec.Command("python3", counter, "--host", "shop.example", "--by", by, logFile).Output()
		if err != nil {
			t.Fatal(err)
		}
		got := output(t, in, "sql", "SELECT "+by+", count() AS sessions FROM touchpoints WHERE kind = 'session' GROUP BY "+by+" ORDER BY "+by)
		if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
			t.Errorf("sessions by %s\n got  %q\n want %q", by, got, want)
		}
	}
	conversions := output(t, in, "sql", "SELECT count() FROM events WHERE event = 'File Downloaded' AND NOT is_bot")
	for _, m := range model.All() {
		sum := output(t, in, "sql", "SELECT toUInt64(sum(conversions)) AS `count()` FROM channel_credits"+
			" WHERE level = 'person' AND dimension = 'channel' AND model = '"+m.Name()+"'")
		if sum != conversions {
			t.Errorf("%s credits %q of %q conversions", m.Name(), sum, conversions)
		}
	}
}

// withGeo is one project, and the country file that make build installs.
func withGeo(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs("../../bin/dbip-country.mmdb")
	if err != nil {
		t.Fatal(err)
	}
	return oneProject + fmt.Sprintf("geoip: { database: %q }\n", file)
}

// output runs a command that must succeed.
func output(t *testing.T, in *instance.Installation, args ...string) string {
	t.Helper()
	stdout, stderr, code := in.Run(t, args...)
	if code != 0 {
		t.Fatalf("touchline %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

func TestWrongInputIsOneLineThatSaysWhatToDo(t *testing.T) {
	in := newInstallation(t, oneProject)
	taken := newInstallation(t, oneProject)
	taken.Up(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, text)
		return path
	}
	for name, c := range map[string]struct {
		settings string
		args     []string
		code     int
		want     string
	}{
		"unknown key": {
			"projets: []\n", []string{"up"}, exitFailed, in.Config + `:2:1: unknown key "projets"`,
		},
		"privacy mode not chosen": {
			"projects:\n  - id: shop\n    write_keys: [k]\n", []string{"up"}, exitFailed,
			in.Config + ":3:5: projects[0].privacy.mode: must be chosen; this version knows full",
		},
		"port in use": {
			"", []string{"up"}, exitFailed,
			"collector.listen: " + taken.Addr + " is in use by another program; stop that, or set another address in the configuration",
		},
		"path file without the right header": {
			oneProject, []string{"paths", file("a.csv", "route,conversions\na > b,1\n")}, exitFailed, "path",
		},
		"unknown model": {
			oneProject, []string{"paths", file("b.csv", "path,conversions\na,1\n"), "--models", "first,lst"}, exitUsage,
			`unknown model "lst"; known are first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, markov, shapley`,
		},
		"a log that is no log": {
			withGeo(t), []string{"import", "accesslog", file("c.log", "hello\nworld\n"), "--project", "shop", "--host", "x.example"},
			exitFailed, "not a combined-format access log",
		},
		"unknown project": {
			oneProject, []string{"attribute", "--project", "shpo"}, exitUsage, `unknown project "shpo"; this installation has shop`,
		},
		"no events": {
			oneProject, []string{"attribute", "--project", "shop", "--models", "first,time_decay"}, exitFailed, `project "shop" has no events`,
		},
		"a step limit that is none": {
			oneProject, []string{"paths", file("d.csv", "path,conversions\na,1\n"), "--max-steps", "few"}, exitUsage,
			`--max-steps is "few"; it must be 0, auto or a whole number above`,
		},
		"unknown flag": {oneProject, []string{"attribute", "--modles", "first"}, exitUsage, "unknown flag --modles"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "port in use" {
				writeFile(t, in.Config, "collector: { listen: \""+taken.Addr+"\" }\n"+oneProject)
			} else {
				in.Configure(t, c.settings)
			}
			stdout, stderr, code := in.Run(t, c.args...)
			line, rest, _ := strings.Cut(stderr, "\n")
			if code != c.code || !strings.HasPrefix(line, "touchline: ") || !strings.Contains(line, c.want) || stdout != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q\nwant %d and %q", code, stdout, stderr, c.code, c.want)
			}
			if code == exitFailed && rest != "" {
				t.Errorf("more than one line: %q", stderr)
			}
		})
	}
}

func TestMissingEngineLibraryIsOneLineThatSaysWhatToDo(t *testing.T) {
	in := newInstallation(t, oneProject)
	t.Setenv("TOUCHLINE_ENGINE_LIB", filepath.Join(t.TempDir(), "libchdb.so"))
	_, stderr, code := in.Run(t, "sql", "SELECT 1")
	if code != exitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "run `make build`") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}
