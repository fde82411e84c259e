package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/datadir"
	"github.com/touchline-hq/touchline/store/embedded"
)

// account is what must be in the books of a collector, worked out from the answers it gave.
type account struct {
	t  *testing.T
	in *instance.Installation

	here, elsewhere, imported int
	copies                    map[string]int    // of messages that were taken, by id
	refused                   map[string]int    // by reason, less what was replayed
	listed                    map[string]string // reasons of refused messages that have an id
}

// take notes messages that were acknowledged.
func (a *account) take(ids ...string) {
	a.here += len(ids)
	for _, id := range ids {
		a.copies[id]++
	}
}

// refuse notes messages with these ids, or "" for one without, as refused.
func (a *account) refuse(reason string, ids ...string) {
	a.here += len(ids)
	a.refused[reason] += len(ids)
	for _, id := range ids {
		if id != "" {
			a.listed[id] = reason
		}
	}
}

// replayed notes that all messages that were refused for a reason have been brought in.
func (a *account) replayed(reason string) {
	for id, r := range a.listed {
		if r == reason {
			delete(a.listed, id)
			a.copies[id]++
			a.refused[reason]--
		}
	}
}

// books are what doctor must print.
func (a *account) books(pending int) string {
	copies, rejected, refused := 0, "", 0
	for _, n := range a.copies {
		copies += n
	}
	for _, reason := range slices.Sorted(maps.Keys(a.refused)) {
		if n := a.refused[reason]; n > 0 {
			refused += n
			rejected += fmt.Sprintf("+ rejected %d %s\n", n, reason)
		}
	}
	received := a.here + a.elsewhere + a.imported
	if sum := copies + refused + pending; sum != received {
		a.t.Fatalf("the test itself does not add up: %d received, %d are somewhere", received, sum)
	}
	return fmt.Sprintf("received %d %d by this collector, %d by others, %d imported\n= stored %d each message once\n+ duplicate %d\n%s+ pending %d\n+ expired 0",
		received, a.here, a.elsewhere, a.imported, len(a.copies), copies-len(a.copies), rejected, pending)
}

// settle waits until the books are as they must be, and no batch is on its way whose answer could be cut off.
func (a *account) settle() {
	a.t.Helper()
	instance.Eventually(a.t, "everything is in the books", func() error { return examined(a.t, a.in, 0, a.books(0)) })
	instance.Eventually(a.t, "the last batch is given up", func() error { return a.lacks("touchline_spool_pending_events 0") })
}

// lacks is an error for the first line that is not in the metrics.
func (a *account) lacks(lines ...string) error {
	text := scrape(a.t, a.in) + "\n"
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			ours := regexp.MustCompile("(?m)^touchline_(events|ledger|spool).*$").FindAllString(text, -1)
			return fmt.Errorf("metrics lack %s in\n%s", line, strings.Join(ours, "\n"))
		}
	}
	return nil
}

// audit compares the tables, message by message.
func (a *account) audit() {
	a.t.Helper()
	if err := stored(a.t, a.in, "events", slices.Collect(maps.Keys(a.copies))); err != nil {
		a.t.Error(err)
	}
	var want []string
	for id, reason := range a.listed {
		want = append(want, id+","+reason)
	}
	out := output(a.t, a.in, "sql", "SELECT message_id, reason FROM rejected WHERE message_id != '' AND replayed_at = toDateTime64(0, 3, 'UTC') AND project = 'shop'")
	got := strings.Split(strings.TrimSpace(out), "\n")[1:]
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		sameSet(a.t, got, want)
	}
}

// metered compares the metrics of a process, which has seen all there is, with the account.
func (a *account) metered(accepted int) {
	a.t.Helper()
	wanted := []string{fmt.Sprintf(`touchline_events_total{outcome="accepted",project="shop",reason=""} %d`, accepted)}
	for reason, n := range a.refused {
		if reason != "VIOLATED_CONSTRAINT" && reason != "invalid event" { // the flood's
			wanted = append(wanted, fmt.Sprintf(`touchline_events_total{outcome="rejected",project="shop",reason=%q} %d`, reason, n))
		}
		if reason != "invalid event" {
			wanted = append(wanted, fmt.Sprintf(`touchline_ledger_events_total{outcome="rejected",project="shop",reason=%q} %d`, reason, n))
		}
	}
	instance.Eventually(a.t, "the metrics agree", func() error { return a.lacks(wanted...) })
}

