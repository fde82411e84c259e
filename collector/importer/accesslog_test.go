package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// memory is a Sink that, like the real one, keeps the first event of each message id.
type memory struct {
	ids     map[string]bool
	events  []event.Event
	batches []int
	fail    error
	refuse  string // the end of URLs that it refuses
}

func (m *memory) Insert(ctx context.Context, events []event.Event) (int, []collector.RefusedEvent, error) {
	if err := errors.Join(m.fail, ctx.Err()); err != nil {
		return 0, nil, err
	}
	if m.ids == nil {
		m.ids = make(map[string]bool)
	}
	m.batches = append(m.batches, len(events))
	added := 0
	var refused []collector.RefusedEvent
	for i, e := range events {
		if m.refuse != "" && strings.HasSuffix(e.URL, m.refuse) {
			refused = append(refused, collector.RefusedEvent{Event: &events[i], Reason: "BAD", Detail: "it is bad"})
			continue
		}
		if key := e.Project + "\n" + e.MessageID; !m.ids[key] {
			m.ids[key] = true
			m.events = append(m.events, e)
			added++
		}
	}
	return added, refused, nil
}

// spy is an Enricher that notes what it was told in the event itself.
type spy struct{}

func (spy) Enrich(p *collector.Project, c *event.Client, e *event.Event) {
	e.Country = p.ID
	e.City = c.IP.String()
	e.Browser = c.UserAgent
}

var received = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newLog(sink Sink) *AccessLog {
	return &AccessLog{
		Host: "shop.example", Key: []byte("secret"),
		Import: Import{
			Project: &collector.Project{ID: "shop"}, Enrich: spy{}, Sink: sink, Now: func() time.Time { return received },
		},
	}
}

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}

