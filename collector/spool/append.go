package spool

import (
	"fmt"
	"os"
	"runtime"
)

// group is the appends that share one write and one fsync. The first to join leads it: it waits until the group
// before is on disk, while others join, and then writes for all.
type group struct {
	buf  []byte
	done chan struct{} // closed when err is set
	err  error
}

// Append makes the records durable and returns; they are copied. It is safe for concurrent use, and concurrent calls
// share their fsync. After ErrFull, ErrClosed and ErrTooLarge nothing was kept; after any other error see the package
// comment. Each call after an error tries the disk again.
func (s *Spool) Append(records [][]byte) error {
	if len(records) == 0 {
		return nil
	}
	size, err := s.encodedSize(records)
	if err != nil {
		return err
	}
	return s.append(records, size)
}

func (s *Spool) encodedSize(records [][]byte) (int64, error) {
	var size int64
	for i, record := range records {
		if len(record) > MaxRecord {
			return 0, fmt.Errorf("%w: record %d has %d bytes, the most is %d", ErrTooLarge, i, len(record), MaxRecord)
		}
		size += recordHeaderSize + int64(len(record))
	}
	if most := s.opts.SegmentSize - headerSize; size > most {
		return 0, fmt.Errorf("%w: the records of one append take %d bytes, the most is %d", ErrTooLarge, size, most)
	}
	return size, nil
}

// append with no records writes what a segment needs to take some.
func (s *Spool) append(records [][]byte, size int64) error {
	g, leads, err := s.join(records, size)
	if err != nil {
		return err
	}
	if leads {
		s.lead(g)
	}
	<-g.done
	return g.err
}

// join adds records to the pending group, and begins it when there is none.
func (s *Spool) join(records [][]byte, size int64) (g *group, leads bool, err error) {
	if err := s.lockForJoin(size); err != nil {
		return nil, false, err
	}
	defer s.mu.Unlock()
	if s.bytes+headerSize+size > s.opts.Limit {
		if s.failure == nil {
			s.failure = ErrFull
		}
		return nil, false, ErrFull
	}
	s.bytes += size
	if s.pending == nil {
		s.pending, leads = &group{buf: s.spare[:0], done: make(chan struct{})}, true
		s.spare = nil
	}
	for _, record := range records {
		s.pending.buf = appendRecord(s.pending.buf, record)
	}
	return s.pending, leads, nil
}

// lockForJoin locks mu once the pending group has room, unless the spool is closed.
func (s *Spool) lockForJoin(size int64) error {
	most := min(maxGroup, s.opts.SegmentSize-headerSize)
	for {
		s.mu.Lock()
		g := s.pending
		if s.closed {
			s.mu.Unlock()
			return ErrClosed
		}
		if g == nil || int64(len(g.buf))+size <= most {
			return nil
		}
		s.mu.Unlock()
		<-g.done
	}
}

// lead writes the group once it is its turn.
func (s *Spool) lead(g *group) {
	s.writing.Lock()
	// Those whom the last group has just woken get the chance to join this one: fewer, larger groups.
	runtime.Gosched()
	s.mu.Lock()
	s.pending = nil
	s.mu.Unlock()
	g.err = s.write(g.buf)
	s.settle(g)
	s.writing.Unlock()
	close(g.done)
}

// settle books the outcome of a group and keeps its buffer.
func (s *Spool) settle(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = g.err
	if g.err != nil {
		s.bytes -= int64(len(g.buf))
	}
	if cap(g.buf) <= maxGroup {
		s.spare = g.buf
	}
	g.buf = nil
	if s.waiter != nil && s.waiter.ready() {
		s.wake()
	}
}

// write makes encoded records durable behind all earlier ones. It needs writing, as all below.
func (s *Spool) write(buf []byte) error {
	if s.active != nil && s.active.end+int64(len(buf)) > s.opts.SegmentSize {
		s.seal()
	}
	if s.active == nil {
		if err := s.begin(); err != nil {
			return fmt.Errorf("spool %s: begin segment %d: %w", s.opts.Dir, s.number, err)
		}
	}
	next := stamp(buf, markOf(s.id, s.number), s.active.next)
	err := s.writeActive(buf)
	if err != nil {
		err = fmt.Errorf("spool %s: write segment %d: %w", s.opts.Dir, s.number, err)
		s.abandon()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active.end += int64(len(buf))
	s.active.next, s.next = next, next
	return nil
}

// writeActive writes buf behind the records of the active segment.
func (s *Spool) writeActive(buf []byte) error {
	if s.opts.Durability != Fsync {
		_, err := s.file.WriteAt(buf, s.active.end)
		return err
	}
	if err := s.prepare(s.active.end + int64(len(buf))); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(buf, s.active.end); err != nil {
		return err
	}
	return s.file.Sync()
}

// prepareSize is how many bytes of a segment are prepared at a time.
const prepareSize = 4 << 20

var zeros [prepareSize]byte

// prepare writes zeros from the end of the active segment to beyond an offset and makes them durable. A file whose size
// and blocks do not change any more takes half the time to sync, because its metadata need not be written.
func (s *Spool) prepare(until int64) error {
	if until <= s.prepared {
		return nil
	}
	s.prepared = s.active.end
	for s.prepared < until {
		n := min(prepareSize, s.opts.SegmentSize-s.prepared)
		if _, err := s.file.WriteAt(zeros[:n], s.prepared); err != nil {
			return err
		}
		s.prepared += n
	}
	return s.file.Sync()
}

// begin creates the segment that is written next. Its header becomes durable with its first records.
func (s *Spool) begin() error {
	// An earlier attempt may have left a file of this number. Nothing in it was ever acknowledged.
	path := segmentPath(s.opts.Dir, s.number)
	f, err := s.opts.FS.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(header{id: s.id, number: s.number, first: s.next}.marshal(), 0)
	if err == nil && s.opts.Durability == Fsync {
		err = s.opts.FS.SyncDir(s.opts.Dir)
	}
	if err != nil {
		return firstError(err, f.Close(), s.opts.FS.Remove(path))
	}
	s.file, s.prepared = f, headerSize
	s.active = &segment{number: s.number, first: s.next, next: s.next, start: headerSize, end: headerSize}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = append(s.segments, s.active)
	s.bytes += headerSize
	return nil
}

// seal ends the active segment and gives back what it has not used. All in it is durable already, so nothing of this can
// lose anything.
func (s *Spool) seal() {
	_ = s.file.Truncate(s.active.end)
	_ = s.file.Close()
	s.mu.Lock()
	s.active.sealed = true
	s.mu.Unlock()
	s.active, s.file = nil, nil
	s.number++
}

// abandon ends the active segment before the bytes whose write or fsync failed. Truncating may fail as well, which
// does no harm: the header of the next segment says where this one ends.
func (s *Spool) abandon() {
	if s.active.first < s.active.next {
		s.seal()
		return
	}
	// Nothing was acknowledged from it: its number is used again, so that a failing disk does not fill with segments.
	_ = s.file.Close()
	_ = s.opts.FS.Remove(segmentPath(s.opts.Dir, s.number))
	s.forget(s.number)
	s.active, s.file = nil, nil
}
