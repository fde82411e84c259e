package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/embedded"
)

// engineMemory is enough for what is sent here.
const engineMemory = 2 << 30

// catchInserts starts the program with a relay before an engine of ours, kills at an insert each time, stops the engine
// once, and leaves the program down and the spool torn.
func (c *chaos) catchInserts(t *testing.T, kills int) {
	t.Helper()
	engine, err := embedded.Start(t.Context(), embedded.Options{Dir: c.in.Dir, MemoryLimit: engineMemory, Library: c.library})
	if err != nil {
		t.Fatal(err)
	}
	stop := func() { _ = engine.Stop(context.Background()) } // its only error is the context's
	t.Cleanup(stop)
	db, err := store.Open(t.Context(), store.EngineTarget(engine.Addr(), engine.Product(), engine.Analyst()))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // only read

	c.relay.lead(engine.Addr())
	release := c.relay.catch()
	user := engine.Product()
	dsn := url.URL{Scheme: "clickhouse", User: url.UserPassword(user.User, user.Password), Host: c.relay.addr()}
	c.in.SpoolLimit = ""
	c.in.Configure(t, fmt.Sprintf("clickhouse: { dsn: %q }\n", dsn.String())+project)
	c.up = c.in.Up(t)
	catcher := &catcher{chaos: c, db: db, repeats: make(map[string]bool)}
	for n := range kills {
		switch n % 5 {
		case 1, 3:
			catcher.killBetween(t, ledgerTable)
		case 4:
			catcher.killBefore(t)
		default:
			catcher.killBetween(t, eventsTable)
		}
	}
	release()
	c.stall(t)
	c.tear(t)
	stop()
}

// catcher kills at inserts.
type catcher struct {
	*chaos
	db      *store.DB
	repeats map[string]bool // the next insert into that table was there before and must leave nothing
}

// killBetween waits for an insert into table that leaves something, and kills while its answer, which nobody gets any
// more, is held back: the spool's position is not written then. The first insert into that table after it is a repeat.
func (c *catcher) killBetween(t *testing.T, table string) {
	t.Helper()
	for {
		caught := c.relay.next(t)
		position := c.in.Position(t)
		newest := c.newest(t, caught.table)
		caught.passData()
		leaves := c.ended(t, caught.table) > newest
		if leaves && c.repeats[caught.table] {
			t.Errorf("an insert into %s was not answered, and the next stored something: it must be a repeat that leaves nothing", caught.table)
		}
		c.repeats[caught.table] = false
		if leaves && caught.table == table {
			c.killUnanswered(t, caught, position)
			return
		}
		caught.passAnswer()
	}
}

func (c *catcher) killUnanswered(t *testing.T, caught *insert, position []byte) {
	t.Helper()
	who := []string{"collector", "collector", "engine", "collector and engine"}[c.rng.IntN(4)]
	if who != "engine" {
		c.up.Kill(t)
	}
	if who != "collector" {
		c.killEngine(t)
	}
	if bytes.Equal(position, c.in.Position(t)) {
		c.between++
	} else {
		t.Error("the spool's position was written before an insert was answered")
	}
	c.repeats[caught.table] = true
	c.repeats[eventsTable] = caught.table == eventsTable || who != "engine" // a collector that lives goes on where it was
	caught.drop()
	c.note(t, who+" between insert into "+caught.table+" and position")
	if who != "engine" {
		c.up = c.in.Start(t)
	}
}

// killBefore waits for a new batch and kills before any of it is inserted.
func (c *catcher) killBefore(t *testing.T) {
	t.Helper()
	for {
		caught := c.relay.next(t)
		if caught.table == eventsTable && !c.repeats[eventsTable] {
			c.up.Kill(t)
			caught.drop()
			c.note(t, "collector before an insert")
			c.up = c.in.Start(t)
			return
		}
		c.repeats[caught.table] = false
		caught.passData()
		caught.passAnswer()
	}
}

// newest is the number of the newest block of rows in a table. An insert that leaves nothing does not change it, nor
// does a merge.
func (c *catcher) newest(t *testing.T, table string) (number int64) {
	t.Helper()
	instance.Eventually(t, "the engine answers", func() error {
		return c.db.Conn().QueryRow(t.Context(),
			"SELECT max(max_block_number) FROM system.parts WHERE database = 'touchline' AND table = ?", table).Scan(&number)
	})
	return number
}

// ended waits until the engine is through with an insert, and returns what is newest then.
func (c *catcher) ended(t *testing.T, table string) int64 {
	t.Helper()
	instance.Eventually(t, "the insert ends", func() error {
		var running uint64
		err := c.db.Conn().QueryRow(t.Context(),
			"SELECT count() FROM system.processes WHERE query_kind = 'Insert' AND position(query, ?) > 0", table).Scan(&running)
		if err == nil && running > 0 {
			err = errors.New("it is running")
		}
		return err
	})
	return c.newest(t, table)
}
