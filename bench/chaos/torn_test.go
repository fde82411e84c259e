package chaos_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// tear kills the collector, which stays down, and leaves the last segment of its spool as a loss of power does: behind
// all that was acknowledged there is what was not written to its end.
func (c *chaos) tear(t *testing.T) {
	t.Helper()
	c.up.Kill(t)
	segments, err := filepath.Glob(filepath.Join(c.in.SpoolDir(), "*.segment"))
	if err != nil {
		t.Fatal(err)
	}
	kind := "collector"
	if len(segments) > 0 {
		kind = "collector, and its spool torn by " + c.tearFile(t, slices.Max(segments)) // names sort like numbers
	}
	c.note(t, kind)
}

// tearFile appends to a segment and says what.
func (c *chaos) tearFile(t *testing.T, name string) string {
	t.Helper()
	written, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	what, tail := c.tail(written)
	if err := os.WriteFile(name, append(written, tail...), 0o600); err != nil {
		t.Fatal(err)
	}
	return what
}

// tail is one that may be found behind what was written to a segment.
func (c *chaos) tail(written []byte) (what string, tail []byte) {
	const headerSize, recordHeaderSize, sequenceAt = 48, 20, 8
	size := 1 + c.rng.IntN(4096)
	way := c.rng.IntN(3)
	switch {
	case way == 0 || len(written) < headerSize+recordHeaderSize:
		return "zeros", make([]byte, size) // the file has grown, its blocks were not written
	case way == 1:
		tail = make([]byte, size)
		for i := range tail {
			tail[i] = byte(c.rng.Uint32())
		}
		return "noise", tail
	}
	// Every record begins with the mark that the first one has. The next would have the next sequence.
	last := bytes.LastIndex(written, written[headerSize:headerSize+4])
	tail = slices.Clone(written[last : last+(len(written)-last)/2])
	if len(tail) >= recordHeaderSize {
		sequence := tail[sequenceAt:]
		binary.LittleEndian.PutUint64(sequence, binary.LittleEndian.Uint64(sequence)+1)
	}
	return "half a record", tail
}
