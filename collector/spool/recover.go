package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/uuid"
)

// recover finds out what the directory holds, reports what is damaged and cuts a torn tail. It never appends to a
// segment it found: a position that may once have named other bytes is not used again.
func (s *Spool) recover() error {
	if err := s.opts.FS.MkdirAll(s.opts.Dir); err != nil {
		return err
	}
	ids, err := s.findSegments()
	if err != nil {
		return err
	}
	known, err := s.recoverState(ids)
	if err != nil {
		return err
	}
	if err := s.recoverSequences(); err != nil {
		return err
	}
	if !known {
		s.state = s.startOver()
	}
	if err := s.recoverRecords(known); err != nil {
		return err
	}
	if err := s.settleState(known); err != nil {
		return err
	}
	s.drop()
	return s.opts.FS.SyncDir(s.opts.Dir)
}

// findSegments lists the segments and returns the spool IDs that their headers name.
func (s *Spool) findSegments() (map[uint64]uuid.UUID, error) {
	numbers, err := segmentNumbers(s.opts.FS, s.opts.Dir)
	if err != nil {
		return nil, err
	}
	ids := make(map[uint64]uuid.UUID)
	for _, number := range numbers {
		seg, h, err := inspect(s.opts.FS, s.opts.Dir, number)
		if err != nil {
			return nil, fmt.Errorf("segment %d: %w", number, err)
		}
		if seg.wrong == nil {
			ids[number] = h.id
		}
		s.segments = append(s.segments, &seg)
		s.bytes += seg.end
	}
	return ids, nil
}

