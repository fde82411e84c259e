package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// windowSize is how much of a segment the scanner reads at once.
const windowSize = 256 << 10

// record is a whole record as it was found in a segment.
type record struct {
	offset, end int64
	sequence    uint64
	payload     []byte // valid until the next call of the scanner
	skipped     error  // what is wrong with the bytes before it that were skipped; nil when none were
}

// scanner finds the whole records in the bytes of one segment. It does not care about their sequence.
type scanner struct {
	file   io.ReaderAt
	mark   uint32
	offset int64 // where it looks for the next record
	size   int64 // where it stops

	buf      []byte // reused between segments
	window   []byte // part of buf that holds bytes of the file
	windowAt int64  // where they are in the file
}

// reset makes the scanner read another file from offset up to size.
func (s *scanner) reset(file io.ReaderAt, mark uint32, offset, size int64) {
	*s = scanner{file: file, mark: mark, offset: offset, size: size, buf: s.buf}
}

// next returns the next whole record. At the end it returns io.EOF and a record of which only skipped is meaningful.
// After any other error the same call can be tried again.
func (s *scanner) next() (record, error) {
	if s.offset >= s.size {
		return record{}, io.EOF
	}
	rec, err := s.recordAt(s.offset)
	if isDefect(err) {
		rec, err = s.skip(err)
	}
	switch {
	case err == nil:
		s.offset = rec.end
	case errors.Is(err, io.EOF):
		s.offset = s.size
	}
	return rec, err
}

// skip returns the next whole record behind bytes that are none, unless nothing was written there yet.
func (s *scanner) skip(wrong error) (record, error) {
	blank, err := s.blank()
	if err != nil {
		return record{}, err
	}
	if blank {
		return record{}, io.EOF
	}
	rec, err := s.resync(s.offset + 1)
	rec.skipped = wrong
	return rec, err
}

// blank says whether all from here on is zeros, as segments are prepared.
func (s *scanner) blank() (bool, error) {
	for offset := s.offset; offset < s.size; {
		b, err := s.peek(offset, 1)
		if err != nil {
			return false, err
		}
		if len(b) == 0 || len(bytes.TrimLeft(b, "\x00")) > 0 { // the file is shorter than it should be, or holds something
			return false, nil
		}
		offset += int64(len(b))
	}
	return true, nil
}

// resync returns the first whole record at or after offset.
func (s *scanner) resync(offset int64) (record, error) {
	for {
		at, err := s.findMark(offset)
		if err != nil {
			return record{}, err
		}
		rec, err := s.recordAt(at)
		if !isDefect(err) {
			return rec, err
		}
		offset = at + 1
	}
}

// recordAt decodes the record at offset. A defect means that there is no whole one.
func (s *scanner) recordAt(offset int64) (record, error) {
	b, err := s.peek(offset, recordHeaderSize)
	if err != nil {
		return record{}, err
	}
	if len(b) < recordHeaderSize {
		return record{}, errShort
	}
	if binary.LittleEndian.Uint32(b) != s.mark {
		return record{}, errMark
	}
	size := recordHeaderSize + int64(binary.LittleEndian.Uint32(b[4:]))
	if size > recordHeaderSize+MaxRecord {
		return record{}, errLength
	}
	if size > s.size-offset {
		return record{}, errShort
	}
	b, err = s.peek(offset, int(size))
	if err != nil {
		return record{}, err
	}
	if int64(len(b)) < size {
		return record{}, errShort
	}
	b = b[:size]
	if binary.LittleEndian.Uint32(b[16:]) != recordChecksum(s.mark, b) {
		return record{}, errChecksum
	}
	return record{
		offset:   offset,
		end:      offset + size,
		sequence: binary.LittleEndian.Uint64(b[8:]),
		payload:  b[recordHeaderSize:],
	}, nil
}

// findMark returns where the next mark is at or after offset.
func (s *scanner) findMark(offset int64) (int64, error) {
	mark := binary.LittleEndian.AppendUint32(nil, s.mark)
	for {
		b, err := s.peek(offset, recordHeaderSize)
		if err != nil {
			return 0, err
		}
		if len(b) < recordHeaderSize {
			return 0, io.EOF
		}
		if i := bytes.Index(b, mark); i >= 0 {
			return offset + int64(i), nil
		}
		offset += int64(len(b) - len(mark) + 1)
	}
}

// peek returns the bytes at offset that are in memory, at least n of them unless the segment ends before.
func (s *scanner) peek(offset int64, n int) ([]byte, error) {
	if from := offset - s.windowAt; from >= 0 && from+int64(n) <= int64(len(s.window)) {
		return s.window[from:], nil
	}
	want := min(int64(max(n, windowSize)), max(s.size-offset, 0))
	if int64(cap(s.buf)) < want {
		s.buf = make([]byte, want)
	}
	read, err := s.file.ReadAt(s.buf[:want], offset)
	if err != nil && !errors.Is(err, io.EOF) {
		s.window = nil
		return nil, err
	}
	s.window, s.windowAt = s.buf[:read], offset
	return s.window, nil
}
