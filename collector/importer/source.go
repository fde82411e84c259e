package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	maxLine   = 64 << 10  // bytes of a line, without its end
	headLines = 100       // of which one must be as the import expects
	headBytes = 256 << 10 // within which these are looked for; more than maxLine
	maxWindow = 128 << 20 // bytes of memory that a zstd frame may ask for: zstd --long
)

// lineError says why a line cannot be taken. It completes "the line …". Reading can go on after it.
type lineError struct{ reason string }

func (e *lineError) Error() string { return e.reason }

var errLongLine = &lineError{fmt.Sprintf("is longer than %d KB", maxLine>>10)}

// source is an opened file: its decompressed lines.
type source struct {
	name   string
	reader *bufio.Reader
	close  []func()
	line   int
}

// openSource opens name, or takes stdin for "-". It tells compression by the first bytes, and calls read with the number of
// bytes of every read, before decompression.
func openSource(name string, stdin io.Reader, read func(n int)) (*source, error) {
	s := &source{name: name}
	if name == "-" {
		s.name = "stdin"
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		stdin = f
		s.close = append(s.close, func() { _ = f.Close() }) // only read: nothing can be lost
	}
	plain, err := s.decompress(bufio.NewReader(counter{stdin, read}))
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	s.reader = bufio.NewReaderSize(plain, headBytes)
	return s, nil
}

func (s *source) decompress(r *bufio.Reader) (io.Reader, error) {
	magic, err := r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(r)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		s.close = append(s.close, z.Close)
		return z, nil
	}
	return r, nil
}

// Close releases what openSource took.
func (s *source) Close() {
	for _, c := range s.close {
		c()
	}
}

// checkHead reports a file that is not of the kind expected: isOne says so of each of its first lines. Form says what
// was expected and takes the number of the first line and what isOne says of it. Nothing is consumed. A file that is
// damaged further on is of its kind as long as a line before the damage is.
func (s *source) checkHead(form string, isOne func(line []byte) error) error {
	head, readErr := s.reader.Peek(headBytes)
	var first error
	for n := 1; n <= headLines && len(head) > 0; n++ {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		err := isOne(trimEnd(line))
		if err == nil {
			return nil
		}
		if first == nil {
			first = fmt.Errorf("%s: "+form, s.name, n, err)
		}
		head = rest
	}
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		return fmt.Errorf("%s: %w", s.name, readErr)
	}
	return first
}

// Next returns the next line without its end, valid until the next call, and io.EOF after the last. With errLongLine
// the line has been skipped, and reading can go on.
func (s *source) Next() ([]byte, error) {
	line, err := s.reader.ReadSlice('\n')
	empty, tooLong := len(line) == 0, len(trimEnd(line)) > maxLine
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = s.reader.ReadSlice('\n')
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: after line %d: %w", s.name, s.line, err)
	case err != nil && empty:
		return nil, io.EOF
	}
	s.line++
	if tooLong {
		return nil, errLongLine
	}
	return trimEnd(line), nil
}

// Line is the number of the line that Next returned last.
func (s *source) Line() int { return s.line }

// trimEnd removes "\n" or "\r\n", so that a line is the same whatever ends it.
func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// counter reports the size of every read.
type counter struct {
	io.Reader
	read func(n int)
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read(n)
	return n, err
}
