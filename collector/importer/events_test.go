package importer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/event"
)

func newEvents(sink Sink, format Format) *Events {
	return &Events{
		Import: Import{
			Project: &collector.Project{ID: "shop", Currency: "EUR"}, Enrich: enrich.New(nil), Sink: sink,
			Now: func() time.Time { return received },
		},
		Decode: &decode.Decoder{}, Fields: decode.RowFields(), MaxEvent: decode.DefaultMaxEvent, Format: format,
	}
}

// importEvents imports text as stdin.
func importEvents(t tester, v *Events, text string) Ledger {
	t.Helper()
	v.Stdin = strings.NewReader(text)
	l, err := v.Run(t.Context(), []string{"-"})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const (
	sep1   = 1_756_720_800_000 // 2025-09-01T10:00:00Z in ms
	chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)

// want returns e as an import leaves every event that has happened on 1 September.
func want(seq uint32, e event.Event) event.Event {
	e.Project, e.Origin, e.Seq, e.ReceivedAt = "shop", event.OriginImport, seq, received.UnixMilli()
	e.Timestamp, e.ClientTimestamp = sep1, sep1
	ids := e // the key is of the ids as sent
	ids.SetStorageKey()
	e.ClientDay, e.ClientKey = ids.ClientDay, ids.ClientKey
	if e.Channel == "" {
		e.Channel, e.ChannelReason = "Direct", "none"
	}
	return e
}

func wantEvents(t *testing.T, got []event.Event, want ...event.Event) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("event %d\n got  %+v\n want %+v", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
}

func TestImportMessages(t *testing.T) {
	const text = `{"type":"page","name":"Home","messageId":"m1","anonymousId":"a","timestamp":"2025-09-01T10:00:00Z","sentAt":"2025-09-01T10:00:07Z","context":{"userAgent":"` + chrome + `","ip":"203.0.113.9","page":{"url":"https://shop.example/?gclid=x"}}}
{"type":"screen","name":"Main","messageId":"m2","anonymousId":"a","timestamp":1756720800}

{"type":"track","event":"Order Completed","messageId":"m3","userId":"u","timestamp":1756720800000,"properties":{"revenue":"9.95"}}
{"type":"identify","messageId":"m4","userId":"u","traits":{"plan":"pro"},"originalTimestamp":"2025-09-01T12:00:00+02:00"}
{"type":"group","messageId":"m5","userId":"u","groupId":"acme","timestamp":"2025-09-01T10:00:00Z","channel":"server"}
{"type":"alias","messageId":"m6","userId":"u","previousId":"v","timestamp":"2025-09-01T10:00:00Z","context":{"ip":"0.0.0.0"}}
`
	var sink memory
	l := importEvents(t, newEvents(&sink, NDJSON), text)
	if wanted := (Ledger{Lines: 7, Imported: 6, Skipped: map[string]int{"empty": 1}}); !reflect.DeepEqual(l, wanted) {
		t.Errorf("ledger %+v", l)
	}
	wantEvents(
		t, sink.events,
		want(1, event.Event{
			MessageID: "m1", Type: event.Page, Name: "Home", AnonymousID: "a", SentAt: sep1 + 7000, URL: "https://shop.example/?gclid=x",
			Host: "shop.example", Path: "/", Source: "google", Medium: "cpc", ClickID: "x", ClickIDType: "gclid",
			Channel: "Paid Search", ChannelReason: "click_id", Browser: "Chrome", BrowserVersion: "140", OS: "Linux", Device: "desktop",
			Context: `{"ip":"203.0.113.0"}`,
		}),
		want(2, event.Event{MessageID: "m2", Type: event.Screen, Name: "Main", AnonymousID: "a"}),
		want(4, event.Event{
			MessageID: "m3", Type: event.Track, Name: "Order Completed", UserID: "u", Value: 9_950_000, Currency: "EUR",
			Properties: `{"revenue":"9.95"}`,
		}),
		want(5, event.Event{MessageID: "m4", Type: event.Identify, UserID: "u", Traits: `{"plan":"pro"}`}),
		want(6, event.Event{MessageID: "m5", Type: event.Group, UserID: "u", AccountID: "acme"}),
		want(7, event.Event{MessageID: "m6", Type: event.Alias, UserID: "u", PreviousID: "v"}),
	)
}

// The same events as a table: in a spreadsheet's dialect, with columns of other names, and one that two fields take.
func TestImportRows(t *testing.T) {
	const text = "\uFEFFno,When,who,event,amount,traits,note,type,Channel,browser,is_bot,country,context\r\n" +
		`m1,2025-09-01T10:00:00Z,u,Order Completed,9.95,,"one, ""two""` + "\r\n" + `and three",,,,,,` + "\r\n" +
		`m2,1756720800,u,,,"{""plan"":""pro""}",,identify,,,,,` + "\r\n" +
		"\r\n" +
		`m3,1756720800000,u,Touchpoint,,,,,trade fairs,Lynx,0,AT,"{""userAgent"":""curl/8.0"",""ip"":""203.0.113.9""}"` + "\r\n"
	var sink memory
	v := newEvents(&sink, CSV)
	v.Map = map[string]string{"message_id": "no", "order_id": "no", "timestamp": "When", "user_id": "who", "value": "amount", "channel": "Channel"}
	v.Ignore = []string{"note", "absent"}
	l := importEvents(t, v, text)
	if wanted := (Ledger{Lines: 4, Imported: 3, Skipped: map[string]int{"empty": 1}}); !reflect.DeepEqual(l, wanted) {
		t.Errorf("ledger %+v", l)
	}
	wantEvents(
		t, sink.events,
		want(2, event.Event{
			MessageID: "m1", OrderID: "m1", Type: event.Track, Name: "Order Completed", UserID: "u", Value: 9_950_000, Currency: "EUR",
		}),
		want(4, event.Event{MessageID: "m2", OrderID: "m2", Type: event.Identify, UserID: "u", Traits: `{"plan":"pro"}`}),
		want(6, event.Event{
			MessageID: "m3", OrderID: "m3", Type: event.Track, Name: "Touchpoint", UserID: "u", Channel: "Trade Fairs",
			ChannelReason: "explicit", Browser: "Lynx", Country: "AT", Context: `{"ip":"203.0.113.0"}`,
		}),
	)
}

// A column that --map gives to another field is no longer that of its name.
func TestMapRenames(t *testing.T) {
	var sink memory
	v := newEvents(&sink, CSV)
	v.Map = map[string]string{"user_id": "account_id", "event": "type"}
	importEvents(t, v, "type,account_id,timestamp\nE,u,1756720800\n")
	sink.events[0].MessageID = ""
	wantEvents(t, sink.events, want(2, event.Event{Type: event.Track, Name: "E", UserID: "u"}))
}

func TestEveryLineIsAccountedFor(t *testing.T) {
	long := `{"type":"page","name":"` + strings.Repeat("x", decode.DefaultMaxEvent) + `"}`
	messages := `{"type":"page"}` + "\n{\n" + `{"type":"track"}` + "\n \n" + `{"type":"page"}` + "\n[]\n" + long + "\n" +
		`{"type":"page","messageId":"m"}` + "\n" + `{"type":"page","messageId":"m"}` + "\n" + strings.Repeat("x", maxLine+1) + "\n" +
		`{"type":"page","messageId":"n","context":{"page":{"url":"https://a.test/bad"}}}`
	rows := "type,url,message_id\npage,,\npage,,\npage,,m\n\npage,,m\npage\npage,,,\npa\"ge,,\ntrack,,\npage," + strings.Repeat("x", decode.DefaultMaxEvent) + ",\n" +
		strings.Repeat("y", maxLine+1) + "\n\"page,,\n" + strings.Repeat("page,,\n", 10_000) + "page\",,\npage,https://a.test/bad,"
	for name, c := range map[string]struct {
		format Format
		text   string
		want   string
	}{
		"messages": {NDJSON, messages, `11 lines = 3 imported + 1 already there + 1 skipped + 5 malformed + 1 rejected
skipped: empty 1
malformed: stdin: line 2 is refused: body is not JSON: unexpected end of JSON input at byte 1
malformed: stdin: line 3 is refused: event is required for track
malformed: stdin: line 6 is refused: message is an array; want an object
malformed: stdin: line 7 is 32793 bytes long; at most 32768 are taken
malformed: stdin: line 10 is longer than 64 KB
rejected: by the database, see table rejected; first stdin: line 11: it is bad
`},
		"rows": {CSV, rows, `10,014 lines = 10,003 imported + 1 already there + 1 skipped + 8 malformed + 1 rejected
skipped: empty 1
malformed: stdin: line 7 has 1 cells and the header 3
malformed: stdin: line 8 has 4 cells and the header 3
malformed: stdin: line 9 has a quote that is not closed within 64 KB
malformed: stdin: line 10 is refused: event is required for track
malformed: stdin: line 11 is 32774 bytes long; at most 32768 are taken
malformed: stdin: line 12 is longer than 64 KB
malformed: stdin: line 13 has a quote that is not closed within 64 KB
malformed: stdin: line 10014 has a quote that is not closed within 64 KB
rejected: by the database, see table rejected; first stdin: line 10015: it is bad
`},
	} {
		t.Run(name, func(t *testing.T) {
			sink := memory{refuse: "/bad"}
			l := importEvents(t, newEvents(&sink, c.format), c.text)
			if l.String() != c.want {
				t.Errorf("got\n%s\nwant\n%s", l.String(), c.want)
			}
			if len(sink.events) != l.Imported {
				t.Errorf("%d events", len(sink.events))
			}
		})
	}
}

func TestImportOfEventsAgainAddsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		format     Format
		head, line string
	}{
		"messages": {NDJSON, "", `{"type":"page","anonymousId":"a","timestamp":1756720800}` + "\n"},
		"rows":     {CSV, "type,anonymous_id,timestamp\n", "page,a,1756720800\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var sink memory
			v := newEvents(&sink, c.format)
			twice := c.head + c.line + c.line
			if first := importEvents(t, v, twice); first.Imported != 2 || first.AlreadyThere != 0 {
				t.Errorf("first: %+v", first)
			}
			for about, text := range map[string]string{
				"the same": twice, "line ends of Windows": strings.ReplaceAll(twice, "\n", "\r\n"), "compressed": string(gzipped(t, twice)),
			} {
				if again := importEvents(t, v, text); again.Imported != 0 || again.AlreadyThere != 2 {
					t.Errorf("%s: %+v", about, again)
				}
			}
			if third := importEvents(t, v, twice+c.line); third.Imported != 1 || third.AlreadyThere != 2 {
				t.Errorf("a third occurrence: %+v", third)
			}
		})
	}
}

