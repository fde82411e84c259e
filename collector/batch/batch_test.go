package batch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queue holds batches of records.
type queue struct {
	mu        sync.Mutex
	batches   [][][]byte
	added     chan struct{} // has one element when batches were added
	committed int
	commitErr error
	nextErr   error
}

func newQueue(batches ...[][]byte) *queue {
	return &queue{batches: batches, added: make(chan struct{}, 1)}
}

func (q *queue) add(batch ...[]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batches = append(q.batches, batch)
	select {
	case q.added <- struct{}{}:
	default:
	}
}

func (q *queue) first() ([][]byte, string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == 0 {
		return nil, ""
	}
	return q.batches[0], fmt.Sprint("token ", q.committed)
}

func (q *queue) Next(ctx context.Context) ([][]byte, string, error) {
	if q.nextErr != nil {
		return nil, "", q.nextErr
	}
	for batch, token := q.first(); ; batch, token = q.first() {
		var arrived <-chan time.Time
		if batch != nil { // like the spool, it lingers for more
			arrived = time.After(time.Second)
		}
		select {
		case <-arrived:
			return batch, token, nil
		case <-q.added:
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
}

func (q *queue) Commit() error {
	if q.commitErr != nil {
		return q.commitErr
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batches = q.batches[1:]
	q.committed++
	return nil
}

func (q *queue) Pending() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, b := range q.batches {
		n += len(b)
	}
	return uint64(n)
}

// inserter notes its calls, which take a while. The first of them fail.
type inserter struct {
	failures int
	takes    time.Duration
	calls    []call
}

type call struct {
	at     time.Time
	token  string
	events string // ids
	err    error
}

var errAway = errors.New("clickhouse is away")

func (in *inserter) Insert(ctx context.Context, token string, events []event.Event) error {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.MessageID)
	}
	var err error
	if len(in.calls) < in.failures {
		err = errAway
	}
	c := call{at: time.Now(), token: token, events: strings.Join(ids, " ")}
	select {
	case <-time.After(in.takes):
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.err = err
	in.calls = append(in.calls, c)
	return err
}

// inserted are the calls that had success, as token and ids.
func (in *inserter) inserted() (list []string) {
	for _, c := range in.calls {
		if c.err == nil {
			list = append(list, c.token+": "+c.events)
		}
	}
	return list
}

// ids makes a batch of records.
func ids(list ...string) (records [][]byte) {
	for _, id := range list {
		e := event.Event{MessageID: id}
		record, _ := e.AppendBinary([]byte{collector.RecordEvent})
		records = append(records, record)
	}
	return records
}

func deliverer(q *queue, in *inserter) *Deliverer {
	return &Deliverer{Queue: q, Inserter: in, Log: slog.New(slog.DiscardHandler)}
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestDeliversInOrderUntilDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(ids("a", "b"), ids("c")), &inserter{takes: time.Second}
		drain, done := make(chan struct{}), make(chan error, 1)
		go func() { done <- deliverer(q, in).Run(t.Context(), drain) }()
		time.Sleep(time.Minute)
		q.add(ids("d", "e")...)
		time.Sleep(time.Minute)
		q.add(ids("f")...)
		q.add(ids("g")...)
		close(drain)
		if err := <-done; err != nil {
			t.Errorf("drained: %v", err)
		}
		if got, want := in.inserted(), []string{"token 0: a b", "token 1: c", "token 2: d e", "token 3: f", "token 4: g"}; !slices.Equal(got, want) {
			t.Errorf("inserted %q, want %q", got, want)
		}
		if q.Pending() != 0 || q.committed != 5 {
			t.Errorf("%d records left, %d batches committed", q.Pending(), q.committed)
		}
	})
}

func TestDrainOfAnEmptyQueueEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := deliverer(newQueue(), &inserter{}).Run(t.Context(), closed()); err != nil || time.Since(start) > 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestRepeatsWithTheSameTokenAndCommitsAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(ids("a", "b")), &inserter{failures: 12}
		committed := -1
		log := slog.New(slog.NewTextHandler(writer(func() {
			if len(in.calls) <= in.failures {
				committed = max(committed, q.committed)
			}
		}), nil))
		if err := (&Deliverer{Queue: q, Inserter: in, Log: log}).Run(t.Context(), closed()); err != nil {
			t.Fatal(err)
		}
		if committed != 0 {
			t.Errorf("%d batches committed while inserting failed", committed)
		}
		for i, c := range in.calls {
			if c.token != "token 0" || c.events != "a b" {
				t.Errorf("attempt %d: %+v", i, c)
			}
		}
		if len(in.calls) != 13 || q.committed != 1 {
			t.Errorf("%d attempts, %d commits", len(in.calls), q.committed)
		}
		wantWaits(t, in.calls)
	})
}

// writer does something at each line of a log.
type writer func()

func (w writer) Write(p []byte) (int, error) {
	w()
	return len(p), nil
}

// Waits double up to ten seconds, and each is shortened at random by up to a half.
func wantWaits(t *testing.T, calls []call) {
	t.Helper()
	whole := 100 * time.Millisecond
	shares := map[float64]bool{}
	for i := 1; i < len(calls); i++ {
		wait := calls[i].at.Sub(calls[i-1].at)
		if wait < whole/2 || wait > whole {
			t.Errorf("wait %d is %v, want %v to %v", i, wait, whole/2, whole)
		}
		shares[float64(wait)/float64(whole)] = true
		whole = min(2*whole, 10*time.Second)
	}
	if len(shares) < 2 {
		t.Error("the waits are not random")
	}
}

func TestDeadlineSaysHowManyEventsWait(t *testing.T) {
	for name, test := range map[string]struct {
		in    *inserter
		limit time.Duration
	}{
		"while waiting to repeat": {&inserter{failures: 1000}, time.Minute},
		"while inserting":         {&inserter{takes: time.Hour}, time.Minute},
		"while the queue lingers": {&inserter{}, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.limit)
				defer cancel()
				q := newQueue(ids("a", "b"), ids("c"))
				start := time.Now()
				err := deliverer(q, test.in).Run(ctx, closed())
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "3 events wait in the spool") {
					t.Errorf("%v, want the deadline and 3 events", err)
				}
				if took := time.Since(start); took != test.limit {
					t.Errorf("ended after %v, want %v", took, test.limit)
				}
				if q.committed != 0 {
					t.Errorf("%d batches committed", q.committed)
				}
			})
		})
	}
}

func TestUnreadableRecordsStop(t *testing.T) {
	for name, record := range map[string][]byte{
		"empty":           {},
		"of another kind": append([]byte{0x7f}, ids("a")[0][1:]...),
		"of a later form": {collector.RecordEvent, 99},
		"cut":             ids("a")[0][:5],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, in := newQueue([][]byte{ids("a")[0], record}), &inserter{}
				err := deliverer(q, in).Run(t.Context(), closed())
				if err == nil || !strings.HasPrefix(err.Error(), "the spool holds a record ") || !strings.Contains(err.Error(), "start the version that wrote it") {
					t.Errorf("%v, want what the spool holds and what to do", err)
				}
				if q.committed != 0 || len(in.calls) != 0 {
					t.Errorf("%d commits, %d inserts", q.committed, len(in.calls))
				}
			})
		})
	}
}

func TestQueueThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("disk is gone")
		q, in := newQueue(ids("a")), &inserter{}
		q.commitErr = broken
		// The bubble ends only when no goroutine waits for this drain or context, which never come.
		if err := deliverer(q, in).Run(context.Background(), nil); !errors.Is(err, broken) || err.Error() != "move the read position: disk is gone" {
			t.Errorf("Commit: %v", err)
		}
		q.nextErr = broken
		if err := deliverer(q, in).Run(t.Context(), closed()); !errors.Is(err, broken) {
			t.Errorf("Next: %v", err)
		}
		if len(in.calls) != 1 {
			t.Errorf("%d inserts", len(in.calls))
		}
	})
}