// exactSettings are those of one collector; a server's DSN may be named.
func exactSettings(t *testing.T, in *instance.Installation, dsn, maxEvent string) {
	t.Helper()
	writeFile(t, in.Config, fmt.Sprintf(`collector: { listen: %q, admin: "127.0.0.1:0", cookie: { name: tl }, limits: { event: %s } }
clickhouse: { dsn: %q }
projects:
  - { id: shop, write_keys: [wk_shop], origins: ["https://shop.example"], link_secret: 0123456789abcdef0123456789abcdef, privacy: { mode: full } }
  - { id: flood, write_keys: [wk_flood], privacy: { mode: full } }
  - { id: slow, write_keys: [wk_slow], privacy: { mode: full }, rate_limit: { events: 1, burst: 1 } }
`, in.Addr, maxEvent, dsn)+strings.TrimPrefix(withGeo(t), oneProject))
}

// connect connects to the engine of whichever process has it, and returns how others reach it.
func connect(ctx context.Context, in *instance.Installation) (db *store.DB, dsn string, err error) {
	running, ok, err := datadir.FindInstance(in.Dir)
	if err == nil && (!ok || running.Addr == "") {
		err = errors.New("no process has an engine")
	}
	if err != nil {
		return nil, "", err
	}
	product, analyst, err := embedded.ReadCredentials(in.Dir)
	if err != nil {
		return nil, "", err
	}
	db, err = store.Open(ctx, store.EngineTarget(running.Addr, product, analyst))
	return db, fmt.Sprintf("clickhouse://%s:%s@%s", product.User, product.Password, running.Addr), err
}