// importText imports text as stdin.
func importText(t tester, a *AccessLog, text string) Ledger {
	t.Helper()
	a.Stdin = strings.NewReader(text)
	l, err := a.Run(t.Context(), []string{"-"})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func request200(target string) string {
	return `203.0.113.7 - - [17/May/2015:12:05:03 +0200] "GET ` + target + ` HTTP/1.1" 200 512 "https://www.google.com/" "Firefox"` + "\n"
}

func TestImportMakesEvents(t *testing.T) {
	var sink memory
	importText(t, newLog(&sink), "malformed\n"+request200("/a%20b?utm_source=x")+request200("/files/a%20b.tar.gz?v=1"))
	want := event.Event{
		Project: "shop", Type: event.Page, AnonymousID: "c846d07ddc3e8c489fb5e0edb8605e57",
		Timestamp: 1_431_857_103_000, ClientTimestamp: 1_431_857_103_000, ReceivedAt: 1_767_323_045_000,
		URL: "https://shop.example/a%20b?utm_source=x", Host: "shop.example", Path: "/a%20b", Referrer: "https://www.google.com/",
		Library: "accesslog", Origin: event.OriginImport, Seq: 2, ClientDay: 16_572,
		Country: "shop", City: "203.0.113.7", Browser: "Firefox",
	}
	download := want
	download.Type, download.Name, download.Seq = event.Track, "File Downloaded", 3
	download.URL, download.Path = "https://shop.example/files/a%20b.tar.gz?v=1", "/files/a%20b.tar.gz"
	download.Properties = `{"extension":"tar.gz","file":"a b.tar.gz","url":"https://shop.example/files/a%20b.tar.gz?v=1"}`
	if len(sink.events) != 2 {
		t.Fatalf("got %d events", len(sink.events))
	}
	for i, want := range []event.Event{want, download} {
		got := sink.events[i]
		if err := got.Validate(); err != nil {
			t.Error(err)
		}
		if !regexp.MustCompile("^[0-9a-f]{32}$").MatchString(got.MessageID) || got.ClientKey == 0 {
			t.Errorf("message id %q, client key %d", got.MessageID, got.ClientKey)
		}
		want.MessageID, want.ClientKey = got.MessageID, got.ClientKey
		if got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func TestImportBoundsWhatIsKept(t *testing.T) {
	var sink memory
	long := strings.Repeat("ä", 5000)
	importText(t, newLog(&sink), strings.Replace(request200("/"+long+".pdf"), "www.google.com/", long, 1))
	e := sink.events[0]
	for name, s := range map[string]string{"url": e.URL, "path": e.Path, "referrer": e.Referrer} {
		if len(s) < maxURL-1 || len(s) > maxURL || !strings.HasSuffix(s, "ä") {
			t.Errorf("%s has %d bytes and ends with %q", name, len(s), s[len(s)-2:])
		}
	}
}

func TestVisitorIsAddressAndUserAgentUnderTheKey(t *testing.T) {
	ids := make(map[string]string)
	for _, c := range []struct{ key, addr, agent string }{
		{"k", "203.0.113.7", "a"}, {"l", "203.0.113.7", "a"}, {"k", "203.0.113.8", "a"}, {"k", "203.0.113.7", "b"}, {"k", "isp.example", "a"},
	} {
		run := accessRun{key: []byte(c.key)}
		id := run.visitor(&entry{Addr: c.addr, UserAgent: c.agent, Referrer: "x"})
		if other, ok := ids[id]; ok {
			t.Errorf("%v is the same visitor as %s", c, other)
		}
		ids[id] = fmt.Sprint(c)
		if again := run.visitor(&entry{Addr: c.addr, UserAgent: c.agent, Request: "y"}); again != id {
			t.Errorf("%v is another visitor the second time", c)
		}
	}
}

func TestImportAgainAddsNothing(t *testing.T) {
	var sink memory
	a := newLog(&sink)
	text := request200("/") + request200("/") + request200("/a.zip") + "malformed\n"
	first := importText(t, a, text)
	if want := (Ledger{Lines: 4, Imported: 3, Pages: 2, Downloads: 1, Malformed: []Malformed{{"stdin", 4, "has no [time]"}}}); !reflect.DeepEqual(first, want) {
		t.Errorf("first: %+v", first)
	}
	for name, other := range map[string]string{
		"the same":                  text,
		"line ends of Windows":      strings.ReplaceAll(text, "\n", "\r\n"),
		"compressed":                string(gzipped(t, text)),
		"after lines of no account": "hello\n" + text,
	} {
		again := importText(t, a, other)
		if again.Imported != 0 || again.AlreadyThere != 3 || again.Pages != 2 || again.Downloads != 1 {
			t.Errorf("%s: %+v", name, again)
		}
	}
	if third := importText(t, a, text+request200("/")); third.Imported != 1 || third.AlreadyThere != 3 {
		t.Errorf("a third occurrence: %+v", third)
	}
}

func TestImportInBatches(t *testing.T) {
	var sink memory
	a := newLog(&sink)
	a.BatchSize = 2
	var read []int64
	a.Progress = func(n int64) { read = append(read, n) }
	text := strings.Repeat(request200("/")+request200("/a.css"), 5)
	one, two := write(t, "one", []byte(text)), write(t, "two", gzipped(t, text))
	l, err := a.Run(t.Context(), []string{one, two})
	if err != nil || l.Lines != 20 || l.Imported != 5 || l.AlreadyThere != 5 || l.Skipped[skipAsset] != 10 {
		t.Errorf("%+v, %v", l, err)
	}
	if want := []int{2, 2, 1, 2, 2, 1}; !reflect.DeepEqual(sink.batches, want) {
		t.Errorf("batches %v, want %v", sink.batches, want)
	}
	if want := []int64{int64(len(text)), int64(len(text) + len(gzipped(t, text)))}; !reflect.DeepEqual(read, want) {
		t.Errorf("progress %v, want %v", read, want)
	}
}

func TestImportStopsBeforeInserting(t *testing.T) {
	good := write(t, "good.log", []byte(request200("/")))
	bad := write(t, "bad.log", []byte("hello\n"))
	for name, c := range map[string]struct {
		change func(*AccessLog)
		files  []string
		want   string
	}{
		"no log among them": {func(*AccessLog) {}, []string{good, bad}, bad + ": not a combined-format access log (line 1 has no [time]): expected: " + sample},
		"no such file":      {func(*AccessLog) {}, []string{good, good + ".1"}, "open " + good + ".1: no such file or directory"},
		"no host":           {func(a *AccessLog) { a.Host = "" }, []string{good}, `host of the site is ""; want one like shop.example`},
		"URL for a host":    {func(a *AccessLog) { a.Host = "https://shop.example" }, []string{good}, `host of the site is "https://shop.example"; want one like shop.example`},
		"no key":            {func(a *AccessLog) { a.Key = nil }, []string{good}, "key for visitor hashes is empty"},
		"sink fails":        {func(a *AccessLog) { a.Sink = &memory{fail: io.ErrClosedPipe} }, []string{good}, "insert: io: read/write on closed pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			var sink memory
			a := newLog(&sink)
			c.change(a)
			l, err := a.Run(t.Context(), c.files)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if len(sink.events) > 0 || !reflect.DeepEqual(l, Ledger{}) {
				t.Errorf("%d events, %+v", len(sink.events), l)
			}
		})
	}
}

func TestImportKeepsWhatCameBeforeDamage(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		text.WriteString(request200(fmt.Sprint("/", i*i*7919)))
	}
	data := gzipped(t, text.String())
	var sink memory
	l, err := newLog(&sink).Run(t.Context(), []string{write(t, "cut.log.gz", data[:len(data)/2])})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if l.Imported == 0 || l.Lines != l.Imported || len(sink.events) != l.Imported {
		t.Errorf("%d events, %+v", len(sink.events), l)
	}
}

// canceller cancels the import after its first batch.
type canceller struct {
	memory
	cancel context.CancelFunc
}

func (c *canceller) Insert(ctx context.Context, events []event.Event) (int, []collector.RefusedEvent, error) {
	defer c.cancel()
	return c.memory.Insert(context.WithoutCancel(ctx), events)
}

func TestWhatTheSinkRefusesIsInTheLedger(t *testing.T) {
	sink := memory{refuse: "/bad.zip"}
	text := request200("/") + request200("/bad.zip") + request200("/good.zip") + request200("/bad.zip")
	l := importText(t, newLog(&sink), text)
	const want = `4 lines = 2 imported + 0 already there + 0 skipped + 0 malformed + 2 rejected
imported or already there: 1 pages, 1 downloads
rejected: by the database, see table rejected; first stdin: line 2: it is bad
`
	if l.String() != want {
		t.Errorf("got\n%s\nwant\n%s", l.String(), want)
	}
}

func TestImportCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sink := canceller{cancel: cancel}
	a := newLog(&sink)
	a.BatchSize = 10
	a.Stdin = strings.NewReader(strings.Repeat(request200("/"), 100))
	l, err := a.Run(ctx, []string{"-"})
	if !errors.Is(err, context.Canceled) || l.Lines != 10 || l.Imported != 10 || len(sink.events) != 10 {
		t.Errorf("%v, %+v, %d events", err, l, len(sink.events))
	}
}

