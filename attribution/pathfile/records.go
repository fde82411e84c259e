package pathfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// source gives the lines of a CSV that are not empty.
type source interface {
	// next returns the fields of the next line, valid until the following call, and io.EOF at the end.
	next() ([][]byte, error)
	// position says where a field of the line read last is: line and column, counted from 1.
	position(field int) (line, column int)
}

// plain are whole lines without a quote. Splitting them at their commas is all that most files need, and several times
// faster than encoding/csv.
type plain struct {
	data   []byte // not yet read
	line   int    // number of the line that was read last
	fields [][]byte
}

func (p *plain) next() ([][]byte, error) {
	for len(p.data) > 0 {
		line := p.data
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line = line[:end+1]
		}
		p.data = p.data[len(line):]
		p.line++
		if line = trimEnd(line); len(line) > 0 {
			return p.split(line), nil
		}
	}
	return nil, io.EOF
}

// trimEnd cuts off what ends a line. It is bytes.TrimRight for what nearly always is one byte.
func trimEnd(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}

func (p *plain) split(line []byte) [][]byte {
	p.fields = p.fields[:0]
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			p.fields = append(p.fields, line)
			return p.fields
		}
		p.fields = append(p.fields, line[:i])
		line = line[i+1:]
	}
}

func (p *plain) position(field int) (line, column int) {
	column = 1
	for _, f := range p.fields[:field] {
		column += len(f) + 1
	}
	return p.line, column
}

// quoted are lines of which some have quotes.
type quoted struct {
	name   string // of the input, for errors
	csv    *csv.Reader
	before int // lines before the first that csv reads
	fields [][]byte
}

func newQuoted(r io.Reader, name string, before int) *quoted {
	q := &quoted{name: name, csv: csv.NewReader(r), before: before}
	q.csv.ReuseRecord = true
	q.csv.FieldsPerRecord = -1 // counted by the reader of rows
	return q
}

func (q *quoted) next() ([][]byte, error) {
	record, err := q.csv.Read()
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, fmt.Errorf("%s:%d:%d: %w", q.name, q.before+parse.Line, parse.Column, parse.Err)
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, fmt.Errorf("%s: %w", q.name, err)
	}
	q.fields = q.fields[:0]
	for _, field := range record {
		q.fields = append(q.fields, []byte(field))
	}
	return q.fields, nil
}

func (q *quoted) position(field int) (line, column int) {
	line, column = q.csv.FieldPos(field)
	return q.before + line, column
}
