package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

// Position is a place in the spool: an offset in bytes into the file of a segment.
type Position struct {
	Segment uint64
	Offset  int64
}

// Batch is what Next has read. From, To and the spool's ID name it for ever.
type Batch struct {
	From, To Position
	Records  [][]byte // valid until the next call of Next
}

// Next waits until a record is available, then up to linger for maxRecords or about maxBytes, and returns the oldest
// records that are not committed: at least one, at most maxRecords, and at most maxBytes unless the first alone is larger.
//
// The batch is frozen: its end is durable before Next returns, and until it is committed every call, also after a
// crash, returns the same batch, whatever the limits then are. Next and Commit are for one consumer.
//
// After an error of the disk nothing is frozen and the call can be repeated. Damaged records are reported and skipped.
func (s *Spool) Next(ctx context.Context, maxRecords, maxBytes int, linger time.Duration) (Batch, error) {
	if maxRecords < 1 || maxBytes < 1 {
		return Batch{}, fmt.Errorf("spool: Next was asked for %d records and %d bytes, the least is 1", maxRecords, maxBytes)
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.state.end != s.state.read {
		batch, err := s.readFrozen()
		if err != nil || len(batch.Records) > 0 {
			return batch, err
		}
	}
	for {
		if err := s.wait(ctx, maxRecords, maxBytes, linger); err != nil {
			return Batch{}, err
		}
		batch, err := s.freeze(maxRecords, maxBytes)
		if err != nil || len(batch.Records) > 0 {
			return batch, err
		}
	}
}

// readFrozen reads the frozen batch again. It is empty when no record of it can be read any more; then it is over.
func (s *Spool) readFrozen() (Batch, error) {
	if s.isClosed() {
		return Batch{}, ErrClosed
	}
	batch, _, err := s.read(s.state.end.sequence, math.MaxInt, math.MaxInt)
	batch.To = s.state.end.Position
	if err == nil && len(batch.Records) == 0 {
		s.skip(s.state.end)
	}
	return batch, err
}

// freeze reads a new batch and makes its end durable. It is empty when all that was available is damaged.
func (s *Spool) freeze(maxRecords, maxBytes int) (Batch, error) {
	s.mu.Lock()
	until, pending := s.next, s.pendingBytes()
	s.mu.Unlock()
	s.arena = slices.Grow(s.arena[:0], int(min(int64(maxBytes), pending)))
	batch, end, err := s.read(until, maxRecords, maxBytes)
	if err != nil {
		return Batch{}, err
	}
	if len(batch.Records) == 0 {
		s.skip(end)
		return batch, nil
	}
	frozen := s.state
	frozen.end = end
	if err := s.save(frozen); err != nil {
		return Batch{}, fmt.Errorf("spool %s: %w", s.opts.Dir, err)
	}
	return batch, nil
}

// skip moves the read position over records that cannot be read. It becomes durable with the next batch.
func (s *Spool) skip(to cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.read, s.state.end = to, to
}

// read reads records from the read position on, up to a sequence, and returns where it stopped.
func (s *Spool) read(until uint64, maxRecords, maxBytes int) (Batch, cursor, error) {
	r := &s.reader
	s.arena, s.records = s.arena[:0], s.records[:0]
	r.seek(s.state.read)
	for len(s.records) < maxRecords {
		before := r.at
		rec, err := r.next(until)
		if errors.Is(err, io.EOF) {
			if r.at.sequence < until {
				r.lose(until)
			}
			break
		}
		if err != nil {
			return Batch{}, cursor{}, fmt.Errorf("spool %s: %w", s.opts.Dir, err)
		}
		if len(s.records) > 0 && len(rec.payload) > maxBytes-len(s.arena) {
			r.seek(before)
			break
		}
		start := len(s.arena)
		s.arena = append(s.arena, rec.payload...)
		s.records = append(s.records, s.arena[start:len(s.arena):len(s.arena)])
	}
	return Batch{From: s.state.read.Position, To: r.at.Position, Records: s.records}, r.at, nil
}

// Commit moves the read position behind the batch that Next returned last, durably, and deletes the segments that lie
// before it. After an error of the disk the batch is still the frozen one and Commit can be repeated.
func (s *Spool) Commit(batch Batch) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.isClosed() {
		return ErrClosed
	}
	next := s.state
	if next.read == next.end || batch.From != next.read.Position || batch.To != next.end.Position {
		return fmt.Errorf("spool %s: commit of %v to %v, which is not the batch that Next returned last",
			s.opts.Dir, batch.From, batch.To)
	}
	next.read = next.end
	if err := s.save(next); err != nil {
		return fmt.Errorf("spool %s: %w", s.opts.Dir, err)
	}
	s.reader.seek(next.read) // lets go of a file that is to be deleted
	s.drop()
	return nil
}

