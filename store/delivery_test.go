package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/batch"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

// poison makes the server refuse events that are called poison, until the test ends.
func poison(t *testing.T, db *store.DB) {
	t.Helper()
	run(t, db, "ALTER TABLE events_raw ADD CONSTRAINT no_poison CHECK event != 'poison'")
	t.Cleanup(func() {
		if err := db.Conn().Exec(context.Background(), "ALTER TABLE events_raw DROP CONSTRAINT no_poison"); err != nil {
			t.Error(err)
		}
	})
}

// booked is the ledger of one project, reasons and all, as "collector outcome reason events".
func booked(t *testing.T, db *store.DB, project string) []string {
	t.Helper()
	all, err := db.Ledger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, b := range all {
		if b.Project == project {
			list = append(list, fmt.Sprintf("%s %s %s %d", b.Collector, b.Outcome, b.Reason, b.Events))
		}
	}
	return list
}

func wantBooked(t *testing.T, db *store.DB, project string, want ...string) {
	t.Helper()
	if got := booked(t, db, project); !reflect.DeepEqual(got, want) {
		t.Errorf("ledger of %s is %q, want %q", project, got, want)
	}
}

func TestInsertSaysThatRowsAreRefused(t *testing.T) {
	db := storetest.Open(t)
	poison(t, db)
	const project = "refused rows"
	in := db.NewInserter()
	defer in.Close()
	good, bad := event.Event{Project: project, MessageID: "good"}, event.Event{Project: project, MessageID: "bad", Name: "poison"}
	err := in.Insert(t.Context(), project, event.Records([]event.Event{good, bad}))
	var refused *collector.RefusedError
	if !errors.As(err, &refused) || refused.Reason != "VIOLATED_CONSTRAINT" ||
		!strings.Contains(refused.Detail, "(469)") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want a line that blames the rows", err)
	}
	if n := rawRows(t, db, project); n != 0 {
		t.Errorf("%d rows of a refused insert", n)
	}
	if err := in.Insert(t.Context(), project, event.Records([]event.Event{good})); err != nil {
		t.Errorf("after a refusal, the same token: %v", err)
	}
	wantStored(t, db, project, good)
}

func TestOnlyErrorsOfDataBlameTheRows(t *testing.T) {
	for code, blames := range map[int]bool{
		6: true, 27: true, 38: true, 41: true, 53: true, 69: true, 70: true, 72: true, 117: true, 131: true, 321: true, 407: true, 469: true,
		3: false, 16: false, 33: false, 60: false, 62: false, 81: false, 159: false, 164: false, 202: false, 209: false, 210: false,
		241: false, 242: false, 243: false, 252: false, 285: false, 319: false, 497: false, 516: false, 999: false, 1002: false,
	} {
		err := fmt.Errorf("insert: %w", &ch.Exception{Code: proto.Error(code), Message: "m"})
		if got := store.Refusal(err) != nil; got != blames {
			t.Errorf("code %d blames the rows: %v, want %v", code, got, blames)
		}
	}
	if err := store.Refusal(context.DeadlineExceeded); err != nil {
		t.Errorf("a time-out blames the rows: %v", err)
	}
}

func TestUnknownTableIsNoRefusal(t *testing.T) {
	db := storetest.Open(t)
	in := db.NewInserter()
	defer in.Close()
	run(t, db, "RENAME TABLE events_raw TO events_gone")
	err := in.Insert(t.Context(), "unknown table", event.Records([]event.Event{{Project: "unknown table"}}))
	run(t, db, "RENAME TABLE events_gone TO events_raw")
	if refused := (*collector.RefusedError)(nil); err == nil || errors.As(err, &refused) {
		t.Errorf("%v, want an error that blames no row", err)
	}
}

// utf8Event is e with texts that JSON can hold.
func utf8Event(e event.Event) event.Event {
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.String {
			v.Field(i).SetString(strings.ToValidUTF8(v.Field(i).String(), ""))
		}
	}
	return e
}