// alter changes a table of a running instance, and returns how others reach its engine.
func alter(t *testing.T, in *instance.Installation, statement string) (dsn string) {
	t.Helper()
	db, dsn, err := connect(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Conn().Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return dsn
}

const asShop, basicShop = "Authorization", "Basic d2tfc2hvcDo="

func batchOf(members string, messages ...string) string {
	return `{"writeKey":"wk_shop",` + members + `"batch":[` + strings.Join(messages, ",") + `]}`
}

func track(id, name string) string {
	return fmt.Sprintf(`{"type":"track","messageId":%q,"event":%q,"anonymousId":"d"}`, id, name)
}

// TestTheBooksAreExact sends everything that can be sent, kills everything that can be killed, and then counts.
func TestTheBooksAreExact(t *testing.T) {
	in := newInstallation(t, oneProject)
	exactSettings(t, in, "", "1KB")
	a := &account{t: t, in: in, copies: map[string]int{}, refused: map[string]int{}, listed: map[string]string{}}
	up := in.Up(t)
	dsn := alter(t, in, "ALTER TABLE events_raw ADD CONSTRAINT no_poison CHECK event != 'poison'")
	a.requests()
	a.oversized(1100)
	a.pixelsAndClicks()
	a.visitors()
	a.overRate()
	a.flood(5)
	a.settle()
	accepted := 0
	for _, n := range a.copies {
		accepted += n
	}
	a.metered(accepted - 1 + 3) // slow is another project; poison was accepted
	a.otherCollector(dsn)
	a.imports()
	a.settle()
	a.audit()

	up = a.kills(up)
	output(t, in, "rejected", "replay", "--project", "shop") // nothing is mended
	a.settle()
	a.audit()
	alter(t, in, "ALTER TABLE events_raw DROP CONSTRAINT no_poison")
	exactSettings(t, in, "", "4KB")
	a.killed("", "rejected", "replay")
	up.Signal(t, syscall.SIGTERM)
	if code := up.Wait(t); code != 0 {
		t.Fatalf("up ended with %d: %s", code, up.Stderr(t))
	}
	a.killed("", "rejected", "replay")
	instance.Eventually(t, "the engine ends", func() error { return in.NoEngine(t) })
	output(t, in, "rejected", "replay", "--project", "shop")
	a.replayed("too large")
	a.replayed("VIOLATED_CONSTRAINT")
	wantExamined(t, in, 0, a.books(0))
	if got := output(t, in, "sql", "SELECT length(properties) FROM events WHERE message_id = 'large 0000'"); got != "length(properties)\n0\n" {
		t.Errorf("what was accepted first has given way to what was replayed: %s", got)
	}
	in.Up(t)
	again := strings.Join(strings.Fields(output(t, in, "rejected", "replay", "--project", "shop")), " ")
	if !strings.HasPrefix(again, "replayed 0 ") {
		t.Errorf("the last replay says %s", again)
	}
	a.settle()
	a.audit()
}

// requests sends batches that are refused in part, and requests that are refused whole.
func (a *account) requests() {
	t, in := a.t, a.in
	body := batchOf("", track("good 1", "E"), `{"type":"track","messageId":"nameless"}`, track("poison 1", "poison"), "5", track("good 2", "E"), track("poison 2", "poison"))
	post(t, in, "/v1/batch", body, http.StatusOK)
	a.take("good 1", "good 2")
	a.refuse("VIOLATED_CONSTRAINT", "poison 1", "poison 2")
	a.refuse("invalid event", "nameless")
	a.refuse("invalid message", "")
	post(t, in, "/v1/track", `{"writeKey":"wk_shop","messageId":"nameless too"}`, http.StatusBadRequest)
	a.refuse("invalid event", "nameless too")
	post(t, in, "/v1/batch", track("poison 3", "poison"), http.StatusBadRequest) // whose it is nobody knows
	post(t, in, "/v1/track", `{"writeKey":"wk_shop","messageId":"poison 3","event":"poison"}`, http.StatusOK)
	a.refuse("VIOLATED_CONSTRAINT", "poison 3")

	post(t, in, "/v1/batch", "{", http.StatusBadRequest, asShop, basicShop)
	a.refuse("malformed", "")
	post(t, in, "/v1/batch", "gzip?", http.StatusBadRequest, asShop, basicShop, "Content-Encoding", "gzip")
	a.refuse("malformed", "")
	post(t, in, "/v1/batch", strings.Repeat(" ", 600<<10), http.StatusRequestEntityTooLarge, asShop, basicShop)
	a.refuse("too large", "")
	post(t, in, "/v1/batch", "{ }", http.StatusForbidden, asShop, basicShop, "Origin", "https://evil.example")
	a.refuse("forbidden origin", "")
	post(t, in, "/v1/batch", "[]", http.StatusUnsupportedMediaType, asShop, basicShop, "Content-Encoding", "lzma")
	a.refuse("unknown encoding", "")
	post(t, in, "/v1/batch", body, http.StatusUnauthorized, asShop, "Basic d2tfbm9uZTo=")
}

// oversized sends messages that are too large until the limit is raised.
func (a *account) oversized(n int) {
	for ids := range slices.Chunk(messageIDs("large", n), 300) {
		var messages []string
		for _, id := range ids {
			messages = append(messages, fmt.Sprintf(`{"type":"page","messageId":%q,"anonymousId":"d","properties":{"a":%q}}`, id, strings.Repeat("a", 1100)))
		}
		post(a.t, a.in, "/v1/batch", batchOf("", messages...), http.StatusBadRequest)
		a.refuse("too large", ids...)
	}
	post(a.t, a.in, "/v1/page", `{"writeKey":"wk_shop","messageId":"large 0000","anonymousId":"d"}`, http.StatusOK)
	a.take("large 0000")
}

// fetch follows no redirect.
func (a *account) fetch(request *http.Request) (status int, header http.Header) {
	a.t.Helper()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close() // headers say it all
	return response.StatusCode, response.Header
}

func (a *account) get(path string) (status int, header http.Header) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, "http://"+a.in.Addr+path, http.NoBody)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.fetch(request)
}

