package spool

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder collects the damage that a spool reports.
type recorder struct{ damage []string }

func (r *recorder) onDamage(e *DamageError) {
	r.damage = append(r.damage, fmt.Sprintf("%d:%d lost %d: %v", e.Segment, e.Offset, e.Lost, e.Err))
}

// noDamage fails the test when damage is reported.
func noDamage(t *testing.T) func(*DamageError) {
	return func(e *DamageError) { t.Errorf("damage: %v", e) }
}

func open(t *testing.T, opts Options) *Spool {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = "dir"
	}
	if opts.OnDamage == nil {
		opts.OnDamage = noDamage(t)
	}
	s, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func appendAll(t *testing.T, s *Spool, records ...string) {
	t.Helper()
	if err := s.Append(asBytes(records)); err != nil {
		t.Fatal(err)
	}
}

func asBytes(records []string) [][]byte {
	var b [][]byte
	for _, r := range records {
		b = append(b, []byte(r))
	}
	return b
}

func asStrings(records [][]byte) []string {
	var s []string
	for _, r := range records {
		s = append(s, string(r))
	}
	return s
}

// next returns a batch that must be there already.
func next(t *testing.T, s *Spool, max int) Batch {
	t.Helper()
	b, err := s.Next(t.Context(), max, math.MaxInt, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func commit(t *testing.T, s *Spool, b Batch) {
	t.Helper()
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
}

// drain reads and commits all that is pending.
func drain(t *testing.T, s *Spool) []string {
	t.Helper()
	var got []string
	for s.Stats().Records > 0 {
		b := next(t, s, math.MaxInt)
		got = append(got, asStrings(b.Records)...)
		commit(t, s, b)
	}
	return got
}

func wantEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %.2000v\nwant %.2000v", what, got, want)
	}
}

func TestAppendNextCommit(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir() + "/new/spool"})
	appendAll(t, s, "a", "", "ccc")
	appendAll(t, s, "d")
	wantEqual(t, "stats", s.Stats(), Stats{
		Accepted: 4, Records: 4, Bytes: 4*recordHeaderSize + 5, Disk: headerSize + 4*recordHeaderSize + 5, Limit: DefaultLimit,
		Segments: 1, Oldest: Position{1, headerSize},
	})
	first := next(t, s, 3)
	wantEqual(t, "first batch", first, Batch{
		From: Position{1, headerSize}, To: Position{1, headerSize + 3*recordHeaderSize + 4},
		Records: [][]byte{[]byte("a"), {}, []byte("ccc")},
	})
	wantEqual(t, "repeated", asStrings(next(t, s, 1).Records), []string{"a", "", "ccc"})
	commit(t, s, first)
	second := next(t, s, 3)
	wantEqual(t, "second batch", asStrings(second.Records), []string{"d"})
	wantEqual(t, "second begins", second.From, first.To)
	if err := s.Commit(first); err == nil {
		t.Error("a batch that is not the last one was committed")
	}
	commit(t, s, second)
	if err := s.Commit(second); err == nil {
		t.Error("a batch was committed twice")
	}
	wantEqual(t, "pending", s.Stats().Records, uint64(0))
}

func TestReopen(t *testing.T) {
	for _, durability := range []Durability{Fsync, OS} {
		opts := Options{Dir: t.TempDir(), Durability: durability}
		s := open(t, opts)
		id := s.ID()
		appendAll(t, s, "a", "b", "c")
		frozen := asStrings(next(t, s, 2).Records)
		appendAll(t, s, "d")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		s = open(t, opts)
		wantEqual(t, "id", s.ID(), id)
		appendAll(t, s, "e")
		again := next(t, s, 100)
		wantEqual(t, "frozen batch", asStrings(again.Records), frozen)
		commit(t, s, again)
		wantEqual(t, "rest", drain(t, s), []string{"c", "d", "e"})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "nothing left", drain(t, open(t, opts)), []string(nil))
	}
}

