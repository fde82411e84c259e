package spool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestAppendFailures: what fails is not acknowledged and not delivered, and the spool recovers by itself.
func TestAppendFailures(t *testing.T) {
	tests := map[string]struct {
		fault func(op, string) error
		fresh bool // the failing append is the first one
	}{
		"write":                        {fault: failOn(segmentSuffix, opWrite)},
		"write, first append":          {fault: failOn(segmentSuffix, opWrite), fresh: true},
		"sync":                         {fault: failOn(segmentSuffix, opSync)},
		"sync, first append":           {fault: failOn(segmentSuffix, opSync), fresh: true},
		"create":                       {fault: failOn(segmentSuffix, opCreate), fresh: true},
		"directory":                    {fault: failOn("", opSyncDir), fresh: true},
		"write, and truncate":          {fault: failOn(segmentSuffix, opWrite, opTruncate)},
		"sync, and truncate":           {fault: failOn(segmentSuffix, opSync, opTruncate)},
		"sync, truncate and create":    {fault: failOn(segmentSuffix, opSync, opTruncate, opCreate)},
		"sync, truncate and remove":    {fault: failOn(segmentSuffix, opSync, opTruncate, opRemove)},
		"directory, and remove":        {fault: failOn("", opSyncDir, opRemove), fresh: true},
		"everything that is no memory": {fault: func(op, string) error { return syscall.EIO }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fs := newMemFS()
			s := open(t, Options{FS: fs})
			var want []string
			if !test.fresh {
				appendAll(t, s, "before")
				want = append(want, "before")
			}
			fs.setFault(test.fault)
			for i := range 3 {
				err := s.Append([][]byte{fmt.Appendf(nil, "refused %d", i)})
				if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EIO) {
					t.Fatalf("append while the disk fails: %v", err)
				}
				if test.fault(opTruncate, segmentSuffix) == nil && test.fault(opRemove, segmentSuffix) == nil {
					wantEqual(t, "delivered after kill", drain(t, open(t, Options{FS: fs.killed()})), want)
				}
				if s.Err() == nil {
					t.Fatal("Err is nil while the disk fails")
				}
			}
			if n := s.Stats().Segments; n > 1 {
				t.Errorf("failed attempts left %d segments", n)
			}
			wantEqual(t, "pending", s.Stats().Records, uint64(len(want)))
			fs.setFault(nil)
			wantEqual(t, "Err once the disk is back", s.Err(), nil)
			appendAll(t, s, "after")
			want = append(want, "after")

			stats := s.Stats()
			wantEqual(t, "bytes", stats.Disk, int64(stats.Segments*headerSize+len(strings.Join(want, ""))+len(want)*recordHeaderSize))
			killed := open(t, Options{FS: fs.killed()})
			wantEqual(t, "delivered after kill", drain(t, killed), want)
			wantEqual(t, "delivered", drain(t, s), want)
		})
	}
}

// TestFullDiskCanBeEmptied: reading and committing needs no new block, only that the position file can be overwritten.
func TestFullDiskCanBeEmptied(t *testing.T) {
	fs := newMemFS()
	s := open(t, Options{FS: fs, SegmentSize: 1024})
	for i := range 12 {
		appendAll(t, s, fmt.Sprintf("%0200d", i))
	}
	size := diskSize(fs, positionName)
	fs.setFault(failOn("", opCreate))
	wantEqual(t, "delivered", len(drain(t, s)), 12)
	wantEqual(t, "size of the position file", diskSize(fs, positionName), size)
	wantEqual(t, "segments", s.Stats().Segments, 1)
}

func TestNextFailures(t *testing.T) {
	for name, fault := range map[string]func(op, string) error{
		"read":          failOn(segmentSuffix, opRead),
		"open":          failOn(segmentSuffix, opOpen),
		"position":      failOn(positionName, opWrite),
		"position sync": failOn(positionName, opSync),
		"position open": failOn(positionName, opOpen),
	} {
		t.Run(name, func(t *testing.T) {
			fs := newMemFS()
			s := open(t, Options{FS: fs})
			appendAll(t, s, "a", "b", "c")
			fs.setFault(fault)
			for range 2 {
				if b, err := s.Next(t.Context(), 1, 100, 0); !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("Next gave %v, %v", b, err)
				}
			}
			fs.setFault(nil)
			// Nothing was frozen, so the next batch may be another one.
			wantEqual(t, "batch", asStrings(next(t, s, 2).Records), []string{"a", "b"})
			wantEqual(t, "Err", s.Err(), nil)
		})
	}
}

func TestCommitFailures(t *testing.T) {
	fs := newMemFS()
	s := open(t, Options{FS: fs})
	appendAll(t, s, "a", "b", "c")
	b := next(t, s, 2)
	for _, o := range []op{opOpen, opWrite, opSync} {
		fs.setFault(failOn(positionName, o))
		if err := s.Commit(b); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%s: Commit gave %v", o, err)
		}
		fs.setFault(nil)
		wantEqual(t, "batch after a failed commit", asStrings(next(t, s, 1).Records), []string{"a", "b"})
	}
	commit(t, s, b)
	wantEqual(t, "rest", drain(t, s), []string{"c"})
}

// TestFailedRemove: a committed segment that cannot be deleted is reported, kept in the books and deleted later.
func TestFailedRemove(t *testing.T) {
	fs := newMemFS()
	var damage recorder
	opts := Options{FS: fs, SegmentSize: 1024, OnDamage: damage.onDamage}
	s := open(t, opts)
	for i := range 9 {
		appendAll(t, s, fmt.Sprintf("%0200d", i))
	}
	fs.setFault(failOn(segmentSuffix, opRemove))
	commit(t, s, next(t, s, 5))
	commit(t, s, next(t, s, 1))
	wantEqual(t, "damage", damage.damage,
		[]string{"1:0 lost 0: committed segment cannot be deleted: no space left on device"})
	wantEqual(t, "segments", s.Stats().Segments, 3)

	reopened := open(t, Options{FS: fs.killed(), SegmentSize: 1024})
	wantEqual(t, "segments after reopening", reopened.Stats().Segments, 2)
	fs.setFault(nil)
	commit(t, s, next(t, s, 1))
	wantEqual(t, "segments at last", s.Stats().Segments, 2)
}

// TestOpenFailures: a disk that cannot be read is an error, never taken for damage.
func TestOpenFailures(t *testing.T) {
	fs := newMemFS()
	s := open(t, Options{FS: fs})
	appendAll(t, s, "a", "b")
	next(t, s, 1)
	for _, o := range []op{opRead, opOpen, opSync, opSyncDir} {
		after := fs.killed()
		after.setFault(failOn("", o))
		if _, err := Open(Options{Dir: "dir", FS: after, OnDamage: noDamage(t)}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: Open gave %v", o, err)
		}
		after.setFault(nil)
		if got := drain(t, open(t, Options{FS: after})); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%s: delivered %v", o, got)
		}
	}
}