func (a *account) pixelsAndClicks() {
	for path, why := range map[string]string{
		"/p.gif?k=wk_shop&e=page&mid=pixel+1":                                      "",
		"/p.gif?k=wk_shop&e=Opened&mid=pixel+2":                                    "",
		"/v1/pixel/page?data=eyJ3cml0ZUtleSI6Indrb19zaG9wIn0":                      "unknown",
		"/v1/pixel/group?data=eyJ3cml0ZUtleSI6IndrX3Nob3AiLCJtZXNzYWdlSWQiOiJkIn0": "groupId",
		"/p.gif?k=wk_shop&uid=u":                                                   "e is missing",
	} {
		_, header := a.get(path)
		if said := header.Get("X-Touchline-Rejected"); (said == "") != (why == "") || !strings.Contains(said, why) {
			a.t.Errorf("%s: %q, want %q", path, said, why)
		}
	}
	a.take("pixel 1", "pixel 2")
	a.refuse("invalid groupId", "d")
	a.refuse("invalid e", "")
	link := strings.TrimSpace(output(a.t, a.in, "link", "--project", "shop", "--to", "https://shop.example/sale", "--uid", "ann"))
	_, token, _ := strings.Cut(link, "/r/")
	for range 2 { // two clicks
		_, header := a.get("/r/" + token)
		location, err := url.Parse(header.Get("Location"))
		if err != nil {
			a.t.Fatal(err)
		}
		a.take(location.Query().Get(collector.TouchParameter))
	}
	if got, _ := a.get("/r/" + token + "x"); got != http.StatusBadRequest {
		a.t.Errorf("an altered link is answered %d", got)
	}
}

// visitors repeat themselves: without and with the cookie they were given, with another sentAt.
func (a *account) visitors() {
	const messages = `{"type":"page","messageId":"visitor"},{"type":"page","properties":{"n":1}}`
	decoded, err := (&decode.Decoder{}).Batch([]byte(batchOf("", messages)), collector.Request{})
	if err != nil {
		a.t.Fatal(err)
	}
	cookie := ""
	for _, body := range []string{batchOf("", messages), batchOf("", messages), batchOf(`"sentAt":"2026-01-01T00:00:00Z",`, messages)} {
		request, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, "http://"+a.in.Addr+"/v1/batch", strings.NewReader(body))
		if err != nil {
			a.t.Fatal(err)
		}
		request.Header = http.Header{"Sec-Fetch-Site": {"same-origin"}, "Cookie": {cookie}}
		status, header := a.fetch(request)
		cookie, _, _ = strings.Cut(header.Get("Set-Cookie"), ";")
		if status != http.StatusOK || !strings.HasPrefix(cookie, "tl=") {
			a.t.Fatalf("status %d, cookie %q", status, cookie)
		}
		a.take(decoded.Messages[0].Event.MessageID, decoded.Messages[1].Event.MessageID)
	}
	objection := batchOf("", track("objector", "E"))
	for range 2 {
		post(a.t, a.in, "/v1/batch", objection, http.StatusOK, "Sec-GPC", "1")
		a.take("objector")
	}
}

func (a *account) overRate() {
	body := strings.Replace(batchOf("", track("slow", "E"), track("poison", "E")), "wk_shop", "wk_slow", 1)
	post(a.t, a.in, "/v1/track", `{"writeKey":"wk_slow","messageId":"slow","event":"E"}`, http.StatusOK)
	a.take("slow")
	post(a.t, a.in, "/v1/batch", strings.Repeat(" ", 9)+body, http.StatusTooManyRequests)
}

// flood sends more garbage than is kept.
func (a *account) flood(requests int) {
	body := `{"writeKey":"wk_flood","batch":[` + strings.Repeat(`{"type":"track"},`, 4999) + `{"type":"track"}]}`
	for range requests {
		post(a.t, a.in, "/v1/batch", body, http.StatusBadRequest)
		a.refuse("invalid event", make([]string, 5000)...)
	}
}

// otherCollector sends through a second collector what the first one has had.
func (a *account) otherCollector(dsn string) {
	other := newInstallation(a.t, oneProject)
	exactSettings(a.t, other, dsn, "1KB")
	up := other.Up(a.t)
	post(a.t, other, "/v1/batch", batchOf(`"sentAt":"2026-01-01T00:00:00Z",`, track("good 1", "E"), track("elsewhere", "E"), track("poison 2", "poison"), "5.5"), http.StatusOK)
	up.Signal(a.t, syscall.SIGTERM)
	if code := up.Wait(a.t); code != 0 {
		a.t.Fatalf("up ended with %d: %s", code, up.Stderr(a.t))
	}
	a.take("good 1", "elsewhere")
	a.refuse("VIOLATED_CONSTRAINT", "poison 2")
	a.refuse("invalid message", "")
	a.here -= 4
	a.elsewhere += 4
}

