package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/collector/decode"
)

// What a file holds and what the tables then say, worked out by hand.
const (
	messageFile = `{"type":"page","messageId":"m1","anonymousId":"a","timestamp":"2026-01-02T10:00:00Z","sentAt":"2026-01-02T10:00:01Z","context":{"ip":"8.8.8.8","userAgent":"` + desktop + `","page":{"url":"https://shop.example/?utm_source=news&utm_medium=email"}}}
{"type":"identify","messageId":"m2","anonymousId":"a","userId":"ann","traits":{"plan":"pro"},"timestamp":1767348060}
{"type":"track","messageId":"m3","userId":"ann","event":"Order Completed","timestamp":1767348120000,"properties":{"order_id":"o1","revenue":40}}
{"type":"track","messageId":"m4","userId":"ann"}
{"type":"track","messageId":"m3","userId":"ann","event":"Order Completed","timestamp":1767348120000,"properties":{"order_id":"o1","revenue":99}}
`
	tableFile = `no,When,customer,type,event,value,channel,country,browser,context
m5,2026-01-03T10:00:00Z,ann,,Touchpoint,,Podcast,AT,,
m6,2026-01-04T10:00:00Z,ann,page,Home,,,FR,Lynx,"{""userAgent"":""` + desktop + `"",""page"":{""referrer"":""https://www.google.com/""}}"
m7,2026-01-05T10:00:00Z,ann,,Order Completed,60.5,,,,
m8,2026-01-06,ann,,Order Completed,1,,,,
`
)

