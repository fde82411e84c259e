package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// save makes the next state durable. On error the one before is still whole in the other slot, and counts.
func (s *Spool) save(next state) error {
	s.mu.Lock()
	next.acknowledged = s.next
	s.mu.Unlock()
	next.generation++
	slot := int64(next.generation%2) * slotDistance
	// It is opened each time, because a file on a disk that went away and came back does not recover.
	if err := s.writePosition(os.O_WRONLY, next.marshal(), slot); err != nil {
		return fmt.Errorf("save position: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = next
	return nil
}

// create makes the position file at its full size, so that saving never needs a free block.
func (s *Spool) create() error {
	s.state.acknowledged = s.next
	b := make([]byte, 2*slotDistance)
	copy(b, s.state.marshal())
	if err := s.writePosition(os.O_WRONLY|os.O_CREATE, b, 0); err != nil {
		return fmt.Errorf("create position: %w", err)
	}
	return s.opts.FS.SyncDir(filepath.Dir(s.opts.Dir))
}

func (s *Spool) writePosition(flag int, b []byte, offset int64) error {
	f, err := s.opts.FS.OpenFile(filepath.Join(s.opts.Dir, positionName), flag)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, offset)
	if err == nil {
		err = f.Sync()
	}
	return firstError(err, f.Close())
}

// slot is what was found in a slot of the position file.
type slot struct {
	state state
	wrong error // a defect; nil: the slot is whole
}

// loadPosition returns the two slots. A missing file is a defect of both.
func loadPosition(fs FS, dir string) ([2]slot, error) {
	f, err := fs.OpenFile(filepath.Join(dir, positionName), os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return [2]slot{{wrong: errNoFile}, {wrong: errNoFile}}, nil
	}
	if err != nil {
		return [2]slot{}, err
	}
	defer f.Close()
	var slots [2]slot
	for i := range slots {
		if slots[i], err = readSlot(f, int64(i)*slotDistance); err != nil {
			return slots, fmt.Errorf("position file: %w", err)
		}
	}
	return slots, nil
}

func readSlot(f File, offset int64) (slot, error) {
	var b [slotSize]byte
	n, err := f.ReadAt(b[:], offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return slot{}, err
	}
	if b == [slotSize]byte{} {
		return slot{wrong: errUnused}, nil
	}
	st, err := unmarshalState(b[:n])
	if isDefect(err) {
		return slot{wrong: err}, nil
	}
	return slot{state: st}, err
}

// newest returns the whole slot of the higher generation; ok is false when there is none.
func newest(slots [2]slot) (st state, ok bool) {
	for _, sl := range slots {
		if sl.wrong == nil && (!ok || sl.state.generation > st.generation) {
			st, ok = sl.state, true
		}
	}
	return st, ok
}