// dying is a sink that ends the import at its n-th batch, with that stored or not.
type dying struct {
	memory
	left   int
	stored bool
}

var errKilled = errors.New("killed")

func (d *dying) Insert(ctx context.Context, events []event.Event) (int, []collector.RefusedEvent, error) {
	if d.left--; d.left == 0 {
		if d.stored {
			_, _, _ = d.memory.Insert(ctx, events)
		}
		return 0, nil, errKilled
	}
	return d.memory.Insert(ctx, events)
}

// Whatever the lines and wherever an import is cut short: after the next one everything is there once, in its order.
func TestImportThatWasCutShortIsCompletedByTheNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{
			`{"type":"page","anonymousId":"a"}`, `{"type":"page","anonymousId":"b"}`, `{"type":"page","messageId":"m"}`,
			`{"type":"page","messageId":"n","timestamp":1756720800}`, `{"type":"track"}`, `{`, "",
		}), 0, 60).Draw(t, "lines")
		text := `{"type":"page","messageId":"first"}` + "\n" + strings.Join(lines, "\n")
		var whole memory
		importEvents(t, newEvents(&whole, NDJSON), text)

		sink := dying{left: rapid.IntRange(1, 5).Draw(t, "batch"), stored: rapid.Bool().Draw(t, "stored")}
		v := newEvents(&sink, NDJSON)
		v.BatchSize = rapid.IntRange(1, 20).Draw(t, "size")
		v.Stdin = strings.NewReader(text)
		if _, err := v.Run(t.Context(), []string{"-"}); err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		sink.left = 0
		l := importEvents(t, v, text)
		if !reflect.DeepEqual(sink.events, whole.events) {
			t.Fatalf("got  %+v\nwant %+v", sink.events, whole.events)
		}
		if l.Lines != strings.Count(strings.TrimSuffix(text, "\n"), "\n")+1 ||
			l.Lines != l.Imported+l.AlreadyThere+l.Skipped["empty"]+len(l.Malformed)+l.MoreMalformed {
			t.Fatalf("%+v", l)
		}
	})
}

