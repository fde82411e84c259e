package spool

import (
	"errors"
	"fmt"
)

var (
	// ErrFull means that the records would take the spool over its limit. Nothing of them was kept; there is room
	// again once batches have been committed.
	ErrFull = errors.New("spool is full")
	// ErrClosed means that the spool was closed.
	ErrClosed = errors.New("spool is closed")
	// ErrTooLarge means that a record, or all of an append, can never be taken.
	ErrTooLarge = errors.New("too large for the spool")
	// ErrVersion means that another version of the program wrote the spool. Nothing was changed.
	ErrVersion = errors.New("unknown format version")
	// ErrTorn is the cause of a DamageError about the cut end of the last segment: the program ended while it wrote
	// there. As far as is known nothing of it had been acknowledged.
	ErrTorn = errors.New("torn tail cut")
)

// DamageError tells of a region of a spool that cannot be read and was skipped.
type DamageError struct {
	Dir     string
	Segment uint64 // 0: the position file
	Offset  int64  // where the region begins
	Lost    uint64 // how many records are known to be gone with it
	Err     error  // what is wrong there
}

func (e *DamageError) Error() string {
	where := fmt.Sprintf("segment %d, offset %d", e.Segment, e.Offset)
	if e.Segment == 0 {
		where = fmt.Sprintf("position file, offset %d", e.Offset)
	}
	return fmt.Sprintf("spool %s: %s: %v (%d records lost)", e.Dir, where, e.Err, e.Lost)
}

// firstError returns the first error that is not nil: what fails after it follows from it.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Unwrap returns what is wrong.
func (e *DamageError) Unwrap() error { return e.Err }