func (s *Spool) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// waiter is a call of Next that waits for records.
type waiter struct {
	ready func() bool // called with mu held, after each append
	woken chan struct{}
}

// wake needs mu.
func (s *Spool) wake() {
	if s.waiter != nil {
		close(s.waiter.woken)
		s.waiter = nil
	}
}

// wait returns once a record is available and then enough of them are, or linger is over.
func (s *Spool) wait(ctx context.Context, maxRecords, maxBytes int, linger time.Duration) error {
	if err := s.await(ctx, func() bool { return s.pendingRecords() > 0 }); err != nil {
		return err
	}
	lingering, cancel := context.WithTimeout(ctx, linger)
	defer cancel()
	err := s.await(lingering, func() bool {
		return s.pendingRecords() >= uint64(maxRecords) || s.pendingBytes() >= int64(maxBytes)
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// await returns nil once ready, and an error when the spool is closed or the context ends before.
func (s *Spool) await(ctx context.Context, ready func() bool) error {
	s.mu.Lock()
	if s.closed || ready() {
		defer s.mu.Unlock()
		return s.closedError()
	}
	w := &waiter{ready: ready, woken: make(chan struct{})}
	s.waiter = w
	s.mu.Unlock()
	select {
	case <-w.woken:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.closedError()
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiter = nil
		return ctx.Err()
	}
}

// closedError needs mu.
func (s *Spool) closedError() error {
	if s.closed {
		return ErrClosed
	}
	return nil
}

// segmentFrom returns the first segment whose number is at least number.
func (s *Spool) segmentFrom(number uint64) (seg segment, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		if seg.number >= number {
			return *seg, true
		}
	}
	return segment{}, false
}

// has says whether there is a segment of that number.
func (s *Spool) has(number uint64) bool {
	seg, ok := s.segmentFrom(number)
	return ok && seg.number == number
}

// reader reads the records of all segments in sequence and reports what it must skip.
type reader struct {
	spool   *Spool
	at      cursor  // of the next record
	segment segment // whose file is open
	file    File    // nil: none is
	scanner scanner
	skipped error // what is wrong with the bytes that were skipped since at
}

// unknown is the sequence after the last record of a segment that is still to be read for the first time.
const unknown = math.MaxUint64

// seek makes c the place of the next record.
func (r *reader) seek(c cursor) {
	r.at, r.skipped = c, nil
	seg, ok := r.spool.segmentFrom(c.Segment)
	if !ok || r.file == nil || seg.number != c.Segment || seg.number != r.segment.number {
		r.close()
		return
	}
	r.segment = seg
	r.scanner.offset, r.scanner.size = c.Offset, seg.end
}

// next returns the next record before the sequence until, and io.EOF when there is none. Its payload is valid until
// the next call.
func (r *reader) next(until uint64) (record, error) {
	for r.at.sequence < until {
		if err := r.open(); err != nil {
			return record{}, err
		}
		if r.at.sequence >= until {
			break // what was missing before this segment went beyond it
		}
		rec, err := r.scanner.next()
		if err != nil && !errors.Is(err, io.EOF) {
			r.close()
			return record{}, fmt.Errorf("read segment %d: %w", r.segment.number, err)
		}
		r.remember(rec.skipped)
		switch {
		case errors.Is(err, io.EOF) || rec.sequence >= r.segment.next:
			if !r.leave() {
				return record{}, io.EOF
			}
		case rec.sequence < r.at.sequence:
			r.remember(errRepeated)
		case rec.sequence >= until:
			r.lose(until)
			return record{}, io.EOF
		default:
			if r.skipped != nil || rec.sequence > r.at.sequence {
				r.lose(rec.sequence)
			}
			r.at = cursor{Position{r.segment.number, rec.end}, rec.sequence + 1}
			return rec, nil
		}
	}
	return record{}, io.EOF
}

// remember keeps the first of the reasons for which bytes are skipped.
func (r *reader) remember(skipped error) {
	if r.skipped == nil {
		r.skipped = skipped
	}
}

// lose reports that the records before the sequence next cannot be read.
func (r *reader) lose(next uint64) {
	r.remember(errMissing)
	r.spool.report(r.at.Position, gap{r.at.sequence, next}, r.skipped)
	r.at.sequence, r.skipped = next, nil
}

// open opens the segment that holds the next record, unless it is open. It returns io.EOF when there is none.
func (r *reader) open() error {
	for r.file == nil {
		seg, ok := r.spool.segmentFrom(r.at.Segment)
		if !ok {
			return io.EOF
		}
		r.enter(seg)
		f, err := r.spool.opts.FS.OpenFile(segmentPath(r.spool.opts.Dir, seg.number), os.O_RDONLY)
		switch {
		case err == nil:
			r.file = f
			r.scanner.reset(f, markOf(r.spool.id, seg.number), r.at.Offset, seg.end)
		case !errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("read segment %d: %w", seg.number, err)
		default:
			r.remember(errNoFile)
			if !r.leave() {
				return io.EOF
			}
		}
	}
	return nil
}

// enter moves on to a segment, and reports records that are missing before its first one.
func (r *reader) enter(seg segment) {
	if seg.first != unknown && seg.first > r.at.sequence {
		r.blame(seg.number, seg.wrong)
		r.lose(seg.first)
	}
	if seg.number != r.at.Segment {
		r.at.Position = Position{seg.number, seg.start}
	}
	r.segment, r.skipped = seg, nil
	if r.at.Offset < headerSize {
		r.skipped = seg.wrong
	}
}

// blame finds out where records went that are missing between the last one read and the segment with that number,
// whose header may be wrong: into bytes that were skipped, with a file that is missing, or this header.
func (r *reader) blame(number uint64, wrong error) {
	switch {
	case r.skipped != nil:
	case !r.spool.has(r.at.Segment):
		r.remember(errNoFile)
	case number > r.at.Segment+1:
		r.at.Position = Position{Segment: r.at.Segment + 1}
		r.remember(errNoFile)
	case number > r.at.Segment && wrong != nil:
		r.at.Position = Position{Segment: number}
		r.remember(wrong)
	}
}

// leave ends a segment and enters the following one; false means that there is none.
//
// Bytes at the end that are no whole records are no damage while the sequence is complete: they were abandoned.
func (r *reader) leave() bool {
	r.close()
	following, ok := r.spool.segmentFrom(r.segment.number + 1)
	switch missing := r.segment.next != unknown && r.at.sequence < r.segment.next; {
	case missing && (!ok || r.skipped != nil):
		r.lose(r.segment.next)
		r.at.Position = Position{r.segment.number, r.segment.end}
	case !missing && ok && r.skipped != nil && r.segment.wrong != nil:
		r.lose(r.at.sequence) // a file in which nothing is whole
	case !missing && ok:
		r.skipped = nil
	}
	if ok {
		r.enter(following)
	}
	return ok
}

// close lets go of the file. Nothing was written through it, so an error of closing it means nothing.
func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}
