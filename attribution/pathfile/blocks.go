package pathfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// blockSize is how many bytes of whole lines are read at once. A line that is longer is a block of its own.
const blockSize = 1 << 20

// blocks cuts a file into pieces that can be read apart from each other. Quotes may hold ends of lines, so from the first
// line with a quote on there is only one.
type blocks struct {
	name   string // of the input, for errors
	in     *bufio.Reader
	size   int
	rest   []byte // read, but not yet in a block
	line   int    // lines before rest
	quoted bool   // rest begins with the first line with a quote
	err    error  // of reading; io.EOF at the end
}

func newBlocks(r io.Reader, name string, size int) *blocks {
	b := &blocks{name: name, in: bufio.NewReader(r), size: size}
	if mark, _ := b.in.Peek(3); string(mark) == "\uFEFF" { // fill reports a read error
		_, _ = b.in.Discard(len(mark))
	}
	return b
}

// next returns the next piece, whose memory is the caller's, and io.EOF where there are no more.
func (b *blocks) next() (source, error) {
	for b.err == nil && !b.quoted {
		b.fill()
		if end := b.whole(); end > 0 {
			block := &plain{data: b.rest[:end], line: b.line}
			b.line += bytes.Count(block.data, []byte("\n"))
			b.rest = b.rest[end:]
			return block, nil
		}
	}
	if b.err != nil && !errors.Is(b.err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", b.name, b.err)
	}
	if b.quoted {
		b.quoted = false
		b.err = io.EOF
		return newQuoted(io.MultiReader(bytes.NewReader(b.rest), b.in), b.name, b.line), nil
	}
	return nil, io.EOF
}

// fill reads more, into new memory. What is in rest still is a line that has not ended, so reading twice as much each
// time soon reaches its end.
func (b *blocks) fill() {
	buffer := make([]byte, len(b.rest)+max(len(b.rest), b.size))
	n := copy(buffer, b.rest)
	for n < len(buffer) && b.err == nil {
		var read int
		read, b.err = b.in.Read(buffer[n:])
		n += read
	}
	b.rest = buffer[:n]
}

// whole is where the whole lines without a quote end in rest.
func (b *blocks) whole() int {
	if quote := bytes.IndexByte(b.rest, '"'); quote >= 0 {
		b.quoted = true
		return bytes.LastIndexByte(b.rest[:quote], '\n') + 1
	}
	if errors.Is(b.err, io.EOF) {
		return len(b.rest)
	}
	return bytes.LastIndexByte(b.rest, '\n') + 1
}