func TestImportOfEventsStopsBeforeInserting(t *testing.T) {
	good := write(t, "good.ndjson", []byte(`{"type":"page"}`))
	table := write(t, "good.csv", []byte("type\npage\n"))
	fields := strings.Join(decode.RowFields(), ", ")
	for name, c := range map[string]struct {
		change     func(*Events)
		file, text string
		want       string
	}{
		"unknown name":          {nil, "a.txt", "", "FILE: the name does not say what is in it; add --format ndjson or --format csv"},
		"an array":              {nil, "a.json", "[{\n}]\n", "FILE: not NDJSON, a message of the Segment spec a line (line 1 is refused: body is not JSON: unexpected end of JSON input at byte 2)"},
		"CSV under NDJSON":      {nil, "a.jsonl.gz", "type\npage\n", "FILE: not NDJSON, a message of the Segment spec a line (line 1 is refused: body is not JSON: invalid character 'y' in literal true (expecting 'r') at byte 2)"},
		"empty table":           {nil, "a.csv", "", "FILE: is empty; want a line that names the columns"},
		"no header's CSV":       {nil, "a.csv", "type,\"x\n", "FILE: line 1 has a quote that is not closed within 64 KB"},
		"broken header":         {nil, "a.csv", "type,x\"\"\n", "FILE: line 1 is no CSV: bare \" in non-quoted-field at byte 7; want the names of the columns"},
		"unknown columns":       {nil, "a.csv", "type,Customer,,notes\n", `FILE: no field is called "Customer", "", "notes"; say which one with --map FIELD=COLUMN, or leave the column out with --ignore COLUMN; fields are ` + fields},
		"a column of the table": {nil, "a.csv", "type,received_at\n", `FILE: no field is called "received_at"; say which one with --map FIELD=COLUMN, or leave the column out with --ignore COLUMN; fields are ` + fields},
		"two columns":           {nil, "a.csv", "type,type\n", `FILE: there are two columns "type"`},
		"mapped column missing": {func(v *Events) { v.Map = map[string]string{"user_id": "Who"} }, "a.csv", "type,who\n", `FILE: --map user_id=Who: there is no column "Who"; there are "type", "who"`},
		"field beside mapped":   {func(v *Events) { v.Map = map[string]string{"user_id": "who"} }, "a.csv", "user_id,who\n", `FILE: no field is called "user_id"; say which one with --map FIELD=COLUMN, or leave the column out with --ignore COLUMN; fields are ` + fields},
		"sink fails":            {func(v *Events) { v.Sink = &memory{fail: errKilled} }, "a.CSV", "type\npage\n", "insert: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			data := []byte(c.text)
			if strings.HasSuffix(c.file, ".gz") {
				data = gzipped(t, c.text)
			}
			file := write(t, c.file, data)
			var sink memory
			v := newEvents(&sink, "")
			files := []string{good, table, file}
			if c.change != nil {
				c.change(v)
				files = []string{good, file} // the table lacks what is mapped
			}
			l, err := v.Run(t.Context(), files)
			if err == nil || strings.Replace(err.Error(), file, "FILE", 1) != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if len(sink.events) > 0 || !reflect.DeepEqual(l, Ledger{}) {
				t.Errorf("%d events, %+v", len(sink.events), l)
			}
		})
	}
}