func TestLedgerAddsUp(t *testing.T) {
	kinds := map[string]*rapid.Generator[string]{
		"":           rapid.SampledFrom([]string{request200("/"), request200("/a"), request200("/a.zip")}),
		skipAsset:    rapid.Just(request200("/a.css")),
		skipFeed:     rapid.Just(request200("/feed/")),
		skipError:    rapid.Just(strings.Replace(request200("/"), " 200 ", " 404 ", 1)),
		skipRedirect: rapid.Just(strings.Replace(request200("/"), " 200 ", " 301 ", 1)),
		skipPartial:  rapid.Just(strings.Replace(request200("/a.zip"), " 200 ", " 206 ", 1)),
		skipStatus:   rapid.Just(strings.Replace(request200("/"), " 200 ", " 101 ", 1)),
		skipMethod:   rapid.Just(strings.Replace(request200("/"), "GET", "POST", 1)),
		skipRequest:  rapid.Just(strings.Replace(request200("/"), "GET", "get", 1)),
		"malformed":  rapid.SampledFrom([]string{"\n", "hello\n", strings.Repeat("x", 70_000) + "\n", request200("/")[:60] + "\n"}),
	}
	names := rapid.SampledFrom([]string{"", "", skipAsset, skipFeed, skipError, skipRedirect, skipPartial, skipStatus, skipMethod, skipRequest, "malformed"})
	rapid.Check(t, func(t *rapid.T) {
		want, downloads := map[string]int{"": 1}, 0
		var text strings.Builder
		text.WriteString(request200("/first"))
		for _, name := range rapid.SliceOfN(names, 0, 60).Draw(t, "kinds") {
			line := kinds[name].Draw(t, "line")
			text.WriteString(line)
			if name == "" && strings.Contains(line, ".zip") {
				downloads++
			}
			want[name]++
		}
		var sink memory
		a := newLog(&sink)
		a.BatchSize = rapid.IntRange(1, 20).Draw(t, "batch")
		for round := range 2 {
			l := importText(t, a, text.String())
			got := map[string]int{"": l.Imported + l.AlreadyThere}
			sum := 0
			for reason, n := range l.Skipped {
				got[reason] = n
			}
			if n := len(l.Malformed) + l.MoreMalformed; n > 0 {
				got["malformed"] = n
			}
			for _, n := range got {
				sum += n
			}
			if !reflect.DeepEqual(got, want) || l.Lines != sum || l.Downloads != downloads || l.Pages != got[""]-downloads {
				t.Fatalf("got %v, want %v; %+v", got, want, l)
			}
			if round == 0 && l.AlreadyThere > 0 || round == 1 && l.Imported > 0 || len(sink.events) != want[""] {
				t.Fatalf("round %d: %+v, %d events", round, l, len(sink.events))
			}
		}
	})
}
