package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestInsertKeepsEveryField(t *testing.T) {
	db := storetest.Open(t)
	const project = `every 'field' \ ü`
	debit := event.Event{Project: project, MessageID: "Z", Value: -999_999_999_999_999_999} // the rest is zero
	want := []event.Event{filled(t, project, 1), filled(t, project, 2), debit}
	in := db.NewInserter()
	defer in.Close()
	for i, e := range want { // one by one, so that the columns are used again
		if err := in.Insert(t.Context(), fmt.Sprint(project, i), event.Records([]event.Event{e})); err != nil {
			t.Fatal(err)
		}
	}
	wantStored(t, db, project, want...)
	if n := rawRows(t, db, project); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
}

func TestInsertOncePerToken(t *testing.T) {
	db := storetest.Open(t)
	const project = "once per token"
	in := db.NewInserter()
	defer in.Close()
	a := event.Event{Project: project, MessageID: "a"}
	b := event.Event{Project: project, MessageID: "b", ClientDay: 19_000} // in another partition
	c := event.Event{Project: project, MessageID: "c"}
	for _, call := range []struct {
		token  string
		events []event.Event
	}{
		{project, []event.Event{a, b}},
		{project, []event.Event{a, b}},
		{project, []event.Event{c}},
	} {
		if err := in.Insert(t.Context(), call.token, event.Records(call.events)); err != nil {
			t.Fatal(err)
		}
	}
	if n := rawRows(t, db, project); n != 2 {
		t.Errorf("%d rows, want only those of the first call", n)
	}
	wantStored(t, db, project, a, b)
	if err := in.Insert(t.Context(), project+"2", event.Records([]event.Event{c})); err != nil {
		t.Fatal(err)
	}
	wantStored(t, db, project, a, b, c)
}

func rawRows(t *testing.T, db *store.DB, project string) uint64 {
	t.Helper()
	return column[uint64](t, db, "SELECT count() FROM events_raw WHERE project = {project:String}", clickhouse.Named("project", project))[0]
}

// Copies of a message meet, whatever the order they come in, and the one received first is kept.
func TestFirstReceiptWins(t *testing.T) {
	db := storetest.Open(t)
	run(t, db, "SYSTEM STOP MERGES events_raw")
	defer run(t, db, "SYSTEM START MERGES events_raw")
	copies := make([]event.Event, 3)
	for i := range copies {
		copies[i] = filled(t, "", i)
		copies[i].MessageID, copies[i].ClientDay, copies[i].ClientKey = "m", 19_000, 7
		copies[i].ReceivedAt = int64(1000 * (i + 1))
	}
	orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	name := func(order []int, way string) string { return fmt.Sprint("first receipt ", way, order) }
	for _, order := range orders {
		var together []event.Event
		for _, i := range order {
			e := copies[i]
			e.Project = name(order, "together")
			together = append(together, e)
			e.Project = name(order, "apart")
			insert(t, db, e)
		}
		insert(t, db, together...)
	}
	check := func(t *testing.T) {
		t.Helper()
		for _, order := range orders {
			for _, way := range []string{"together", "apart"} {
				want := copies[0]
				want.Project = name(order, way)
				wantStored(t, db, want.Project, want)
			}
		}
		// A copy that lost is not there for a filter that only it passes.
		lost := column[uint64](t, db, "SELECT count() FROM events WHERE startsWith(project, 'first receipt') AND timestamp > {first:DateTime64(3)}",
			clickhouse.Named("first", time.UnixMilli(copies[0].Timestamp)))
		if lost[0] != 0 {
			t.Errorf("%d copies that lost are found by their timestamp", lost[0])
		}
	}
	check(t)
	run(t, db, "SYSTEM START MERGES events_raw")
	run(t, db, "OPTIMIZE TABLE events_raw PARTITION 202201 FINAL")
	if n := rawRows(t, db, name(orders[0], "apart")); n != 1 {
		t.Fatalf("%d rows after merging, want 1", n)
	}
	check(t)
}

func TestProjectsStayApart(t *testing.T) {
	db := storetest.Open(t)
	a, b := filled(t, "apart a", 1), filled(t, "apart b", 1)
	b.Title = "other"
	insert(t, db, a, b)
	wantStored(t, db, "apart a", a)
	wantStored(t, db, "apart b", b)
}

// A month is a partition, and a server takes no more than a hundred of them at once unless told to.
func TestInsertOverManyMonths(t *testing.T) {
	db := storetest.Open(t)
	const project = "many months"
	start := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	events := []event.Event{{Project: project, MessageID: "without a time"}}
	var drop []string
	for month := range 100 {
		day := start.AddDate(0, month, 0)
		e := event.Event{Project: project, MessageID: day.String(), ClientTimestamp: day.UnixMilli()}
		e.SetStorageKey()
		events = append(events, e)
		drop = append(drop, "DROP PARTITION "+day.Format("200601"))
	}
	insert(t, db, events...)
	n := column[uint64](t, db, "SELECT uniqExact(toYYYYMM(client_day)) FROM events WHERE project = {project:String}", clickhouse.Named("project", project))
	if n[0] != 101 {
		t.Errorf("%d months, want 101", n[0])
	}
	run(t, db, "ALTER TABLE events_raw "+strings.Join(drop, ", ")) // other tests are slower with so many parts
}