// What was rejected holds all that the event was, so that it can be brought in.
func TestRejectedEventCanBeReplayed(t *testing.T) {
	db := storetest.Open(t)
	const project = "replayed"
	e := utf8Event(filled(t, project, 1))
	e.Project = project
	later := e
	later.ReceivedAt += 1000
	in := db.NewInserter()
	defer in.Close()
	for token, refused := range map[string]*event.Event{"replayed 1": &later, "replayed 2": &e} {
		list := []collector.RefusedEvent{{Event: refused, Reason: "TOO_BAD", Detail: "it's bad"}}
		for range 2 {
			if err := in.Reject(t.Context(), token, list); err != nil {
				t.Fatal(err)
			}
		}
	}
	where := clickhouse.Named("project", project)
	if n := column[uint64](t, db, "SELECT count() FROM rejected_raw WHERE project = {project:String}", where); n[0] > 2 {
		t.Errorf("%d rows, want one for each token", n[0])
	}
	rows := column[string](t, db, `SELECT concat(message_id, '|', reason, '|', detail, '|', refused_by, '|',
		toString(toUnixTimestamp64Milli(received_at)), '|', toString(size = length(payload)), '|', toString(rejected_at > now() - 600))
		FROM rejected WHERE project = {project:String}`, where)
	want := fmt.Sprintf("%s|TOO_BAD|it's bad|database|%d|true|1", e.MessageID, e.ReceivedAt)
	if len(rows) != 1 || strings.ReplaceAll(rows[0], "|1|1", "|true|1") != want {
		t.Errorf("rejected %q, want only the one received first: %q", rows, want)
	}
	payload := column[string](t, db, "SELECT payload FROM rejected WHERE project = {project:String}", where)[0]
	sum := sha256.Sum256([]byte(payload))
	if hash := column[string](t, db, "SELECT hash FROM rejected WHERE project = {project:String}", where)[0]; hash != hex.EncodeToString(sum[:]) {
		t.Errorf("hash %s of %s", hash, payload)
	}
	run(t, db, "INSERT INTO events_raw FORMAT JSONEachRow "+payload)
	wantStored(t, db, project, e)
}

func TestBookOncePerToken(t *testing.T) {
	db := storetest.Open(t)
	const project = "booked"
	in := db.NewInserter()
	in.Spool = "spool-7"
	defer in.Close()
	entries := []collector.Entry{
		{Project: project, Outcome: collector.Delivered, Events: 98},
		{Project: project, Outcome: collector.Refused, Reason: "TOO_BAD", Events: 2},
	}
	for range 3 {
		if err := in.Book(t.Context(), "spool-7:1.48-1.900", entries); err != nil {
			t.Fatal(err)
		}
	}
	// After the constraint was dropped the batch would pass whole; what was booked first stands.
	if err := in.Book(t.Context(), "spool-7:1.48-1.900", []collector.Entry{{Project: project, Outcome: collector.Delivered, Events: 100}}); err != nil {
		t.Fatal(err)
	}
	wantBooked(t, db, project, "spool-7 delivered  98", "spool-7 rejected TOO_BAD 2")
	if err := in.Book(t.Context(), "spool-7:1.900-1.1000", entries[:1]); err != nil {
		t.Fatal(err)
	}
	wantBooked(t, db, project, "spool-7 delivered  196", "spool-7 rejected TOO_BAD 2")
	if got := column[string](t, db, "SELECT batch FROM ledger WHERE project = 'booked' AND outcome = 'delivered' ORDER BY batch"); !reflect.DeepEqual(got, []string{"1.48-1.900", "1.900-1.1000"}) {
		t.Errorf("batches %q", got)
	}
}

