package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"
)

// Dump lists for people what the spool in dir holds: its position file, its segments, and each record with its state.
// It changes nothing, and reports damage as lines of the list.
func Dump(dir string, w io.Writer) error {
	out := bufio.NewWriter(w)
	fs := osFS{}
	slots, err := loadPosition(fs, dir)
	if err != nil {
		return fmt.Errorf("spool %s: %w", dir, err)
	}
	for i, sl := range slots {
		dumpSlot(out, i, sl)
	}
	numbers, err := segmentNumbers(fs, dir)
	if err != nil {
		return fmt.Errorf("spool %s: %w", dir, err)
	}
	st, _ := newest(slots)
	for _, number := range numbers {
		err := dumpSegment(out, fs, dir, number, st.id)
		if errors.Is(err, os.ErrNotExist) {
			continue // it was committed meanwhile
		}
		if err != nil {
			return fmt.Errorf("spool %s: segment %d: %w", dir, number, err)
		}
	}
	return out.Flush()
}

// Inspect reads what the spool in dir holds, and its ID; it changes nothing. Nobody may have the spool open, else records
// that are being written count as damage. Of Stats, Limit is 0.
func Inspect(dir string) (id string, stats Stats, err error) {
	s := &Spool{opts: Options{Dir: dir, FS: osFS{}, OnDamage: func(*DamageError) {}}, reported: make(map[Position]struct{})}
	s.reader.spool = s
	defer s.reader.close()
	if err := s.inspect(); err != nil {
		return "", Stats{}, fmt.Errorf("spool %s: %w", dir, err)
	}
	return s.ID(), s.Stats(), nil
}

// inspect is recover without its changes.
func (s *Spool) inspect() error {
	ids, err := s.findSegments()
	if err != nil {
		return err
	}
	known, err := s.recoverState(ids)
	if err != nil {
		return err
	}
	if err = s.recoverSequences(); err != nil {
		return err
	}
	if !known {
		s.state = s.startOver()
	}
	_, complete, err := s.readPending(known)
	if err == nil && complete {
		s.trim(s.reader.at.Position)
	}
	return err
}

func dumpSlot(w io.Writer, i int, sl slot) {
	if sl.wrong != nil {
		fmt.Fprintf(w, "position slot %d: %v\n", i, sl.wrong)
		return
	}
	st := sl.state
	fmt.Fprintf(w, "position slot %d: spool %v, generation %d, read %v, end of the frozen batch %v, acknowledged %d\n",
		i, st.id, st.generation, st.read, st.end, st.acknowledged)
}

// String prints as segment:offset.
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Segment, p.Offset) }

// String prints as segment:offset#sequence.
func (c cursor) String() string { return fmt.Sprintf("%v#%d", c.Position, c.sequence) }

func dumpSegment(w io.Writer, fs FS, dir string, number uint64, id uuid.UUID) error {
	seg, h, err := inspect(fs, dir, number)
	if err != nil {
		return err
	}
	if seg.wrong != nil {
		fmt.Fprintf(w, "segment %d: %d bytes, %v\n", number, seg.end, seg.wrong)
	} else {
		fmt.Fprintf(w, "segment %d: %d bytes, spool %v, first sequence %d\n", number, seg.end, h.id, h.first)
		id = h.id
	}
	f, err := fs.OpenFile(segmentPath(dir, number), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	var sc scanner
	sc.reset(f, markOf(id, number), seg.start, seg.end)
	return dumpRecords(w, &sc)
}

func dumpRecords(w io.Writer, sc *scanner) error {
	for {
		from := sc.offset
		rec, err := sc.next()
		if errors.Is(err, io.EOF) {
			rec.offset = sc.size
		} else if err != nil {
			return err
		}
		switch size := rec.offset - from; {
		case rec.skipped != nil:
			fmt.Fprintf(w, "  offset %d: %d bytes damaged: %v\n", from, size, rec.skipped)
		case size > 0:
			fmt.Fprintf(w, "  offset %d: %d bytes prepared for records to come\n", from, size)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		fmt.Fprintf(w, "  offset %d: sequence %d, %d bytes, CRC ok\n", rec.offset, rec.sequence, len(rec.payload))
	}
}
