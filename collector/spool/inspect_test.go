package spool

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// snapshot is the content of all files in a directory.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(data)
	}
	return files
}

// What Inspect says is what the spool itself says, before and after, and the files stay as they are.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, SegmentSize: 1024})
	check := func(about string, wantRecords, wantBatch, wantAccepted uint64) {
		t.Helper()
		before := snapshot(t, dir)
		id, got, err := Inspect(dir)
		if err != nil || id != s.ID() {
			t.Fatalf("%s: spool %s, %v; want %s", about, id, err, s.ID())
		}
		want := s.Stats()
		want.Limit = 0
		if got != want {
			t.Errorf("%s: %+v, want what the open spool says: %+v", about, got, want)
		}
		if got.Records != wantRecords || got.Batch != wantBatch || got.Accepted != wantAccepted {
			t.Errorf("%s: %d pending, %d frozen, %d accepted; want %d, %d, %d",
				about, got.Records, got.Batch, got.Accepted, wantRecords, wantBatch, wantAccepted)
		}
		if after := snapshot(t, dir); len(after) != len(before) {
			t.Errorf("%s: files have changed", about)
		} else {
			for name, content := range before {
				if after[name] != content {
					t.Errorf("%s: file %s has changed", about, name)
				}
			}
		}
	}
	check("new", 0, 0, 0)
	for range 40 {
		appendAll(t, s, "a record of some length, so that there are several segments")
	}
	check("filled", 40, 0, 40)
	commit(t, s, next(t, s, 7))
	check("committed", 33, 0, 40)
	next(t, s, 5)
	check("frozen", 33, 5, 40)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir, SegmentSize: 1024})
	check("opened again", 33, 5, 40)

	if _, _, err := Inspect(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestInspectCountsDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, SegmentSize: 1024})
	for range 40 {
		appendAll(t, s, "a record of some length, so that there are several segments")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := segmentPath(dir, 2)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[headerSize+recordHeaderSize+100] ^= 1 // in the second record
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, stats, err := Inspect(dir)
	if err != nil || stats.Damaged != 1 || stats.Lost != 1 || stats.Accepted != 40 {
		t.Errorf("%+v, %v; want one damaged region that took one record of 40", stats, err)
	}
}
