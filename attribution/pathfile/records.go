package pathfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// records reads the lines of a CSV. It splits lines without a quote at their commas, which is all that most files
// need and several times faster than encoding/csv; from the first line with a quote on, encoding/csv takes over.
type records struct {
	name   string // of the input, for errors
	in     *bufio.Reader
	line   int      // number of the line that was read last, until quoted takes over
	long   []byte   // a line longer than the buffer of in
	fields [][]byte // of the line that was read last

	quoted *csv.Reader
	before int // lines before the first that quoted reads
}

// next returns the fields of the next line that is not empty, valid until the following call, and io.EOF at the end.
func (r *records) next() ([][]byte, error) {
	if r.quoted != nil {
		return r.nextQuoted()
	}
	for {
		line, err := r.readLine()
		if err != nil {
			return nil, err
		}
		if bytes.IndexByte(line, '"') >= 0 {
			r.before = r.line - 1
			r.quoted = csv.NewReader(io.MultiReader(bytes.NewReader(line), r.in)) // in is read again after line
			r.quoted.ReuseRecord = true
			r.quoted.FieldsPerRecord = -1 // counted by Read
			return r.nextQuoted()
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			return r.split(line), nil
		}
	}
}

// readLine returns the next line, with what ends it.
func (r *records) readLine() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		r.long = r.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) {
			r.long = append(r.long, line...)
			line, err = r.in.ReadSlice('\n')
		}
		r.long = append(r.long, line...)
		line = r.long
	}
	if err == nil || errors.Is(err, io.EOF) && len(line) > 0 {
		r.line++
		return line, nil
	}
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	return nil, fmt.Errorf("%s: %w", r.name, err)
}

func (r *records) split(line []byte) [][]byte {
	r.fields = r.fields[:0]
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			r.fields = append(r.fields, line)
			return r.fields
		}
		r.fields = append(r.fields, line[:i])
		line = line[i+1:]
	}
}

func (r *records) nextQuoted() ([][]byte, error) {
	record, err := r.quoted.Read()
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, fmt.Errorf("%s:%d:%d: %w", r.name, r.before+parse.Line, parse.Column, parse.Err)
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	r.fields = r.fields[:0]
	for _, field := range record {
		r.fields = append(r.fields, []byte(field))
	}
	return r.fields, nil
}

// errorAt is an error at a field of the line that was read last.
func (r *records) errorAt(field int, format string, args ...any) error {
	line, column := r.line, 1
	if r.quoted != nil {
		line, column = r.quoted.FieldPos(field)
		line += r.before
	} else {
		for _, f := range r.fields[:field] {
			column += len(f) + 1
		}
	}
	return fmt.Errorf("%s:%d:%d: "+format, append([]any{r.name, line, column}, args...)...)
}
