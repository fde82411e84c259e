// Package spool is a durable queue of opaque records in a directory: what is appended is on disk when Append returns,
// is read in batches that a crash does not change, and is deleted after it was committed.
//
// With durability Fsync an acknowledged record survives the end of the process, a crash of the operating system and
// the loss of power, as long as the disk keeps what it has confirmed. With durability OS it survives only the end of
// the process, kill -9 included: a crash of the operating system or a loss of power takes what the system had not yet
// written by itself, which can be the records of half a minute. Neither survives the loss of the disk.
//
// A write or fsync that fails is never acknowledged and never trusted afterwards: the segment ends before it, and the
// next append begins another one. Records that were refused may still be delivered if the program is killed before
// that, so whoever repeats them must be able to tell.
package spool

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Durability says what an acknowledged record survives.
type Durability int

const (
	// Fsync waits for the disk: records survive a loss of power.
	Fsync Durability = iota
	// OS waits for the operating system only: records survive a crash of the process.
	OS
)

// Defaults of Options, in bytes.
const (
	DefaultSegmentSize = 64 << 20
	DefaultLimit       = 10 << 30
)

const (
	minSegmentSize = 1 << 10
	// maxGroup bounds the bytes that wait in memory for the disk, except for a single append that is larger.
	maxGroup = 4 << 20
)

// Options of a spool. Only Dir is required.
type Options struct {
	// Dir is made when it is missing. Only one process may have it open; to see to that is up to the caller.
	Dir string
	// SegmentSize is the size in bytes of the files, and of the largest append. Default: 64 MiB, at most a quarter of
	// Limit.
	SegmentSize int64
	// Limit in bytes on disk, at least two segments. Default: 10 GiB. The segment that is written takes up to 4 MiB more,
	// prepared for records to come.
	Limit      int64
	Durability Durability
	// OnDamage is called once for each damaged region, from Open, Next and Commit. It must not call the spool.
	OnDamage func(*DamageError)
	FS       FS // default: the operating system's
}

func (o Options) withDefaults() (Options, error) {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	if o.SegmentSize == 0 {
		o.SegmentSize = min(DefaultSegmentSize, o.Limit/4)
	}
	if o.OnDamage == nil {
		o.OnDamage = func(*DamageError) {}
	}
	if o.FS == nil {
		o.FS = osFS{}
	}
	switch {
	case o.Dir == "":
		return o, errors.New("spool: Dir is empty, it must name a directory")
	case o.SegmentSize < minSegmentSize:
		return o, fmt.Errorf("spool: SegmentSize of %d bytes is too small, the least is %d", o.SegmentSize, minSegmentSize)
	case o.Limit < 2*o.SegmentSize:
		return o, fmt.Errorf("spool: Limit of %d bytes is too small, the least is two segments of %d", o.Limit, o.SegmentSize)
	}
	return o, nil
}

// Spool is a queue that many may append to and one reads.
type Spool struct {
	opts Options
	id   uuid.UUID

	mu       sync.Mutex // for short: never held while the disk is used
	state    state      // written with reading held too
	segments []*segment // oldest first
	bytes    int64      // on disk, with those that are on their way
	next     uint64     // sequence after the last durable record
	pending  *group     // what waits for writing; nil: nothing
	waiter   *waiter    // Next, when it waits
	failure  error      // of the last append
	closed   bool
	reported map[Position]struct{}
	gaps     []gap // of sequences, that were reported; in order
	damaged  uint64
	lost     uint64

	writing sync.Mutex // held while a group is written; guards:
	active  *segment   // the last of segments; nil: the next append begins one
	file    File       // of active
	number  uint64     // of active, or of the segment that is begun next
	spare   []byte     // buffer of a group to come

	prepared int64 // offset up to which the active segment was written, with zeros at least

	reading sync.Mutex // held by Next and Commit; guards:
	reader  reader
	arena   []byte   // the payloads of the last batch
	records [][]byte // slices of arena
}

// segment is what is known of a file of records.
type segment struct {
	number uint64
	first  uint64 // sequence of its first record
	next   uint64 // sequence after its last record
	start  int64  // offset of its first record
	end    int64  // offset after its last record
	sealed bool   // nothing is written to it any more
	wrong  error  // what is wrong with the header
}

// gap is the sequences from first up to next, whose records are lost.
type gap struct{ first, next uint64 }

// Open opens the spool in a directory or creates it. It reads all that is not committed and reports what is damaged.
func Open(opts Options) (*Spool, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Spool{opts: opts, reported: make(map[Position]struct{})}
	s.reader.spool = s
	if err := s.recover(); err != nil {
		s.reader.close()
		return nil, fmt.Errorf("spool %s: %w", opts.Dir, err)
	}
	return s, nil
}

// ID returns the random UUID that was made with the spool. Together with positions, which are never used twice, it
// names a batch among all spools.
func (s *Spool) ID() string { return s.id.String() }