func TestInsertSaysWhatFailed(t *testing.T) {
	db := storetest.Open(t)
	in := db.NewInserter()
	defer in.Close()
	events := []event.Event{{Project: "what failed"}, {Project: "what failed"}}
	run(t, db, "RENAME TABLE events_raw TO events_gone")
	err := in.Insert(t.Context(), "what failed", event.Records(events))
	run(t, db, "RENAME TABLE events_gone TO events_raw")
	if err == nil || !strings.HasPrefix(err.Error(), "insert 2 events: ") || !strings.Contains(err.Error(), "events_raw") {
		t.Errorf("%v, want the number of events and the reason", err)
	}
	if err := in.Insert(t.Context(), "what failed", event.Records(events)); err != nil {
		t.Errorf("after an error: %v", err)
	}
}

// relay stands between an inserter and the engine.
type relay struct {
	addr string
	sent atomic.Int64 // bytes of the clients
	deaf atomic.Int64 // bytes after which clients no longer get answers

	mu    sync.Mutex
	conns []net.Conn
}

func newRelay(t *testing.T, server string) *relay {
	t.Helper()
	r := &relay{}
	r.deaf.Store(1 << 60)
	r.addr = listen(t, func(client net.Conn) {
		engine, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer func() { _ = engine.Close() }()
		r.mu.Lock()
		r.conns = append(r.conns, client)
		r.mu.Unlock()
		go func() {
			_, _ = io.Copy(answers{client, r}, engine)
			_ = client.Close()
		}()
		_, _ = io.Copy(engine, io.TeeReader(client, requests{r}))
	})
	return r
}

// cut closes all connections.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		_ = conn.Close()
	}
	r.conns = nil
}

type requests struct{ *relay }

func (r requests) Write(p []byte) (int, error) {
	r.sent.Add(int64(len(p)))
	return len(p), nil
}

type answers struct {
	client io.Writer
	*relay
}

func (a answers) Write(p []byte) (int, error) {
	if a.sent.Load() > a.deaf.Load() {
		return len(p), nil
	}
	return a.client.Write(p)
}

func TestInsertReconnects(t *testing.T) {
	direct := storetest.Open(t)
	engine := storetest.Engine(t)
	r := newRelay(t, engine.Addr())
	db, err := store.Open(t.Context(), store.EngineTarget(r.addr, engine.Product(), engine.Analyst()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	in := db.NewInserter()
	defer in.Close()
	const project = "reconnects"
	insertOne := func(id string) error {
		return in.Insert(t.Context(), project+id, event.Records([]event.Event{{Project: project, MessageID: id, Context: strings.Repeat(id, 1<<16)}}))
	}
	if err := insertOne("a"); err != nil {
		t.Fatal(err)
	}

	in.Close()
	if err := insertOne("b"); err != nil {
		t.Errorf("after Close: %v", err)
	}

	r.cut() // between two inserts
	if err := insertOne("c"); err == nil {
		t.Error("no error over a connection that is cut")
	}
	if err := insertOne("c"); err != nil {
		t.Errorf("after the connection was cut: %v", err)
	}

	r.deaf.Store(r.sent.Load() + 1<<15) // hears that it may send, but not that it has been done
	done := make(chan error, 1)
	go func() { done <- insertOne("d") }()
	for rawRows(t, direct, project) < 4 {
		select {
		case err := <-done:
			t.Fatalf("insert ended before it was heard of: %v", err)
		default:
		}
	}
	r.cut()
	if err := <-done; err == nil {
		t.Error("no error though no answer came")
	}
	r.deaf.Store(1 << 60)
	if err := insertOne("d"); err != nil {
		t.Errorf("repeat after a lost answer: %v", err)
	}
	if n := rawRows(t, direct, project); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := in.Insert(ctx, "cancelled", event.Records([]event.Event{{Project: project}})); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
}

// An insert that is sent in several blocks is one insert to the server: one part in each partition, once per token.
func TestLargeInsertIsOne(t *testing.T) {
	db := storetest.Open(t)
	const project, rows, day = "large", 20_001, 40_000 // a month that no other test uses
	events := make([]event.Event, rows)
	for i := range events {
		events[i] = event.Event{Project: project, MessageID: fmt.Sprint(i), ClientDay: day}
	}
	in := db.NewInserter()
	defer in.Close()
	for range 2 {
		if err := in.Insert(t.Context(), project, event.Records(events)); err != nil {
			t.Fatal(err)
		}
	}
	if n := rawRows(t, db, project); n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	active := column[uint64](t, db, "SELECT rows FROM system.parts WHERE database = 'touchline' AND table = 'events_raw' AND active AND min_block_number = max_block_number AND partition = toString(toYYYYMM(toDate(40000)))")
	if len(active) != 1 || active[0] != rows {
		t.Errorf("parts of %v rows, want one of %d", active, rows)
	}
}