func TestMapWithoutATableIsAMistake(t *testing.T) {
	v := newEvents(&memory{}, "")
	v.Map = map[string]string{"user_id": "who"}
	_, err := v.Run(t.Context(), []string{write(t, "a.ndjson", nil)})
	if err == nil || err.Error() != "--map and --ignore are about columns, and none of the files is CSV" {
		t.Error(err)
	}
}

func TestFormatIsInTheName(t *testing.T) {
	for name, want := range map[string]Format{
		"a.ndjson": NDJSON, "a.jsonl.gz": NDJSON, "/x.csv/a.json.zst": NDJSON, "A.CSV.GZ": CSV, "a.csv": CSV, "a.gz": "", "-": "", "csv": "",
	} {
		for _, fallback := range []Format{"", NDJSON, CSV} {
			got, err := (&Events{Format: fallback}).formatOf(name)
			expected := want
			if want == "" {
				expected = fallback
			}
			if got != expected || (err != nil) != (expected == "") {
				t.Errorf("%s: %q, %v; want %q", name, got, err, expected)
			}
		}
	}
}

// A quote that a later line closes joins them, whatever they hold; cells come back as they were written.
func TestRecordsKeepCells(t *testing.T) {
	cell := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", ",", `"`, "\n", "ü", " "}), 0, 8).Draw(t, "cell"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		table := rapid.SliceOfN(rapid.SliceOfN(cell, 2, 2), 0, 20).Draw(t, "table")
		var text strings.Builder
		for _, row := range table {
			for i, c := range row {
				text.WriteString([]string{"", ","}[i] + `"` + strings.ReplaceAll(c, `"`, `""`) + `"`)
			}
			text.WriteString("\n")
		}
		src, err := openSource("-", strings.NewReader(text.String()), func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		in := &records{src: src}
		line := 1
		for i, row := range table {
			record, err := in.Next()
			if err != nil || in.Line() != line {
				t.Fatalf("row %d: %v at line %d, want %d", i, err, in.Line(), line)
			}
			cells, err := split(record)
			if err != nil || !reflect.DeepEqual(cells, row) {
				t.Fatalf("row %d: got %q, %v; want %q", i, cells, err, row)
			}
			line += 1 + strings.Count(row[0]+row[1], "\n")
		}
		if record, err := in.Next(); err == nil {
			t.Fatalf("one more: %q", record)
		}
	})
}

