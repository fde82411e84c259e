package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// The spool that is corrupted holds 12 records of recordSize bytes on disk, four in each of three segments. The first
// record is committed, the second and third are the frozen batch.
const recordSize = recordHeaderSize + 200

func payload(i int) string { return fmt.Sprintf("%0200d", i) }

// offset returns where a record begins in its segment.
func offset(i int) int64 { return headerSize + int64(i%4)*recordSize }

func writeSpool(t *testing.T, dir string) {
	t.Helper()
	s := open(t, Options{Dir: dir, SegmentSize: 1024})
	for i := range 12 {
		appendAll(t, s, payload(i))
	}
	commit(t, s, next(t, s, 1))
	next(t, s, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// edit replaces a file of the spool by what f makes of it; nil removes it.
func edit(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if b = f(b); b == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func flip(at int64) func([]byte) []byte {
	return func(b []byte) []byte { b[at] ^= 0x10; return b }
}

func zero(from, to int64) func([]byte) []byte {
	return func(b []byte) []byte { clear(b[from:to]); return b }
}

func cutAt(size int64) func([]byte) []byte {
	return func(b []byte) []byte { return b[:size] }
}

func add(more ...byte) func([]byte) []byte {
	return func(b []byte) []byte { return append(b, more...) }
}

func become(content string) func([]byte) []byte {
	return func([]byte) []byte { return []byte(content) }
}

func remove([]byte) []byte { return nil }

// crash makes the position file say that nothing after the frozen batch was acknowledged, as it does after a crash.
func crash(t *testing.T, dir string) {
	edit(t, filepath.Join(dir, positionName), func(b []byte) []byte {
		for slot := int64(0); slot <= slotDistance; slot += slotDistance {
			st, err := unmarshalState(b[slot:])
			if err != nil {
				t.Fatal(err)
			}
			st.acknowledged = st.end.sequence
			copy(b[slot:], st.marshal())
		}
		return b
	})
}

func TestRecovery(t *testing.T) {
	all := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	without := func(lost ...int) []int {
		return slices.DeleteFunc(slices.Clone(all), func(i int) bool { return slices.Contains(lost, i) })
	}
	tests := []struct {
		name    string
		crashed bool // without a Close before
		segment uint64
		corrupt func([]byte) []byte
		want    []int
		damage  []string
	}{
		{name: "nothing", segment: 1, corrupt: add(), want: all},

		{name: "torn: part of a header", crashed: true, segment: 3, corrupt: cutAt(offset(11) + 7),
			want: without(11), damage: []string{"3:708 lost 0: torn tail cut: 7 bytes"}},
		{name: "torn: header only", crashed: true, segment: 3, corrupt: cutAt(offset(11) + recordHeaderSize),
			want: without(11), damage: []string{"3:708 lost 0: torn tail cut: 20 bytes"}},
		{name: "torn: part of a payload", crashed: true, segment: 3, corrupt: cutAt(offset(11) + 219),
			want: without(11), damage: []string{"3:708 lost 0: torn tail cut: 219 bytes"}},
		{name: "torn: between records", crashed: true, segment: 3, corrupt: cutAt(offset(11)), want: without(11)},
		{name: "torn: size grew, bytes did not come", crashed: true, segment: 3, corrupt: zero(offset(10), offset(11)+recordSize),
			want: without(10, 11)},
		{name: "torn: payload did not come", crashed: true, segment: 3, corrupt: zero(offset(11)+recordHeaderSize, offset(11)+recordSize),
			want: without(11), damage: []string{"3:708 lost 0: torn tail cut: 220 bytes"}},
		{name: "prepared", crashed: true, segment: 3, corrupt: add(make([]byte, 4096)...), want: all},
		{name: "prepared, last byte is not zero", crashed: true, segment: 3, corrupt: add(append(make([]byte, 1<<20), 1)...),
			want: all, damage: []string{"3:928 lost 0: torn tail cut: 1048577 bytes"}},
		{name: "torn: garbage behind", crashed: true, segment: 3, corrupt: add([]byte(strings.Repeat("garbage", 99))...),
			want: all, damage: []string{"3:928 lost 0: torn tail cut: 693 bytes"}},
		{name: "torn: no record came", crashed: true, segment: 3, corrupt: cutAt(headerSize + 3),
			want: without(8, 9, 10, 11), damage: []string{"3:48 lost 0: torn tail cut: 3 bytes"}},
		{name: "torn: header of the segment", crashed: true, segment: 3, corrupt: cutAt(30),
			want: without(8, 9, 10, 11), damage: []string{"3:0 lost 0: torn tail cut: 30 bytes"}},
		{name: "torn: empty segment", crashed: true, segment: 3, corrupt: cutAt(0), want: without(8, 9, 10, 11)},
		{name: "torn: new segment is empty", crashed: true, segment: 4, corrupt: become(""), want: all},
		{name: "torn: new segment is garbage", crashed: true, segment: 4, corrupt: become("garbage"),
			want: all, damage: []string{"4:0 lost 0: torn tail cut: 7 bytes"}},

		{name: "after a close the same is damage", segment: 3, corrupt: cutAt(offset(11) + 7),
			want: without(11), damage: []string{"3:708 lost 1: cut short"}},
		{name: "last record gone after a close", segment: 3, corrupt: cutAt(offset(11)),
			want: without(11), damage: []string{"3:708 lost 1: records are missing"}},
		{name: "last segment missing", segment: 3, corrupt: remove,
			want: without(8, 9, 10, 11), damage: []string{"2:928 lost 4: records are missing"}},
		{name: "last segment empty", segment: 3, corrupt: cutAt(0),
			want: without(8, 9, 10, 11), damage: []string{"3:0 lost 4: header: cut short"}},

		{name: "flipped mark", segment: 2, corrupt: flip(offset(5)),
			want: without(5), damage: []string{"2:268 lost 1: no record begins here"}},
		{name: "flipped length, small", segment: 2, corrupt: flip(offset(5) + 4),
			want: without(5), damage: []string{"2:268 lost 1: checksum mismatch"}},
		{name: "flipped length, too large for the segment", segment: 2, corrupt: flip(offset(5) + 5),
			want: without(5), damage: []string{"2:268 lost 1: cut short"}},
		{name: "flipped length, too large for a record", segment: 2, corrupt: flip(offset(5) + 7),
			want: without(5), damage: []string{"2:268 lost 1: length of the record is impossible"}},
		{name: "flipped sequence", segment: 2, corrupt: flip(offset(5) + 8),
			want: without(5), damage: []string{"2:268 lost 1: checksum mismatch"}},
		{name: "flipped CRC", segment: 2, corrupt: flip(offset(5) + 16),
			want: without(5), damage: []string{"2:268 lost 1: checksum mismatch"}},
		{name: "flipped payload", segment: 2, corrupt: flip(offset(5) + 100),
			want: without(5), damage: []string{"2:268 lost 1: checksum mismatch"}},
		{name: "first record of a segment", segment: 2, corrupt: flip(offset(4) + 100),
			want: without(4), damage: []string{"2:48 lost 1: checksum mismatch"}},
		{name: "last record of a segment", segment: 2, corrupt: flip(offset(7) + 100),
			want: without(7), damage: []string{"2:708 lost 1: checksum mismatch"}},
		{name: "record of the frozen batch", segment: 1, corrupt: flip(offset(2) + 100),
			want: without(2), damage: []string{"1:488 lost 1: checksum mismatch"}},
		{name: "all of the frozen batch", segment: 1, corrupt: zero(offset(1), offset(3)),
			want: without(1, 2), damage: []string{"1:268 lost 2: no record begins here"}},
		{name: "committed record", segment: 1, corrupt: flip(offset(0) + 100), want: all},
		{name: "zeroed block", segment: 2, corrupt: zero(300, 600),
			want: without(5, 6), damage: []string{"2:268 lost 2: checksum mismatch"}},
		{name: "zeroed segment", segment: 2, corrupt: zero(0, 928),
			want: without(4, 5, 6, 7), damage: []string{"2:0 lost 4: header: not a file of a spool: wrong magic"}},
		{name: "middle segment cut in a record", segment: 2, corrupt: cutAt(offset(6) + 50),
			want: without(6, 7), damage: []string{"2:488 lost 2: cut short"}},
		{name: "middle segment cut between records", segment: 2, corrupt: cutAt(offset(6)),
			want: without(6, 7), damage: []string{"2:488 lost 2: records are missing"}},
		{name: "middle segment empty", segment: 2, corrupt: cutAt(0),
			want: without(4, 5, 6, 7), damage: []string{"2:0 lost 4: header: cut short"}},
		{name: "middle segment garbage", segment: 2, corrupt: become(strings.Repeat("garbage", 999)),
			want: without(4, 5, 6, 7), damage: []string{"2:0 lost 4: header: not a file of a spool: wrong magic"}},
		{name: "middle segment missing", segment: 2, corrupt: remove,
			want: without(4, 5, 6, 7), damage: []string{"2:0 lost 4: the file is missing"}},
		{name: "first segment missing", segment: 1, corrupt: remove,
			want: without(1, 2, 3), damage: []string{"1:268 lost 3: the file is missing"}},
		{name: "whole records cut out", segment: 2,
			corrupt: func(b []byte) []byte { return slices.Delete(b, int(offset(5)), int(offset(7))) },
			want:    without(5, 6), damage: []string{"2:268 lost 2: records are missing"}},
		{name: "record repeated", segment: 2,
			corrupt: func(b []byte) []byte {
				return slices.Insert(b, int(offset(6)), bytes.Clone(b[offset(5):offset(6)])...)
			},
			want: all, damage: []string{"2:488 lost 0: records from before are repeated"}},
		{name: "garbage between records", segment: 2,
			corrupt: func(b []byte) []byte { return slices.Insert(b, int(offset(6)), []byte("garbage")...) },
			want:    all, damage: []string{"2:488 lost 0: no record begins here"}},
		{name: "abandoned bytes behind a segment", segment: 2, corrupt: add([]byte("never acknowledged")...), want: all},

		{name: "header: flipped magic", segment: 2, corrupt: flip(0),
			want: all, damage: []string{"2:0 lost 0: header: not a file of a spool: wrong magic"}},
		{name: "header: flipped version", segment: 2, corrupt: flip(8),
			want: all, damage: []string{"2:0 lost 0: header: checksum mismatch"}},
		{name: "header: flipped first sequence", segment: 3, corrupt: flip(36),
			want: all, damage: []string{"3:0 lost 0: header: checksum mismatch"}},
		{name: "header and first record", segment: 2, corrupt: zero(0, 100),
			want: without(4), damage: []string{"2:0 lost 1: header: not a file of a spool: wrong magic"}},
		{name: "segment under another's name", segment: 2,
			corrupt: func(b []byte) []byte {
				h, _ := unmarshalHeader(b)
				h.number = 7
				return append(h.marshal(), b[headerSize:]...)
			},
			want: all, damage: []string{"2:0 lost 0: header: header is of another segment"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			writeSpool(t, dir)
			if test.crashed {
				crash(t, dir)
			}
			edit(t, segmentPath(dir, test.segment), test.corrupt)
			checkRecovery(t, dir, test.want, test.damage)
		})
	}
}

// checkRecovery opens the spool twice, because the first time must not make it worse, appends a record and reads all.
func checkRecovery(t *testing.T, dir string, want []int, damage []string) {
	t.Helper()
	var rec recorder
	s := open(t, Options{Dir: dir, SegmentSize: 1024, OnDamage: rec.onDamage})
	wantEqual(t, "damage", rec.damage, damage)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reopened := recorder{}
	s = open(t, Options{Dir: dir, SegmentSize: 1024, OnDamage: reopened.onDamage})
	for _, d := range reopened.damage {
		if !slices.Contains(damage, d) {
			t.Errorf("reopening reports %s for the first time", d)
		}
		if strings.Contains(d, ErrTorn.Error()) {
			t.Errorf("%s: it was not cut", d)
		}
	}
	inRecovery := len(reopened.damage)
	appendAll(t, s, payload(99))
	var wanted []string
	for _, i := range append(slices.Clone(want), 99) {
		wanted = append(wanted, payload(i))
	}
	wantEqual(t, "records", drain(t, s), wanted)
	if again := reopened.damage[inRecovery:]; len(again) > 0 {
		t.Errorf("reading reports again: %v", again)
	}
	wantEqual(t, "pending", s.Stats().Records, uint64(0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "left", drain(t, open(t, Options{Dir: dir})), []string(nil))
}

func TestPositionRecovery(t *testing.T) {
	fromFirst := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	fromSecond := fromFirst[1:]
	// The state was saved four times: created in slot 0, frozen in 1, committed in 0, frozen in 1.
	tests := []struct {
		name    string
		corrupt func([]byte) []byte
		want    []int
		damage  []string
	}{
		{"newest slot half written", zero(slotDistance+40, slotDistance+slotSize), fromSecond, []string{"0:4096 lost 0: checksum mismatch"}},
		{"newest slot zeroed", zero(slotDistance, slotDistance+slotSize), fromSecond, []string{"0:4096 lost 0: was never written"}},
		{"newest slot flipped", flip(slotDistance + 20), fromSecond, []string{"0:4096 lost 0: checksum mismatch"}},
		{"older slot flipped", flip(20), fromSecond, []string{"0:0 lost 0: checksum mismatch"}},
		{"cut to the first slot", cutAt(slotSize), fromSecond, []string{"0:4096 lost 0: was never written"}},
		{"cut in the second slot", cutAt(slotDistance + 50), fromSecond, []string{"0:4096 lost 0: cut short"}},
		{"both slots flipped", func(b []byte) []byte { return flip(slotDistance)(flip(20)(b)) }, fromFirst,
			[]string{"0:0 lost 0: checksum mismatch", "0:4096 lost 0: not a file of a spool: wrong magic"}},
		{"empty", cutAt(0), fromFirst, []string{"0:0 lost 0: was never written", "0:4096 lost 0: was never written"}},
		{"garbage", become("garbage"), fromFirst, []string{"0:0 lost 0: cut short", "0:4096 lost 0: was never written"}},
		{"missing", remove, fromFirst, []string{"0:0 lost 0: the file is missing", "0:4096 lost 0: the file is missing"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			writeSpool(t, dir)
			id := readID(t, dir)
			edit(t, filepath.Join(dir, positionName), test.corrupt)
			checkRecovery(t, dir, test.want, test.damage)
			wantEqual(t, "id", readID(t, dir), id)
		})
	}
}

func readID(t *testing.T, dir string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return open(t, Options{Dir: copied, OnDamage: func(*DamageError) {}}).ID()
}

// TestRefused: what another version or another spool wrote is refused and left as it is.
func TestRefused(t *testing.T) {
	version2 := func(size int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[8] = 2
			binary.LittleEndian.PutUint32(b[size-4:], crc32.Checksum(b[:size-4], castagnoli))
			return b
		}
	}
	otherSpool := func(b []byte) []byte {
		h, _ := unmarshalHeader(b)
		h.id = uuid.Max
		return append(h.marshal(), b[headerSize:]...)
	}
	tests := map[string]struct {
		file    string
		corrupt func([]byte) []byte
		want    string
	}{
		"segment of version 2":   {filepath.Base(segmentPath("", 2)), version2(headerSize), "segment 2: unknown format version: it is 2, this program reads 1"},
		"position of version 2":  {positionName, version2(slotSize), "position file: unknown format version: it is 2, this program reads 1"},
		"segment of another one": {filepath.Base(segmentPath("", 2)), otherSpool, "segment 2 is of spool ffffffff-ffff-ffff-ffff-ffffffffffff"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeSpool(t, dir)
			edit(t, filepath.Join(dir, test.file), test.corrupt)
			before := files(t, dir)
			_, err := Open(Options{Dir: dir, OnDamage: noDamage(t)})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Open gave %v, want %s", err, test.want)
			}
			wantEqual(t, "files", files(t, dir), before)
		})
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		content[e.Name()] = string(b)
	}
	return content
}

// TestDamageWhileOpen: what was whole in recovery is checked again when it is read.
func TestDamageWhileOpen(t *testing.T) {
	tests := map[string]struct {
		segment uint64
		corrupt func([]byte) []byte
		want    int
		damage  []string
	}{
		"payload":          {1, flip(offset(2) + 100), 11, []string{"1:488 lost 1: checksum mismatch"}},
		"last record":      {3, flip(offset(11) + 100), 11, []string{"3:708 lost 1: checksum mismatch"}},
		"missing segment":  {2, remove, 8, []string{"2:48 lost 4: the file is missing"}},
		"cut segment":      {2, cutAt(offset(6)), 10, []string{"2:488 lost 2: cut short"}},
		"cut last segment": {3, cutAt(offset(10)), 10, []string{"3:488 lost 2: cut short"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var rec recorder
			dir := t.TempDir()
			s := open(t, Options{Dir: dir, SegmentSize: 1024, OnDamage: rec.onDamage})
			for i := range 12 {
				appendAll(t, s, payload(i))
			}
			edit(t, segmentPath(dir, test.segment), test.corrupt)
			wantEqual(t, "records", len(drain(t, s)), test.want)
			wantEqual(t, "damage", rec.damage, test.damage)
			stats := s.Stats()
			wantEqual(t, "regions and records lost", []uint64{stats.Damaged, stats.Lost}, []uint64{1, uint64(12 - test.want)})
			appendAll(t, s, "after")
			wantEqual(t, "after", drain(t, s), []string{"after"})
			wantEqual(t, "damage", rec.damage, test.damage)
		})
	}
}

// TestNothingLeft: with all segments gone there is nothing to read, and Next must not look for it for ever.
func TestNothingLeft(t *testing.T) {
	dir := t.TempDir()
	writeSpool(t, dir)
	for number := range uint64(3) {
		edit(t, segmentPath(dir, number+1), remove)
	}
	var rec recorder
	s := open(t, Options{Dir: dir, OnDamage: rec.onDamage})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Next(ctx, 1, 1, 0)
	wantEqual(t, "Next", err, context.Canceled)
	wantEqual(t, "damage", rec.damage, []string{"1:268 lost 11: the file is missing"})
	wantEqual(t, "pending", s.Stats().Records, uint64(0))
}

// TestSettledTail: what Open has found counts as durable, although the sync of it failed before and the system takes it
// for written ever since.
func TestSettledTail(t *testing.T) {
	fs := newMemFS()
	s := open(t, Options{FS: fs})
	appendAll(t, s, "a")
	fs.setFault(failOn(segmentSuffix, opSync, opTruncate))
	if s.Append(asBytes([]string{"refused"})) == nil {
		t.Fatal("an append was acknowledged without a sync")
	}
	fs.setFault(nil)
	fs = fs.killed()
	found := open(t, Options{FS: fs})
	wantEqual(t, "batch", asStrings(next(t, found, 9).Records), []string{"a", "refused"})
	fs = fs.powerLost(func(string, []change) (int, int) { return 0, 0 })
	wantEqual(t, "batch after a loss of power", asStrings(next(t, open(t, Options{FS: fs}), 9).Records), []string{"a", "refused"})
}

func TestDamageError(t *testing.T) {
	err := error(&DamageError{Dir: "d", Segment: 3, Offset: 70, Lost: 2, Err: fmt.Errorf("%w: 5 bytes", ErrTorn)})
	wantEqual(t, "text", err.Error(), "spool d: segment 3, offset 70: torn tail cut: 5 bytes (2 records lost)")
	if !errors.Is(err, ErrTorn) {
		t.Error("the cause cannot be told")
	}
	err = &DamageError{Dir: "d", Offset: 4096, Err: errChecksum}
	wantEqual(t, "text", err.Error(), "spool d: position file, offset 4096: checksum mismatch (0 records lost)")
}

// TestPayloadsCannotPose: a payload that is a copy of a segment does not come to life when the record around it breaks.
func TestPayloadsCannotPose(t *testing.T) {
	other := t.TempDir()
	writeSpool(t, other)
	posing, err := os.ReadFile(segmentPath(other, 1))
	if err != nil {
		t.Fatal(err)
	}
	var rec recorder
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, OnDamage: rec.onDamage})
	appendAll(t, s, "a", string(posing), "b")
	edit(t, segmentPath(dir, 1), flip(headerSize+recordHeaderSize+1))
	wantEqual(t, "records", drain(t, s), []string{"a", "b"})
	wantEqual(t, "damage", rec.damage, []string{"1:69 lost 1: no record begins here"})
}