func TestImportedEventsAreWhatTheCollectorWouldHaveMade(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	dir := t.TempDir()
	messages, table := filepath.Join(dir, "messages.ndjson"), filepath.Join(dir, "table.csv")
	writeFile(t, messages, messageFile)
	writeFile(t, table, tableFile)
	in.Up(t)
	imports := func() string {
		return output(t, in, "import", "events", messages, table, "--project", "shop",
			"--map", "message_id=no,timestamp=When", "--map", "user_id=customer")
	}
	const complaints = `malformed: MESSAGES: line 4 is refused: event is required for track
malformed: TABLE: line 5 is refused: timestamp is "2026-01-06"; want a time as in RFC 3339, or Unix milliseconds or seconds as a number
`
	for round, want := range []string{
		"9 lines = 6 imported + 1 already there + 0 skipped + 2 malformed\n",
		"9 lines = 0 imported + 7 already there + 0 skipped + 2 malformed\n",
	} {
		got := strings.NewReplacer(messages, "MESSAGES", table, "TABLE").Replace(imports())
		if got != want+complaints {
			t.Errorf("round %d: got\n%swant\n%s", round, got, want+complaints)
		}
	}
	var columns []string
	for line := range strings.Lines(output(t, in, "sql", "DESCRIBE TABLE events")) {
		name, _, _ := strings.Cut(line, ",")
		columns = append(columns, name)
	}
	for _, field := range decode.RowFields() {
		if !slices.Contains(columns, field) {
			t.Errorf("field %s is no column of events, which are %q", field, columns)
		}
	}
	got := output(t, in, "sql", `SELECT message_id, seq, timestamp, sent_at, user_id, value, currency, channel, channel_reason, country,
		browser, browser_version, is_bot, origin, context FROM events ORDER BY message_id`)
	const want = `message_id,seq,timestamp,sent_at,user_id,value,currency,channel,channel_reason,country,browser,browser_version,is_bot,origin,context
m1,1,2026-01-02 10:00:00.000,2026-01-02 10:00:01.000,,0,,Email,utm,US,Chrome,140,false,import,"{""ip"":""8.8.8.0""}"
m2,2,2026-01-02 10:01:00.000,1970-01-01 00:00:00.000,ann,0,,Direct,none,,,,false,import,
m3,3,2026-01-02 10:02:00.000,1970-01-01 00:00:00.000,ann,40,EUR,Direct,none,,,,false,import,
m5,2,2026-01-03 10:00:00.000,1970-01-01 00:00:00.000,ann,0,,Podcast,explicit,AT,,,false,import,
m6,3,2026-01-04 10:00:00.000,1970-01-01 00:00:00.000,ann,0,,Organic Search,referrer,FR,Lynx,,false,import,
m7,4,2026-01-05 10:00:00.000,1970-01-01 00:00:00.000,ann,60.5,EUR,Direct,none,,,,false,import,
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	credits := output(t, in, "attribute", "--project", "shop", "--models", "linear", "--format", "csv")
	const wantCredits = "model,channel,conversions,value\nlinear,Email,1,40\nlinear,Organic Search,0.5,30.25\nlinear,Podcast,0.5,30.25\n"
	if credits != wantCredits {
		t.Errorf("attribute printed %q", credits)
	}
	wantExamined(t, in, 0, fmt.Sprintf(ledgerForm, 14, 0, 14, 6, 8, "0", 0, 0))
}

// An import that is killed after its first batch, and one that reads the file to its end.
func TestImportKilledHalfWayIsCompletedByTheNext(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	in.Up(t)
	const lines = 15_000 // a batch and a half
	var text strings.Builder
	for i := range lines { // every line is there twice
		fmt.Fprintf(&text, `{"type":"page","anonymousId":"d%d","timestamp":"2026-01-02T10:00:00Z"}`+"\n", i/2)
	}
	cmd := exec.Command(os.Args[0], "import", "events", "-", "--format", "ndjson", "--project", "shop", "--config", in.Config, "--data", in.Dir)
	cmd.Env = append(os.Environ(), runAsTouchline+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(stdin, text.String()); err != nil { // it stays open: the import waits for more
		t.Fatal(err)
	}
	stored := func() string {
		return strings.TrimPrefix(output(t, in, "sql", "SELECT count() FROM events"), "count()\n")
	}
	instance.Eventually(t, "the first batch is stored", func() error {
		if n := stored(); n != "10000\n" {
			return fmt.Errorf("%s events", n)
		}
		return nil
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if n := stored(); n != "10000\n" {
		t.Errorf("%s events after the kill", n)
	}
	file := filepath.Join(t.TempDir(), "all.jsonl")
	writeFile(t, file, text.String())
	for _, want := range []string{
		"15,000 lines = 5,000 imported + 10,000 already there + 0 skipped + 0 malformed\n",
		"15,000 lines = 0 imported + 15,000 already there + 0 skipped + 0 malformed\n",
	} {
		if got := output(t, in, "import", "events", file, "--project", "shop"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	const question = "SELECT count(), uniqExact(message_id), min(seq), max(seq), uniqExact(seq), countIf(anonymous_id = concat('d', toString(intDiv(seq - 1, 2)))) FROM events"
	_, got, _ := strings.Cut(output(t, in, "sql", question), "\n")
	if want := "15000,15000,1,15000,15000,15000\n"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	stdout, _, code := in.Run(t, "doctor")
	if code != 0 || !strings.Contains(stdout, "ok     ledger          adds up") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

func TestEventsThatTheDatabaseRefusesDoNotStopAnImport(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	output(t, in, "sql", "SELECT 1") // makes the tables
	constrain(t, in)
	file := filepath.Join(t.TempDir(), "a.csv")
	writeFile(t, file, "event,user_id\nE,u\npoison,u\nE,v\npoison,v\n")
	got := output(t, in, "import", "events", file, "--project", "shop")
	if !strings.HasPrefix(got, "4 lines = 2 imported + 0 already there + 0 skipped + 0 malformed + 2 rejected\n") {
		t.Errorf("got %s", got)
	}
	wantExamined(t, in, 0, fmt.Sprintf(ledgerForm, 4, 0, 4, 2, 0, "2 VIOLATED_CONSTRAINT", 0, 0))
	if got := output(t, in, "sql", "SELECT count() FROM rejected WHERE project = 'shop' AND reason = 'VIOLATED_CONSTRAINT'"); got != "count()\n2\n" {
		t.Errorf("rejected: %s", got)
	}
}

func TestAnImportTakesEventsAsLargeAsTheCollectorDoes(t *testing.T) {
	in := newInstallation(t, oneProject)
	in.Limits = "event: 48KB"
	in.Configure(t, withGeo(t))
	file := filepath.Join(t.TempDir(), "a.ndjson")
	line := func(id string, size int) string {
		return fmt.Sprintf(`{"type":"track","event":"E","messageId":"%s","properties":{"x":"%s"}}`+"\n", id, strings.Repeat("x", size))
	}
	writeFile(t, file, line("a", 40<<10)+line("b", 50<<10))
	const want = "2 lines = 1 imported + 0 already there + 0 skipped + 1 malformed\n"
	if got := output(t, in, "import", "events", file, "--project", "shop"); !strings.HasPrefix(got, want) || !strings.Contains(got, "at most 49152 are taken") {
		t.Errorf("got %s", got)
	}
}

func TestImportOfEventsSaysWhatIsWrong(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	in.Up(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "a.csv")
	writeFile(t, file, "type,who\npage,u\n")
	notes := filepath.Join(dir, "notes.txt")
	writeFile(t, notes, "hello\n")
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"unknown field":   {[]string{file, "--map", "usr_id=who"}, exitUsage, `--map usr_id=who: unknown field "usr_id"; fields are message_id, type, event,`},
		"no pair":         {[]string{file, "--map", "who"}, exitUsage, "--map who: want FIELD=COLUMN, as in user_id=customer"},
		"a field twice":   {[]string{file, "--map", "user_id=who,user_id=type"}, exitUsage, "--map user_id=type: field user_id has a column already: who"},
		"unknown column":  {[]string{file, "--map", "user_id=Who"}, exitFailed, `there is no column "Who"; there are "type", "who"`},
		"unknown format":  {[]string{file, "--format", "xml"}, exitUsage, `--format must be one of "ndjson","csv"`},
		"not to be told":  {[]string{notes}, exitFailed, "the name does not say what is in it; add --format ndjson or --format csv"},
		"not of its kind": {[]string{notes, "--format", "ndjson"}, exitFailed, "not NDJSON, a message of the Segment spec a line (line 1 is refused: body is not JSON"},
		"no such file":    {[]string{filepath.Join(dir, "b.csv")}, exitFailed, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := in.Run(t, append([]string{"import", "events", "--project", "shop"}, c.args...)...)
			line, rest, _ := strings.Cut(stderr, "\n")
			if code != c.code || !strings.Contains(line, c.want) || stdout != "" || code == exitFailed && rest != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q\nwant %d and %q", code, stdout, stderr, c.code, c.want)
			}
		})
	}
}