// TestPositionsAreNotReused: ID and positions name a batch for ever, also when every segment was deleted between.
func TestPositionsAreNotReused(t *testing.T) {
	opts := Options{FS: newMemFS()}
	seen := map[Position]bool{}
	for range 5 {
		s := open(t, opts)
		appendAll(t, s, "same")
		b := next(t, s, 1)
		if seen[b.To] {
			t.Fatalf("%v ends a second batch", b.To)
		}
		seen[b.To] = true
		commit(t, s, b)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNextBounds(t *testing.T) {
	s := open(t, Options{FS: newMemFS()})
	appendAll(t, s, "12345", "678", "90", strings.Repeat("x", 50), "y")
	var got [][]string
	for range 4 {
		b, err := s.Next(t.Context(), 2, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, asStrings(b.Records))
		commit(t, s, b)
	}
	wantEqual(t, "batches", got, [][]string{{"12345", "678"}, {"90"}, {strings.Repeat("x", 50)}, {"y"}})
	for _, bound := range [][2]int{{0, 1}, {1, 0}} {
		if _, err := s.Next(t.Context(), bound[0], bound[1], 0); err == nil {
			t.Errorf("Next accepted bounds %v", bound)
		}
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{FS: newMemFS()})
		type result struct {
			records []string
			after   time.Duration
		}
		results := make(chan result)
		read := func(max int) {
			start := time.Now()
			b := next1(s, t, max)
			results <- result{asStrings(b.Records), time.Since(start)}
			_ = s.Commit(b)
		}

		go read(3)
		time.Sleep(time.Minute)
		appendAll(t, s, "a")
		time.Sleep(300 * time.Millisecond)
		appendAll(t, s, "b")
		wantEqual(t, "linger is over", <-results, result{[]string{"a", "b"}, time.Minute + time.Second})
		synctest.Wait()

		go read(2)
		time.Sleep(time.Second)
		appendAll(t, s, "c")
		time.Sleep(300 * time.Millisecond)
		appendAll(t, s, "d", "e")
		wantEqual(t, "enough are there", <-results, result{[]string{"c", "d"}, time.Second + 300*time.Millisecond})
		synctest.Wait()
	})
}

func next1(s *Spool, t *testing.T, max int) Batch {
	b, err := s.Next(context.Background(), max, math.MaxInt, time.Second)
	if err != nil {
		t.Error(err)
	}
	return b
}

func TestNextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{FS: newMemFS()})
		errs := make(chan error)
		wait := func(ctx context.Context, linger time.Duration) {
			_, err := s.Next(ctx, 2, 100, linger)
			errs <- err
		}
		ctx, cancel := context.WithCancel(context.Background())
		go wait(ctx, 0)
		synctest.Wait()
		cancel()
		wantEqual(t, "cancelled", <-errs, context.Canceled)

		appendAll(t, s, "a")
		ctx, cancel = context.WithCancel(context.Background())
		go wait(ctx, time.Hour)
		synctest.Wait()
		cancel()
		wantEqual(t, "cancelled while it lingers", <-errs, context.Canceled)

		go wait(context.Background(), time.Hour)
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "closed", <-errs, ErrClosed)
	})
}

func TestClosed(t *testing.T) {
	s := open(t, Options{FS: newMemFS()})
	appendAll(t, s, "a", "b")
	b := next(t, s, 1)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Next(t.Context(), 1, 1, 0)
	wantEqual(t, "Next", err, ErrClosed)
	wantEqual(t, "Append", s.Append([][]byte{{1}}), ErrClosed)
	wantEqual(t, "Commit", s.Commit(b), ErrClosed)
	wantEqual(t, "Err", s.Err(), ErrClosed)
}

