package spool

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"
)

// FuzzCorruption corrupts a spool and reads it. Each five bytes of script change one file: what to do, which file,
// where, how many bytes. Records that are still there must be read, once and in order, and nothing else.
func FuzzCorruption(f *testing.F) {
	f.Add([]byte{0, 0, 0, 60, 1})
	f.Add([]byte{0, 1, 0, 60, 1, 0, 1, 0, 4, 9, 0, 2, 0, 52, 3})
	f.Add([]byte{1, 1, 0, 30, 200, 1, 2, 1, 0, 255})
	f.Add([]byte{2, 1, 0, 48, 200, 2, 1, 0, 20, 100, 2, 2, 0, 48, 50})
	f.Add([]byte{0, 3, 0, 20, 1, 0, 3, 16, 20, 1, 0, 0, 0, 3, 1})
	f.Add([]byte{3, 2, 0, 0, 0, 3, 0, 0, 0, 0})
	f.Add([]byte{1, 2, 0, 100, 255, 1, 2, 0, 100, 255, 1, 2, 0, 100, 255})
	f.Fuzz(func(t *testing.T, script []byte) {
		fs, records := spoolToCorrupt(t)
		pristine := fs.killed()
		corruptBy(fs, script[:min(len(script), 100)])
		want := survivors(pristine, fs, records)
		s, err := Open(Options{Dir: "dir", FS: fs, SegmentSize: 1024, OnDamage: func(e *DamageError) {
			if e.Lost > uint64(len(records)) {
				t.Errorf("lost more than there was: %v", e)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		// What the spool has to come back to, whatever was done to it.
		if err := s.Append([][]byte{[]byte("appended")}); err != nil {
			t.Fatal(err)
		}
		checkSurvivors(t, drain(t, s), append(records, "appended"), append(want, "appended"))
	})
}

// corruptID is fixed, because marks depend on it: a script must always mean the same. No mark of the three segments begins
// with a byte that occurs in payloads, so that no two halves make a record by chance.
var corruptID = uuid.UUID{15: 1}

// spoolToCorrupt returns a spool of three segments with its records that are not committed. Two of them are frozen.
func spoolToCorrupt(t *testing.T) (*memFS, []string) {
	fs := newMemFS()
	from := cursor{Position: Position{1, headerSize}}
	b := append(state{id: corruptID, read: from, end: from}.marshal(), make([]byte, 2*slotDistance-slotSize)...)
	fs.files[filepath.Join("dir", positionName)] = &inode{live: b}
	s := open(t, Options{FS: fs, SegmentSize: 1024})
	var records []string
	for i := range 30 {
		records = append(records, fmt.Sprintf("%d %0*d", i, 30+7*(i%9), i))
		appendAll(t, s, records[i])
	}
	commit(t, s, next(t, s, 1))
	next(t, s, 2)
	if s.Stats().Segments != 3 {
		t.Fatalf("%d segments", s.Stats().Segments)
	}
	return fs.killed(), records
}

// corruptBy carries out a script. Bytes are flipped and cut out before others are repeated, once in each file, so that
// the first whole copies of the records stay in order.
func corruptBy(fs *memFS, script []byte) {
	steps := slices.Collect(slices.Chunk(script, 5))
	slices.SortStableFunc(steps, func(a, b []byte) int { return btoi(a[0]%4 == 2) - btoi(b[0]%4 == 2) })
	names := []string{segmentPath("dir", 1), segmentPath("dir", 2), segmentPath("dir", 3), "dir/" + positionName}
	repeated := map[string]bool{}
	for _, step := range steps {
		if len(step) < 5 {
			continue
		}
		name := names[step[1]%4]
		node, ok := fs.files[name]
		if !ok || len(node.live) == 0 {
			continue
		}
		from := (int(step[2])<<8 | int(step[3])) % len(node.live)
		to := min(from+int(step[4]), len(node.live))
		switch step[0] % 4 {
		case 0:
			node.live[from] ^= 1 << (step[4] % 8)
		case 1:
			node.live = slices.Delete(node.live, from, to)
		case 2:
			if repeated[name] {
				continue
			}
			repeated[name] = true
			node.live = slices.Insert(node.live, to, bytes.Clone(node.live[from:to])...)
		case 3:
			delete(fs.files, name)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// survivors returns the records, except the committed one, of which a whole copy is left where it can be known: the
// spool's ID must be left in one place at least. In the first segment they must be where they were, because the position
// file names offsets in it. A record behind a later one may be left out: the mark of another one's torn copy and the rest of
// its own can make a record again, out of order.
func survivors(pristine, fs *memFS, records []string) []string {
	slots, err := loadPosition(fs, "dir")
	if err != nil {
		panic(err)
	}
	st, known := newest(slots)
	for number := uint64(1); number <= 3 && !known; number++ {
		if seg, h, err := inspect(fs, "dir", number); err == nil && seg.wrong == nil {
			st.id, known = h.id, true
		}
	}
	if !known {
		return nil
	}
	var left []string
	ahead := map[uint64]int{} // where the next record is, by segment
	for i, r := range slices.Backward(records[1:]) {
		for number := uint64(1); number <= 3; number++ {
			encoded := appendRecord(nil, []byte(r))
			stamp(encoded, markOf(st.id, number), uint64(i+1))
			node, ok := fs.files[segmentPath("dir", number)]
			if !ok {
				continue
			}
			at := bytes.Index(node.live, encoded)
			was := bytes.Index(pristine.files[segmentPath("dir", number)].live, encoded)
			if next, ok := ahead[number]; at < 0 || ok && at > next {
				continue
			}
			ahead[number] = at
			if number > 1 || at == was {
				left = append(left, r)
			}
		}
	}
	slices.Reverse(left)
	return left
}

// checkSurvivors checks that got is part of all in its order, without repetition, and has all that it must have.
func checkSurvivors(t *testing.T, got, all, must []string) {
	t.Helper()
	at := 0
	for _, r := range got {
		i := slices.Index(all[at:], r)
		if i < 0 {
			t.Fatalf("got %q, which is none of those after record %d", r, at)
		}
		at += i + 1
	}
	for _, r := range must {
		if !slices.Contains(got, r) {
			t.Errorf("%q is whole on disk and was not read", r)
		}
	}
}

// FuzzFormat: whatever a header or a slot holds is either refused or written back as it was.
func FuzzFormat(f *testing.F) {
	f.Add(header{number: 3, first: 70}.marshal())
	f.Add(state{generation: 3, read: cursor{Position{1, 48}, 7}, end: cursor{Position{2, 90}, 9}, acknowledged: 11}.marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := unmarshalHeader(b); err == nil && !bytes.Equal(h.marshal(), b[:headerSize]) {
			t.Errorf("header %+v of %x", h, b)
		}
		if st, err := unmarshalState(b); err == nil && !bytes.Equal(st.marshal(), b[:slotSize]) {
			t.Errorf("state %+v of %x", st, b)
		}
	})
}
