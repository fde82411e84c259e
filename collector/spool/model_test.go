package spool

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// TestModel drives a spool on a failing disk, with restarts, kills and losses of power, against a list of records.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{fs: newMemFS(), durability: rapid.SampledFrom([]Durability{Fsync, OS}).Draw(t, "durability")}
		m.open(t)
		defer func() { m.spool.Close() }()
		t.Repeat(rapid.StateMachineActions(m))
	})
}

// model is what a spool has to do.
type model struct {
	fs         *memFS
	durability Durability
	spool      *Spool
	made       int
	pending    []entry // not delivered and committed, oldest first
	frozen     *frozen // nil: the next batch may be any
	refused    bool    // the last Next gave an error, so that Open may find a batch frozen
	found      bool    // it may have
	torn       bool    // the disk may hold a half-written slot or segment
	failed     bool    // an operation of the disk has failed during the last call
}

// entry is a record that was appended.
type entry struct {
	record string
	// refused: Append gave an error. Only after the spool was opened again it may turn up, and need not.
	refused, possible bool
}

// frozen is a batch that was returned.
type frozen struct {
	batch     Batch
	records   []string
	committed bool // Commit gave an error, so that the next Open may find either state
}

func (m *model) open(t *rapid.T) {
	s, err := Open(Options{Dir: "dir", FS: m.fs, SegmentSize: 1024, Limit: 1 << 30, Durability: m.durability,
		OnDamage: func(e *DamageError) {
			if e.Lost > 0 || !m.torn && !m.failed {
				t.Fatalf("damage: %v", e)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	m.spool = s
	m.torn = false
	m.found = m.found || m.refused
	for i := range m.pending {
		m.pending[i].possible = m.pending[i].refused
	}
}

func (m *model) Append(t *rapid.T) {
	var records []string
	for range rapid.IntRange(1, 4).Draw(t, "records") {
		m.made++
		records = append(records, fmt.Sprintf("%d %s", m.made, strings.Repeat("x", rapid.IntRange(0, 200).Draw(t, "size"))))
	}
	m.failNow(t)
	err := m.spool.Append(asBytes(records))
	m.fs.setFault(nil)
	if err != nil && !m.failed {
		t.Fatal(err)
	}
	m.torn = m.torn || err != nil
	for _, r := range records {
		m.pending = append(m.pending, entry{record: r, refused: err != nil})
	}
	if err := m.spool.Err(); err != nil {
		t.Fatalf("Err on a good disk: %v", err)
	}
}

func (m *model) Next(t *rapid.T) {
	if m.spool.Stats().Records == 0 {
		return
	}
	limit := rapid.IntRange(1, 6).Draw(t, "max")
	m.failNow(t)
	b, err := m.spool.Next(context.Background(), limit, 1000, 0)
	m.fs.setFault(nil)
	if err != nil {
		if !m.failed {
			t.Fatal(err)
		}
		m.torn, m.refused = true, true
		return
	}
	got := asStrings(b.Records)
	if m.frozen == nil && !m.found && len(got) > limit {
		t.Fatalf("%d records, at most %d were wanted", len(got), limit)
	}
	m.deliver(t, b, got)
	m.refused, m.found = false, false
}

// deliver checks a batch against the one that is frozen, or against the records that are due.
func (m *model) deliver(t *rapid.T, b Batch, got []string) {
	if f := m.frozen; f != nil {
		same := reflect.DeepEqual(got, f.records) && b.From == f.batch.From && b.To == f.batch.To
		if same {
			f.batch = b
			return
		}
		if !f.committed {
			t.Fatalf("the frozen batch %v to %v was %v, now it is %v to %v: %v", f.batch.From, f.batch.To, f.records, b.From, b.To, got)
		}
		m.committed(t)
	}
	at := 0
	for _, r := range got {
		for at < len(m.pending) && m.pending[at].record != r && m.pending[at].refused {
			at++
		}
		if at == len(m.pending) || m.pending[at].record != r || m.pending[at].refused && !m.pending[at].possible {
			t.Fatalf("got %q, pending is %+v", r, m.pending)
		}
		at++
	}
	m.frozen = &frozen{batch: b, records: got}
}

// committed forgets the records of the frozen batch, and those that were refused before them.
func (m *model) committed(*rapid.T) {
	last := m.frozen.records[len(m.frozen.records)-1]
	i := slices.IndexFunc(m.pending, func(e entry) bool { return e.record == last })
	m.pending = m.pending[i+1:]
	m.frozen = nil
}

func (m *model) Commit(t *rapid.T) {
	if m.frozen == nil {
		return
	}
	m.failNow(t)
	err := m.spool.Commit(m.frozen.batch)
	m.fs.setFault(nil)
	switch {
	case err == nil:
		m.committed(t)
	case m.frozen.committed: // it may have happened before the last crash
		m.torn = true
	case !m.failed:
		t.Fatal(err)
	default:
		m.torn = true
		m.frozen.committed = true
	}
}

func (m *model) Restart(t *rapid.T) {
	if err := m.spool.Close(); err != nil {
		t.Fatal(err)
	}
	m.open(t)
}

func (m *model) Kill(t *rapid.T) {
	m.fs = m.fs.killed()
	m.reopen(t)
}

func (m *model) LosePower(t *rapid.T) {
	if m.durability != Fsync {
		return
	}
	m.fs = m.fs.powerLost(func(name string, changes []change) (int, int) {
		if len(changes) == 0 {
			return 0, 0
		}
		whole := rapid.IntRange(0, len(changes)).Draw(t, "changes kept of "+name)
		if whole == len(changes) || changes[whole].bytes == nil {
			return whole, 0
		}
		return whole, rapid.IntRange(0, len(changes[whole].bytes)).Draw(t, "bytes kept")
	})
	m.reopen(t)
}

// reopen leaves the spool that was killed as it is: its disk is another one now.
func (m *model) reopen(t *rapid.T) {
	_ = m.spool.Close()
	m.torn = true
	m.open(t)
}

// Check compares what is pending, as far as it is certain.
func (m *model) Check(t *rapid.T) {
	if m.frozen != nil && m.frozen.committed {
		return
	}
	least, most := 0, 0
	for _, e := range m.pending {
		if !e.refused {
			least++
		}
		if !e.refused || e.possible {
			most++
		}
	}
	if n := int(m.spool.Stats().Records); n < least || n > most {
		t.Fatalf("%d records are pending, want %d to %d: %+v", n, least, most, m.pending)
	}
}

// failNow makes one or more operations of the following call fail, some from now, or none.
func (m *model) failNow(t *rapid.T) {
	m.failed = false
	if !rapid.Bool().Draw(t, "fault") {
		return
	}
	after := rapid.IntRange(0, 6).Draw(t, "after")
	count := rapid.IntRange(1, 5).Draw(t, "count")
	m.fs.setFault(func(op, string) error {
		if after--; after >= 0 || after < -count {
			return nil
		}
		m.failed = true
		return syscall.EIO
	})
}