func TestOptions(t *testing.T) {
	for want, opts := range map[string]Options{
		"Dir is empty": {},
		"SegmentSize of 100 bytes is too small, the least is 1024": {Dir: "x", SegmentSize: 100},
		"Limit of 3000 bytes is too small, the least is two":       {Dir: "x", SegmentSize: 2000, Limit: 3000},
	} {
		if _, err := Open(opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	s := open(t, Options{FS: newMemFS(), SegmentSize: 2048})
	fits := 2048 - headerSize - recordHeaderSize
	if err := s.Append([][]byte{make([]byte, fits+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte more than a segment: %v", err)
	}
	if err := s.Append([][]byte{make([]byte, MaxRecord+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte more than a record: %v", err)
	}
	if err := s.Append([][]byte{make([]byte, fits)}); err != nil {
		t.Errorf("a whole segment: %v", err)
	}
	wantEqual(t, "Err", s.Err(), nil)
	wantEqual(t, "pending", s.Stats().Records, uint64(1))
}

func TestFull(t *testing.T) {
	fs := newMemFS()
	s := open(t, Options{FS: fs, SegmentSize: 1024, Limit: 4096})
	record := make([]byte, 200)
	n := 0
	for ; s.Err() == nil; n++ {
		if err := s.Append([][]byte{record}); err != nil {
			wantEqual(t, "Append", err, ErrFull)
			break
		}
	}
	wantEqual(t, "Err", s.Err(), ErrFull)
	if disk := s.Stats().Disk; disk > 4096 || n < 12 {
		t.Errorf("%d records take %d bytes", n, disk)
	}
	b := next(t, s, 4)
	wantEqual(t, "Err while a batch is frozen", s.Err(), ErrFull)
	commit(t, s, b)
	wantEqual(t, "Err once there is room", s.Err(), nil)
	appendAll(t, s, string(record))
	wantEqual(t, "rest", len(drain(t, s)), n-4+1)
	// All is committed and most of it deleted: whatever is left must leave room for an append.
	appendAll(t, s, string(make([]byte, 900)))
	wantBooks(t, s, fs)
}

// wantBooks closes the spool, which gives back what was prepared, and compares its books with the disk.
func wantBooks(t *testing.T, s *Spool, fs *memFS) {
	t.Helper()
	wantEqual(t, "Close", s.Close(), nil)
	wantEqual(t, "books", s.Stats().Disk, diskSize(fs, segmentSuffix))
}

func diskSize(fs *memFS, suffix string) int64 {
	var n int64
	for name, node := range fs.files {
		if strings.HasSuffix(name, suffix) {
			n += int64(len(node.live))
		}
	}
	return n
}

func TestSegmentsAreDeleted(t *testing.T) {
	fs := newMemFS()
	s := open(t, Options{FS: fs, SegmentSize: 1024})
	for i := range 40 {
		appendAll(t, s, fmt.Sprintf("%0200d", i))
	}
	wantEqual(t, "segments", s.Stats().Segments, 10)
	for i := range 10 {
		b := next(t, s, 4)
		commit(t, s, b)
		wantEqual(t, "segments", s.Stats().Segments, max(9-i, 1))
	}
	wantEqual(t, "files", len(fs.files), 2)
	wantBooks(t, s, fs)
}

// TestGroupIsBounded: while the disk is held only so many appends wait in memory, the others before the door.
func TestGroupIsBounded(t *testing.T) {
	gate := &gateFS{FS: newMemFS(), entered: make(chan struct{}), open: make(chan struct{})}
	s := open(t, Options{FS: gate, SegmentSize: 1024})
	gate.arm()
	var writers sync.WaitGroup
	write := func() {
		if err := s.Append([][]byte{make([]byte, 200)}); err != nil {
			t.Error(err)
		}
	}
	writers.Go(write)
	<-gate.entered
	for range 12 {
		writers.Go(write)
	}
	waiting := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.pending == nil {
			return 0
		}
		return len(s.pending.buf)
	}
	for waiting() < 4*recordSize {
		runtime.Gosched()
	}
	close(gate.open)
	for s.Stats().Records < 13 {
		if n := waiting(); n > 4*recordSize {
			t.Fatalf("%d bytes wait, four records are the most that a segment takes", n)
		}
		runtime.Gosched()
	}
	writers.Wait()
	wantEqual(t, "delivered", len(drain(t, s)), 13)
}

// TestGroupCommit holds the disk's first sync until others have joined the next group, which then shares one sync.
func TestGroupCommit(t *testing.T) {
	fs := newMemFS()
	gate := &gateFS{FS: fs, entered: make(chan struct{}), open: make(chan struct{})}
	s := open(t, Options{FS: gate})
	gate.arm()
	var writers sync.WaitGroup
	write := func() {
		if err := s.Append([][]byte{{1}}); err != nil {
			t.Error(err)
		}
	}
	writers.Go(write)
	<-gate.entered
	before := fs.syncs
	for range 10 {
		writers.Go(write)
	}
	for joined := 0; joined < 10*(recordHeaderSize+1); {
		s.mu.Lock()
		if s.pending != nil {
			joined = len(s.pending.buf)
		}
		s.mu.Unlock()
		runtime.Gosched()
	}
	wantEqual(t, "records before the sync ends", s.Stats().Records, uint64(0))
	close(gate.open)
	writers.Wait()
	wantEqual(t, "syncs, the first of which prepares the segment", fs.syncs-before, 3)
	wantEqual(t, "records", s.Stats().Records, uint64(11))
}

// gateFS holds the first sync of a file after arm.
type gateFS struct {
	FS
	once    *sync.Once
	entered chan struct{}
	open    chan struct{}
}

func (g *gateFS) arm() { g.once = new(sync.Once) }

func (g *gateFS) OpenFile(name string, flag int) (File, error) {
	f, err := g.FS.OpenFile(name, flag)
	return gateFile{f, g}, err
}

type gateFile struct {
	File
	gate *gateFS
}

func (f gateFile) Sync() error {
	if f.gate.once != nil {
		f.gate.once.Do(func() {
			close(f.gate.entered)
			<-f.gate.open
		})
	}
	return f.File.Sync()
}

func TestConcurrent(t *testing.T) {
	const writers, each = 16, 60
	s := open(t, Options{Dir: t.TempDir(), SegmentSize: 4096})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; i < each; i += 2 {
				if err := s.Append(asBytes([]string{fmt.Sprintf("%d %d", w, i), fmt.Sprintf("%d %d", w, i+1)})); err != nil {
					t.Error(err)
				}
				s.Stats()
				if err := s.Err(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var last [writers]int
	for n := 0; n < writers*each; {
		b, err := s.Next(t.Context(), 100, 1<<20, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Records {
			var w, i int
			if _, err := fmt.Sscanf(string(r), "%d %d", &w, &i); err != nil || i != last[w] {
				t.Fatalf("writer %d: got record %q, want %d", w, r, last[w])
			}
			last[w]++
			n++
		}
		commit(t, s, b)
	}
	wg.Wait()
	wantEqual(t, "pending", s.Stats().Records, uint64(0))
}

// TestConcurrentFailures: whatever was acknowledged while the disk failed now and then is delivered, and nothing else.
func TestConcurrentFailures(t *testing.T) {
	fs := newMemFS()
	s := open(t, Options{FS: fs, SegmentSize: 4096})
	n := 0
	fs.setFault(func(o op, name string) error {
		if n++; strings.HasSuffix(name, segmentSuffix) && (o == opSync || o == opWrite) && n%11 == 0 {
			return os.ErrDeadlineExceeded
		}
		return nil
	})
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 50 {
				record := fmt.Sprintf("%d %d", w, i)
				if s.Append([][]byte{[]byte(record)}) == nil {
					mu.Lock()
					acknowledged[record] = true
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	fs.setFault(nil)
	got := map[string]bool{}
	for _, r := range drain(t, s) {
		if got[r] {
			t.Errorf("%s was delivered twice", r)
		}
		got[r] = true
	}
	wantEqual(t, "delivered", got, acknowledged)
	if len(got) == 0 || len(got) == 400 {
		t.Errorf("%d of 400 appends succeeded, the test wants some of each", len(got))
	}
}