// A token is remembered for as many inserts as the window holds. Beyond them a repeat is stored once more, and every
// view shows it once all the same.
func TestRepeatWithinAndBeyondTheDeduplicationWindow(t *testing.T) {
	db := storetest.Open(t)
	const window = 5
	remember := func(window int, merges string) {
		for _, table := range []string{"events_raw", "ledger_raw", "rejected_raw"} {
			run(t, db, fmt.Sprintf("ALTER TABLE %s MODIFY SETTING non_replicated_deduplication_window = %d", table, window))
			run(t, db, "SYSTEM "+merges+" MERGES "+table)
		}
	}
	remember(window, "STOP")
	defer remember(10_000, "START")
	const project, others = "window", "window others"
	in := db.NewInserter()
	defer in.Close()
	deliver := func(project, token string) {
		t.Helper()
		e := event.Event{Project: project, MessageID: token}
		entries := []collector.Entry{{Project: project, Outcome: collector.Delivered, Events: 1}}
		err := errors.Join(
			in.Insert(t.Context(), token, event.Records([]event.Event{e})),
			in.Reject(t.Context(), token, []collector.RefusedEvent{{Event: &e, Reason: "R"}}),
			in.Book(t.Context(), token, entries),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	counts := func() string {
		var list []string
		for _, table := range []string{"events_raw", "events", "ledger_raw", "ledger", "rejected_raw", "rejected"} {
			n := column[uint64](t, db, "SELECT count() FROM "+table+" WHERE project = 'window'")
			list = append(list, fmt.Sprint(table, " ", n[0]))
		}
		return strings.Join(list, ", ")
	}
	deliver(project, "window 0")
	for i := range window - 1 {
		deliver(others, fmt.Sprint("others ", i))
	}
	deliver(project, "window 0")
	if got, want := counts(), "events_raw 1, events 1, ledger_raw 1, ledger 1, rejected_raw 1, rejected 1"; got != want {
		t.Errorf("within the window: %s; want %s", got, want)
	}
	for i := range 2 * window {
		deliver(others, fmt.Sprint("more others ", i))
	}
	deliver(project, "window 0")
	if got, want := counts(), "events_raw 2, events 1, ledger_raw 2, ledger 1, rejected_raw 2, rejected 1"; got != want {
		t.Errorf("beyond the window: %s; want %s", got, want)
	}
	wantBooked(t, db, project, " delivered  1")
}

func TestImportsAreBooked(t *testing.T) {
	db := storetest.Open(t)
	const project = "import booked"
	im := db.NewImporter(project)
	defer im.Close()
	a, b, c := filled(t, project, 1), filled(t, project, 2), filled(t, project, 3)
	wantImported(t, im, 2, a, b)
	wantImported(t, im, 1, a, c)
	wantImported(t, im, 0, a, b) // all of them duplicates
	wantBooked(t, db, project, " imported  6")
}

func TestExpiredIsBookedOnce(t *testing.T) {
	db := storetest.Open(t)
	const project = "expired booked"
	before := time.UnixMilli(1_700_000_000_000)
	old := func(id string) event.Event {
		return event.Event{Project: project, MessageID: id, ReceivedAt: before.UnixMilli() - 1}
	}
	kept := old("kept")
	kept.ReceivedAt++
	in := db.NewInserter()
	defer in.Close()
	refused := old("refused")
	if err := in.Reject(t.Context(), project, []collector.RefusedEvent{{Event: &refused}}); err != nil {
		t.Fatal(err)
	}
	insert(t, db, old("a"), old("b"), kept)
	insert(t, db, old("a")) // a copy counts once
	expire := func() {
		t.Helper()
		if err := db.DeleteExpired(t.Context(), project, before); err != nil {
			t.Fatal(err)
		}
	}
	expire()
	expire()
	wantBooked(t, db, project, " expired  2")
	if n := column[uint64](t, db, "SELECT count() FROM rejected WHERE project = 'expired booked'"); n[0] != 0 {
		t.Errorf("%d refused events are past their time and there", n[0])
	}

	// A process killed between announcement and deletion: the next one does not count the events again.
	insert(t, db, old("c"))
	before = before.Add(time.Second)
	late := event.Event{Project: project, MessageID: "late", ReceivedAt: before.UnixMilli()}
	insert(t, db, late)
	run(t, db, fmt.Sprintf("INSERT INTO ledger_raw (project, outcome, batch, events) VALUES ('expired booked', 'expiring', '%d', 2)", before.UnixMilli()))
	wantBooked(t, db, project, " expired  2")
	before = before.Add(time.Second)
	expire()
	wantBooked(t, db, project, " expired  5")
	wantStored(t, db, project)
}

func TestActiveParts(t *testing.T) {
	db := storetest.Open(t)
	run(t, db, "SYSTEM STOP MERGES events_raw")
	defer run(t, db, "SYSTEM START MERGES events_raw")
	run(t, db, "OPTIMIZE TABLE ledger_raw FINAL")
	before, err := db.ActiveParts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range before + 3 { // one partition has now the most
		insert(t, db, event.Event{Project: "parts", MessageID: fmt.Sprint(i), ClientDay: 12_345})
	}
	if n, err := db.ActiveParts(t.Context()); err != nil || n < before+3 {
		t.Errorf("%d parts, %v; there were %d before %d inserts", n, err, before, before+3)
	}
	run(t, db, "ALTER TABLE events_raw DROP PARTITION 200310")
}

// once is a queue of one batch.
type once struct {
	records [][]byte
	done    bool
}

func (q *once) Next(ctx context.Context) ([][]byte, string, error) {
	if q.done {
		<-ctx.Done()
		return nil, "", ctx.Err()
	}
	return q.records, "spool:1.48-1.99", nil
}

func (q *once) Commit() error { q.done = true; return nil }

func (q *once) Pending() uint64 {
	if q.done {
		return 0
	}
	return uint64(len(q.records))
}

// The whole of it on the real engine: poisoned rows are found, kept and booked, the rest passes, and a batch that comes
// again after a crash changes nothing.
func TestPoisonedBatch(t *testing.T) {
	db := storetest.Open(t)
	poison(t, db)
	const project = "poisoned"
	var records [][]byte
	var want []event.Event
	bad := map[int]bool{0: true, 17: true, 18: true, 99: true}
	for i := range 100 {
		e := event.Event{Project: project, MessageID: fmt.Sprintf("%02d", i), ClientDay: int32(19_000 + 40*(i%2))} //nolint:gosec // small
		if bad[i] {
			e.Name = "poison"
		} else {
			want = append(want, e)
		}
		record, _ := e.AppendBinary([]byte{collector.RecordEvent})
		records = append(records, record)
	}
	drained := make(chan struct{})
	close(drained)
	for range 2 {
		in := db.NewInserter()
		in.Spool = "spool"
		d := batch.Deliverer{Queue: &once{records: records}, Inserter: in, Log: slog.New(slog.DiscardHandler)}
		if err := d.Run(t.Context(), drained); err != nil {
			t.Fatal(err)
		}
		in.Close()
		wantStored(t, db, project, want...)
		if n := rawRows(t, db, project); n != 96 {
			t.Errorf("%d rows, want 96", n)
		}
		ids := column[string](t, db, "SELECT concat(message_id, ' ', reason) FROM rejected WHERE project = 'poisoned' ORDER BY message_id")
		if got, want := strings.Join(ids, ", "), "00 VIOLATED_CONSTRAINT, 17 VIOLATED_CONSTRAINT, 18 VIOLATED_CONSTRAINT, 99 VIOLATED_CONSTRAINT"; got != want {
			t.Errorf("rejected %s, want %s", got, want)
		}
		wantBooked(t, db, project, "spool delivered  96", "spool rejected VIOLATED_CONSTRAINT 4")
	}
}