// segmentNumbers returns the numbers of the segments in a directory in ascending order.
func segmentNumbers(fs FS, dir string) ([]uint64, error) {
	names, err := fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, name := range names {
		if number, ok := segmentNumber(name); ok {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// inspect reads the header of a segment. The records of one whose header is damaged may begin anywhere.
func inspect(fs FS, dir string, number uint64) (segment, header, error) {
	f, err := fs.OpenFile(segmentPath(dir, number), os.O_RDONLY)
	if err != nil {
		return segment{}, header{}, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return segment{}, header{}, err
	}
	b := make([]byte, headerSize)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return segment{}, header{}, err
	}
	h, err := unmarshalHeader(b[:n])
	if err == nil && h.number != number {
		err = errNumber
	}
	if isDefect(err) {
		return segment{number: number, first: unknown, next: unknown, end: size, sealed: true, wrong: fmt.Errorf("header: %w", err)}, h, nil
	}
	return segment{number: number, first: h.first, next: unknown, start: headerSize, end: size, sealed: true}, h, err
}

// recoverState reads the position file. When that says nothing, known is false and only the ID is recovered, from the
// segments.
func (s *Spool) recoverState(ids map[uint64]uuid.UUID) (known bool, err error) {
	slots, err := loadPosition(s.opts.FS, s.opts.Dir)
	if err != nil {
		return false, err
	}
	s.state, known = newest(slots)
	s.id = s.state.id
	s.reportSlots(slots, known)
	for _, seg := range s.segments {
		id, ok := ids[seg.number]
		if ok && s.id == uuid.Nil {
			s.id = id
		}
		if ok && s.id != id {
			return false, fmt.Errorf("segment %d is of spool %v, this is spool %v: move it to a directory of its own", seg.number, id, s.id)
		}
	}
	if s.id == uuid.Nil {
		s.id = uuid.New()
	}
	return known, nil
}

// reportSlots reports damaged slots. The second one is empty before the first batch, both are in a new spool.
func (s *Spool) reportSlots(slots [2]slot, known bool) {
	for i, sl := range slots {
		fresh := known && s.state.generation == 0 && errors.Is(sl.wrong, errUnused)
		created := !known && len(s.segments) == 0 && (errors.Is(sl.wrong, errUnused) || errors.Is(sl.wrong, errNoFile))
		if sl.wrong != nil && !fresh && !created {
			s.report(Position{Offset: int64(i) * slotDistance}, gap{}, sl.wrong)
		}
	}
}

// recoverSequences finds out which sequences belong to which segment: a segment ends where the following one begins.
func (s *Spool) recoverSequences() error {
	next := uint64(unknown)
	for _, seg := range slices.Backward(s.segments) {
		if seg.wrong != nil {
			first, err := s.firstSequence(seg)
			if err != nil {
				return fmt.Errorf("segment %d: %w", seg.number, err)
			}
			seg.first = min(first, next)
		}
		seg.next = next
		next = seg.first
	}
	return nil
}

// firstSequence returns the sequence of the first whole record in a segment, unknown if there is none.
func (s *Spool) firstSequence(seg *segment) (uint64, error) {
	f, err := s.opts.FS.OpenFile(segmentPath(s.opts.Dir, seg.number), os.O_RDONLY)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var sc scanner
	sc.reset(f, markOf(s.id, seg.number), 0, seg.end)
	rec, err := sc.next()
	if errors.Is(err, io.EOF) {
		return unknown, nil
	}
	return rec.sequence, err
}

// startOver returns the state of a spool that is read from the first record it has.
func (s *Spool) startOver() state {
	from := cursor{Position: Position{Segment: 1, Offset: headerSize}}
	if len(s.segments) > 0 {
		seg := s.segments[0]
		from.Position = Position{seg.number, seg.start}
		if seg.first != unknown {
			from.sequence = seg.first
		}
	}
	return state{id: s.id, read: from, end: from, acknowledged: from.sequence}
}

// recoverRecords reads all that is not committed and settles where the last segment ends.
func (s *Spool) recoverRecords(known bool) error {
	durable, complete, err := s.readPending(known)
	if err != nil {
		return err
	}
	if complete {
		if err := s.settleTail(durable, s.reader.at.Position, s.reader.skipped != nil); err != nil {
			return fmt.Errorf("settle the end of segment %d: %w", s.reader.at.Segment, err)
		}
	}
	for _, seg := range s.segments {
		seg.first, seg.next = min(seg.first, s.next), min(seg.next, s.next)
	}
	return nil
}

// readPending reads all that is not committed, which reports what is damaged, and finds out where the sequence ends.
// It returns up to where records are known to be durable, and whether the newest record is there. It changes no file.
func (s *Spool) readPending(known bool) (durable Position, complete bool, err error) {
	r := &s.reader
	r.seek(s.state.read)
	durable = r.at.Position
	for {
		if _, err := r.next(unknown); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Position{}, false, err
		}
		if r.at.sequence <= s.state.acknowledged {
			durable = r.at.Position
		}
	}
	s.next = max(r.at.sequence, s.state.acknowledged, s.state.end.sequence)
	s.number = s.firstFreeNumber()
	if r.at.sequence < s.next || r.skipped != nil && !known {
		r.blame(s.number, nil)
		r.lose(s.next)
		return durable, false, nil
	}
	return durable, true, nil
}

// settleTail ends the last segment after its last whole record, and reports when more than zeros is behind that. The
// segment is deleted when not even its header is whole; otherwise that says where the segment before it ends.
//
// What lies behind the position up to which it is known to be durable is written once more and synced: the process
// before may have ended without a sync, or after one that failed, when the system shows bytes that it takes for
// written and the disk never got.
func (s *Spool) settleTail(durable, end Position, torn bool) error {
	last, rest := s.trim(end)
	if last == nil {
		return nil
	}
	if torn && rest > 0 {
		s.report(end, gap{}, fmt.Errorf("%w: %d bytes", ErrTorn, rest))
	}
	path := segmentPath(s.opts.Dir, last.number)
	if last.first == unknown {
		s.forget(last.number)
		return s.opts.FS.Remove(path)
	}
	f, err := s.opts.FS.OpenFile(path, os.O_RDWR)
	if err != nil {
		return err
	}
	if rest > 0 {
		err = f.Truncate(end.Offset)
	}
	if err == nil {
		err = rewrite(f, last.offsetOf(durable), end.Offset)
	}
	return firstError(err, f.Sync(), f.Close())
}

// trim takes what is behind the last record out of the books. It returns the last segment, or nil when the record is not
// there, and how many bytes its file has behind it.
func (s *Spool) trim(end Position) (last *segment, rest int64) {
	if len(s.segments) == 0 || s.segments[len(s.segments)-1].number != end.Segment {
		return nil, 0
	}
	last = s.segments[len(s.segments)-1]
	rest = last.end - end.Offset
	s.bytes -= rest
	last.end = end.Offset
	return last, rest
}

// offsetOf returns the offset of p in the segment, and 0 when p lies before it.
func (seg *segment) offsetOf(p Position) int64 {
	if p.Segment < seg.number {
		return 0
	}
	return p.Offset
}

// rewrite writes the bytes of f from one offset to another in their place.
func rewrite(f File, from, to int64) error {
	_, err := io.Copy(io.NewOffsetWriter(f, from), io.NewSectionReader(f, from, to-from))
	return err
}

// settleState saves the state that was found, for the same reason, or creates the position file.
func (s *Spool) settleState(known bool) error {
	if known {
		return s.save(s.state)
	}
	return s.create()
}

// firstFreeNumber returns a number above that of every segment that there is or was.
func (s *Spool) firstFreeNumber() uint64 {
	number := uint64(1)
	if s.next > 0 {
		number = max(s.state.read.Segment, s.state.end.Segment) + 1
	}
	if n := len(s.segments); n > 0 {
		number = max(number, s.segments[n-1].number+1)
	}
	return number
}