// imports kills an import after its first batch, then imports everything twice.
func (a *account) imports() {
	ids := messageIDs("imported", 10_500) // a batch and some
	var lines strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&lines, `{"type":"page","messageId":%q,"userId":"u","timestamp":"2026-01-02T10:00:00Z"}`+"\n", id)
	}
	a.killed(lines.String(), "import", "events", "-", "--format", "ndjson")
	booked := strings.Fields(output(a.t, a.in, "sql", "SELECT sum(events) FROM ledger WHERE outcome = 'imported'"))[1]
	if booked != "0" { // it may have come to that
		a.notes(ids[:10_000])
	}
	dir := a.t.TempDir()
	messages, table := filepath.Join(dir, "a.ndjson"), filepath.Join(dir, "b.csv")
	writeFile(a.t, messages, lines.String())
	writeFile(a.t, table, "message_id,event,user_id\nrow 1,E,u\nrow 2,poison,u\nrow 3,E,u\nrow 4,poison,u\n")
	for range 2 {
		output(a.t, a.in, "import", "events", messages, table, "--project", "shop")
		a.notes(ids)
		a.notes([]string{"row 1", "row 3"})
		a.refuse("VIOLATED_CONSTRAINT", "row 2", "row 4")
		a.here -= 2
		a.imported += 2
	}
}

// notes is take for an import.
func (a *account) notes(ids []string) {
	a.take(ids...)
	a.here -= len(ids)
	a.imported += len(ids)
}

// killed runs a command that gets this input and no end of it, and kills it as soon as the engine has stored something.
func (a *account) killed(stdin string, args ...string) {
	a.t.Helper()
	parts := func() string {
		names, err := filepath.Glob(filepath.Join(a.in.Dir, "engine", "data", "data", "touchline", "events_raw", "[0-9]*_*_*_*"))
		if err != nil || len(names) == 0 {
			a.t.Fatalf("%d parts, %v", len(names), err)
		}
		return fmt.Sprint(names)
	}
	before := parts()
	cmd := exec.Command(os.Args[0], append(args, "--project", "shop", "--config", a.in.Config, "--data", a.in.Dir)...)
	cmd.Env = append(os.Environ(), runAsTouchline+"=1")
	input, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, err = io.WriteString(input, stdin)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	instance.Eventually(a.t, "something is stored", func() error {
		for range 100 {
			if parts() != before {
				return nil
			}
			time.Sleep(time.Millisecond)
		}
		return errors.New("the parts are what they were")
	})
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // it was killed
}

// kills kills the engine, then the collector with a batch on its way and another behind it.
func (a *account) kills(up *instance.Process) *instance.Process {
	t, in := a.t, a.in
	if err := syscall.Kill(in.Engine(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	part := func(name string) {
		post(t, in, "/v1/batch", batchOf("", track(name+" good", "E"), track(name+" poison", "poison"), fmt.Sprintf(`{"type":"track","messageId":"%s bad"}`, name)), http.StatusOK)
		a.take(name + " good")
		a.refuse("VIOLATED_CONSTRAINT", name+" poison")
		a.refuse("invalid event", name+" bad")
	}
	part("engine killed")
	a.settle()
	if said := up.Stderr(t); !strings.Contains(said, "engine is down") || strings.Contains(said, "'poison'") {
		t.Errorf("the log lacks the engine's end, or says what was sent: %s", said)
	}
	ids := messageIDs("frozen", 50)
	sendToFrozenEngine(t, in, ids)
	a.take(ids...)
	part("behind it")
	post(t, in, "/v1/batch", "{{", http.StatusBadRequest, asShop, basicShop)
	a.refuse("malformed", "")
	up.Kill(t)
	instance.Eventually(t, "the engine ends", func() error { return in.NoEngine(t) })
	up = in.Up(t)
	a.settle()
	post(t, in, "/v1/batch", "{{{", http.StatusBadRequest, asShop, basicShop) // alone in its batch
	a.refuse("malformed", "")
	a.settle()
	return up
}