// Stats is what a spool holds. Pending is what is not committed yet.
type Stats struct {
	Accepted uint64   // records ever made durable, lost ones included: the sequence after the last one
	Records  uint64   // pending, counting damaged ones that reading has not come to yet
	Batch    uint64   // of pending, those of the batch that is frozen
	Bytes    int64    // of pending records on disk
	Disk     int64    // bytes of all segments, which are what Limit limits
	Limit    int64    // bytes
	Segments int      // files
	Oldest   Position // of the oldest pending record
	Damaged  uint64   // regions reported since Open
	Lost     uint64   // records known to be lost, of those reported since Open
}

// Stats returns what the spool holds now.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Accepted: s.next,
		Batch:    s.state.end.sequence - s.state.read.sequence,
		Records:  s.pendingRecords(),
		Bytes:    s.pendingBytes(),
		Disk:     s.bytes,
		Limit:    s.opts.Limit,
		Segments: len(s.segments),
		Oldest:   s.state.read.Position,
		Damaged:  s.damaged,
		Lost:     s.lost,
	}
}

// pendingRecords needs mu.
func (s *Spool) pendingRecords() uint64 { return s.next - s.state.read.sequence }

// pendingBytes needs mu.
func (s *Spool) pendingBytes() int64 {
	var n int64
	for _, seg := range s.segments {
		switch {
		case seg.number > s.state.read.Segment:
			n += seg.end - seg.start
		case seg.number == s.state.read.Segment:
			n += max(seg.end-s.state.read.Offset, 0)
		}
	}
	return n
}

// Err returns why the spool takes no records at present, and nil when it does. After a failure of the disk it tries
// whether a segment can be written again, so that a collector without traffic notices that the disk is back.
func (s *Spool) Err() error {
	s.mu.Lock()
	failure, closed := s.failure, s.closed
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if failure == nil || errors.Is(failure, ErrFull) {
		return failure
	}
	return s.append(nil, 0)
}

// Close waits for appends under way and closes the files. Whoever waits in Next gets ErrClosed.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.wake()
	pending := s.pending
	s.mu.Unlock()
	if pending != nil {
		<-pending.done
	}

	s.writing.Lock()
	defer s.writing.Unlock()
	s.reading.Lock()
	defer s.reading.Unlock()
	s.reader.close()
	err := s.closeActive()
	// The state at the end lets the next Open notice when the newest records have disappeared.
	if s.state.acknowledged != s.next {
		err = firstError(err, s.save(s.state))
	}
	if err != nil {
		return fmt.Errorf("spool %s: close: %w", s.opts.Dir, err)
	}
	return nil
}

// closeActive syncs under either durability: a shutdown in good order leaves nothing to luck. What was prepared and not
// used is given back.
func (s *Spool) closeActive() error {
	if s.file == nil {
		return nil
	}
	_ = s.file.Truncate(s.active.end)
	return firstError(s.file.Sync(), s.file.Close())
}

// report reports damage once. Cause is what is wrong at that position, lost the sequences whose records it took.
func (s *Spool) report(at Position, lost gap, cause error) {
	if s.note(at, lost) {
		s.opts.OnDamage(&DamageError{Dir: s.opts.Dir, Segment: at.Segment, Offset: at.Offset, Lost: lost.next - lost.first, Err: cause})
	}
}

// note remembers damage and says whether it is new. The same bytes are met several times, from different places: in
// recovery, and by reading a batch up to its end. So records count as known by their sequences, and damage that took
// none by its position.
func (s *Spool) note(at Position, lost gap) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lost.first == lost.next {
		if _, known := s.reported[at]; known {
			return false
		}
	} else {
		i, _ := slices.BinarySearchFunc(s.gaps, lost.first, func(g gap, first uint64) int {
			return cmp.Compare(g.next, first+1)
		})
		if i < len(s.gaps) && s.gaps[i].first <= lost.first && lost.next <= s.gaps[i].next {
			return false
		}
		s.gaps = slices.Insert(s.gaps, i, lost)
	}
	s.reported[at] = struct{}{}
	s.damaged++
	s.lost += lost.next - lost.first
	return true
}

// drop deletes the segments that are wholly committed. One that cannot be deleted is reported, keeps counting and is
// tried again the next time; the commit has happened all the same.
func (s *Spool) drop() {
	for _, number := range s.committed() {
		err := s.opts.FS.Remove(segmentPath(s.opts.Dir, number))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			s.report(Position{Segment: number}, gap{}, fmt.Errorf("committed segment cannot be deleted: %w", err))
			continue
		}
		s.forget(number)
	}
}

func (s *Spool) committed() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var numbers []uint64
	for _, seg := range s.segments {
		if seg.sealed && (seg.next <= s.state.read.sequence || seg.number < s.state.read.Segment) {
			numbers = append(numbers, seg.number)
		}
	}
	return numbers
}

// forget removes a segment from the books, whose file is gone.
func (s *Spool) forget(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.segments, func(seg *segment) bool { return seg.number == number })
	s.bytes -= s.segments[i].end
	s.segments = slices.Delete(s.segments, i, i+1)
	maps.DeleteFunc(s.reported, func(at Position, _ struct{}) bool { return at.Segment <= number })
	s.gaps = slices.DeleteFunc(s.gaps, func(g gap) bool { return g.next <= s.state.read.sequence })
	if errors.Is(s.failure, ErrFull) {
		s.failure = nil
	}
}