// FuzzEvents holds that every line of any file is accounted for and that a repeated import adds nothing.
func FuzzEvents(f *testing.F) {
	f.Add(false, `{"type":"page","anonymousId":"a"}`+"\n"+`{"type":"page","anonymousId":"a"}`+"\n[]\n\n")
	f.Add(true, "type,event,value,properties\ntrack,E,1.5,\"{\"\"a\"\":\n1}\"\n\"\n,,,\npage\n")
	f.Add(true, "\uFEFFtype,\"event\"\r\npage,\"\r\n")
	f.Fuzz(func(t *testing.T, csv bool, text string) {
		format := NDJSON
		if csv {
			format = CSV
		}
		var sink memory
		v := newEvents(&sink, format)
		var ledgers [2]Ledger
		for i := range ledgers {
			v.Stdin = strings.NewReader(text)
			l, err := v.Run(t.Context(), []string{"-"})
			if err != nil {
				if !strings.HasPrefix(err.Error(), "stdin: ") || len(sink.events) > 0 && l.Lines == 0 {
					t.Fatal(err)
				}
				return
			}
			if l.Lines != l.Imported+l.AlreadyThere+l.Skipped["empty"]+len(l.Malformed)+l.MoreMalformed {
				t.Fatalf("%+v", l)
			}
			ledgers[i] = l
		}
		first, second := ledgers[0], ledgers[1]
		if second.Imported != 0 || second.AlreadyThere != first.Imported+first.AlreadyThere || len(sink.events) != first.Imported {
			t.Fatalf("first %+v\nsecond %+v", first, second)
		}
		seq := uint32(0)
		for i := range sink.events {
			if err := sink.events[i].Validate(); err != nil || sink.events[i].Seq <= seq {
				t.Fatal(fmt.Sprint(err, sink.events[i]))
			}
			seq = sink.events[i].Seq
		}
	})
}