// TestWindowEdges puts a damaged record and the mark behind it across the edge of what the scanner reads at once.
func TestWindowEdges(t *testing.T) {
	for _, shift := range []int{-30, -21, -20, -19, -4, -3, -2, -1, 0, 1, 2, 20} {
		var rec recorder
		dir := t.TempDir()
		s := open(t, Options{Dir: dir, OnDamage: rec.onDamage})
		large := strings.Repeat("x", windowSize-2*recordHeaderSize+shift)
		appendAll(t, s, "", large, "b", strings.Repeat("y", 3*windowSize), "c")
		edit(t, segmentPath(dir, 1), flip(headerSize+2*recordHeaderSize+5))
		got := drain(t, s)
		if len(got) != 4 || got[0] != "" || got[1] != "b" || len(got[2]) != 3*windowSize || got[3] != "c" {
			t.Errorf("shift %d: got %d records", shift, len(got))
		}
		wantEqual(t, "damage", rec.damage, []string{"1:68 lost 1: checksum mismatch"})
	}
}

func TestDump(t *testing.T) {
	dir := t.TempDir()
	writeSpool(t, dir)
	id := readID(t, dir)
	edit(t, segmentPath(dir, 2), flip(offset(5)+100))
	edit(t, segmentPath(dir, 3), func(b []byte) []byte { return cutAt(offset(9) + 30)(flip(0)(b)) })
	edit(t, filepath.Join(dir, positionName), zero(0, slotSize))
	before := files(t, dir)
	var out strings.Builder
	if err := Dump(dir, &out); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`position slot 0: was never written
position slot 1: spool ID, generation 3, read 1:268#1, end of the frozen batch 1:708#3, acknowledged 12
segment 1: 928 bytes, spool ID, first sequence 0
  offset 48: sequence 0, 200 bytes, CRC ok
  offset 268: sequence 1, 200 bytes, CRC ok
  offset 488: sequence 2, 200 bytes, CRC ok
  offset 708: sequence 3, 200 bytes, CRC ok
segment 2: 928 bytes, spool ID, first sequence 4
  offset 48: sequence 4, 200 bytes, CRC ok
  offset 268: 220 bytes damaged: checksum mismatch
  offset 488: sequence 6, 200 bytes, CRC ok
  offset 708: sequence 7, 200 bytes, CRC ok
segment 3: 298 bytes, header: not a file of a spool: wrong magic
  offset 0: 48 bytes damaged: no record begins here
  offset 48: sequence 8, 200 bytes, CRC ok
  offset 268: 30 bytes damaged: cut short
`, "ID", id)
	wantEqual(t, "dump", out.String(), want)
	wantEqual(t, "files", files(t, dir), before)
	if err := Dump(filepath.Join(dir, "nowhere"), &out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Dump of a missing directory gave %v", err)
	}
}
