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
	mu                   sync.Mutex
	batches              [][][]byte
	added                chan struct{} // has one element when batches were added
	committed            int
	linger               time.Duration
	failNext, failCommit int // how often Next and Commit fail from now on
	commits              int // calls
}

func newQueue(batches ...[][]byte) *queue {
	return &queue{batches: batches, added: make(chan struct{}, 1), linger: time.Second}
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
	if q.failNext > 0 {
		q.failNext--
		return nil, "", errDisk
	}
	for batch, token := q.first(); ; batch, token = q.first() {
		var arrived <-chan time.Time
		if batch != nil { // like the spool, it lingers for more
			arrived = time.After(q.linger)
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
	q.commits++
	if q.failCommit > 0 {
		q.failCommit--
		return errDisk
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

// inserter notes its calls, which take a while. The first of them fail. It refuses events called poison.
type inserter struct {
	failures int
	takes    time.Duration
	calls    []call
	parts    []int // answers of ActiveParts; then 0
	asked    int   // for parts

	failReject, failBook int // how often they fail from now on
	rejected, booked     []string
	kept                 []collector.Entry // as Book was given them
}

type call struct {
	at     time.Time
	token  string
	events string // ids
	err    error
}

var (
	errAway = errors.New("clickhouse is away")
	errDisk = errors.New("disk is gone")
)

func (in *inserter) Insert(ctx context.Context, token string, records [][]byte) error {
	var ids []string
	var err error
	for _, r := range records {
		var e event.Event
		if err := e.UnmarshalBinary(r); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		ids = append(ids, e.MessageID)
		if strings.HasPrefix(e.MessageID, "poison") {
			err = fmt.Errorf("insert: %w", &collector.RefusedError{Reason: "POISON", Detail: "row 1 is poison"})
		}
	}
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

func (in *inserter) Reject(_ context.Context, token string, refused []collector.RefusedEvent) error {
	if in.failReject > 0 {
		in.failReject--
		return errAway
	}
	for _, r := range refused {
		in.rejected = append(in.rejected, fmt.Sprintf("%s: %s %s %s", token, r.Event.MessageID, r.Reason, r.Detail))
	}
	return nil
}

func (in *inserter) RejectMessages(_ context.Context, token string, refused []collector.RefusedMessage) error {
	if in.failReject > 0 {
		in.failReject--
		return errAway
	}
	for _, r := range refused {
		in.rejected = append(in.rejected, fmt.Sprintf("%s: %s %s %s", token, r.MessageID, r.Reason, r.Detail))
	}
	return nil
}

func (in *inserter) Book(_ context.Context, token string, entries []collector.Entry) error {
	if in.failBook > 0 {
		in.failBook--
		return errAway
	}
	in.kept = append(in.kept, entries...)
	for _, e := range entries {
		in.booked = append(in.booked, fmt.Sprintf("%s: %s %s %s %d", token, e.Project, e.Outcome, e.Reason, e.Events))
	}
	return nil
}

func (in *inserter) ActiveParts(context.Context) (int, error) {
	in.asked++
	if len(in.parts) == 0 {
		return 0, nil
	}
	n := in.parts[0]
	in.parts = in.parts[1:]
	if n < 0 {
		return 0, errAway
	}
	return n, nil
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
		e := event.Event{Project: "shop", MessageID: id}
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
		"refused, cut":    {collector.RecordRefused, 1},
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

// A disk that goes away and comes back: nothing ends, nothing is inserted a second time.
func TestTroubleWithTheQueueIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(ids("a"), ids("b")), &inserter{}
		q.failNext, q.failCommit = 5, 4
		start := time.Now()
		if err := deliverer(q, in).Run(t.Context(), closed()); err != nil {
			t.Fatal(err)
		}
		if got, want := in.inserted(), []string{"token 0: a", "token 1: b"}; !slices.Equal(got, want) || len(in.calls) != 2 {
			t.Errorf("inserted %q, want %q", got, want)
		}
		if q.commits != 6 || q.committed != 2 || q.Pending() != 0 {
			t.Errorf("%d calls of Commit, %d batches committed", q.commits, q.committed)
		}
		if took := time.Since(start); took < 3*time.Second { // two of them linger
			t.Errorf("9 failures took %v: too short for waits that grow", took)
		}
	})
}

func TestTroubleWithTheQueueEndsWithTheContext(t *testing.T) {
	for name, fail := range map[string]func(q *queue){
		"Next":   func(q *queue) { q.failNext = 1 << 30 },
		"Commit": func(q *queue) { q.failCommit = 1 << 30 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				q, in := newQueue(ids("a", "b")), &inserter{}
				fail(q)
				// The bubble ends only when no goroutine waits for this drain, which never comes.
				err := deliverer(q, in).Run(ctx, nil)
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "2 events wait in the spool") {
					t.Errorf("%v, want the deadline and 2 events", err)
				}
				if len(in.calls) > 1 {
					t.Errorf("%d inserts of one batch", len(in.calls))
				}
			})
		})
	}
}

func TestRefusedEventsAreFoundAndTheRestPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(ids("a", "poison 1", "b", "c", "poison 2")), &inserter{failures: 2, failReject: 1, failBook: 2}
		in.takes = time.Millisecond
		if err := deliverer(q, in).Run(t.Context(), closed()); err != nil {
			t.Fatal(err)
		}
		if got, want := in.inserted(), []string{"token 0/0/0: a", "token 0/1/0: b", "token 0/1/1/0: c"}; !slices.Equal(got, want) {
			t.Errorf("inserted %q, want %q", got, want)
		}
		var tokens []string
		for _, c := range in.calls {
			tokens = append(tokens, strings.TrimPrefix(c.token, "token 0"))
		}
		if got, want := strings.Join(tokens, ","), ",,,/0,/0/0,/0/1,/1,/1/0,/1/1,/1/1/0,/1/1/1"; got != want {
			t.Errorf("halving by tokens %q, want %q", got, want)
		}
		want := []string{"token 0/rejected: poison 1 POISON row 1 is poison", "token 0/rejected: poison 2 POISON row 1 is poison"}
		if !slices.Equal(in.rejected, want) {
			t.Errorf("rejected %q, want %q", in.rejected, want)
		}
		if want := []string{"token 0: shop delivered  3", "token 0: shop rejected POISON 2"}; !slices.Equal(in.booked, want) {
			t.Errorf("booked %q, want %q", in.booked, want)
		}
		if q.committed != 1 {
			t.Errorf("%d batches committed", q.committed)
		}
	})
}

func TestABatchOfRefusedEventsOnlyIsBookedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(ids("poison 1", "poison 2"), ids("a")), &inserter{}
		if err := deliverer(q, in).Run(t.Context(), closed()); err != nil {
			t.Fatal(err)
		}
		if want := []string{"token 0: shop rejected POISON 2", "token 1: shop delivered  1"}; !slices.Equal(in.booked, want) {
			t.Errorf("booked %q, want %q", in.booked, want)
		}
		if len(in.rejected) != 2 || q.Pending() != 0 {
			t.Errorf("rejected %q, %d left", in.rejected, q.Pending())
		}
	})
}

// Metrics keep what was booked, and the queue writes the next batch where this one was.
func TestWhatWasBookedOutlivesTheBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := ids("a", "poison 1")
		q, in := newQueue(records), &inserter{}
		if err := deliverer(q, in).Run(t.Context(), closed()); err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			clear(r)
		}
		want := []collector.Entry{
			{Project: "shop", Outcome: collector.Delivered, Events: 1},
			{Project: "shop", Outcome: collector.Refused, Reason: "POISON", Events: 1},
		}
		if !slices.Equal(in.kept, want) {
			t.Errorf("booked %v, want %v", in.kept, want)
		}
	})
}

func TestWaitsWhileTheDatabaseMerges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(ids("a")), &inserter{parts: []int{5000, 301, 300}}
		var log strings.Builder
		d := &Deliverer{Queue: q, Inserter: in, Log: slog.New(slog.NewTextHandler(&log, nil))}
		if err := d.Run(t.Context(), closed()); err != nil {
			t.Fatal(err)
		}
		if in.asked != 3 || len(in.calls) != 1 {
			t.Errorf("asked %d times before %d inserts, want 3 and 1", in.asked, len(in.calls))
		}
		if said := log.String(); !strings.Contains(said, "5000 active parts") || !strings.Contains(said, "301 active parts") || strings.Contains(said, "300 active parts in") {
			t.Errorf("log %s", said)
		}
	})
}

func TestCountsPartsAtMostOnceASecondAndNotWhenItCannot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(), &inserter{parts: []int{-1}, takes: 100 * time.Millisecond} // cannot be counted: the insert is tried all the same
		q.linger = 0
		for range 30 {
			q.batches = append(q.batches, ids("a"))
		}
		start := time.Now()
		if err := deliverer(q, in).Run(t.Context(), closed()); err != nil {
			t.Fatal(err)
		}
		if most := int(time.Since(start)/time.Second) + 1; in.asked > most || in.asked < 1 || len(in.calls) != 30 {
			t.Errorf("asked %d times in %v for %d inserts, want at most %d", in.asked, time.Since(start), len(in.calls), most)
		}
	})
}
