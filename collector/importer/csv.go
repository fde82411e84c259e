package importer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// records are the records of a CSV file. One goes on over several lines as long as a quote is open, but never beyond the
// size of a line: the quote is then a mistake of the first line alone, and the others are read again by themselves.
type records struct {
	src    *source
	ahead  []textLine // to be read before what is left of src
	line   int        // number of the first line of the record
	record []byte
}

// textLine is what source.Next has returned.
type textLine struct {
	text   string
	number int
	err    error
}

var errOpenQuote = &lineError{fmt.Sprintf("has a quote that is not closed within %d KB", maxLine>>10)}

// Next returns the next record, its lines joined by "\n".
func (r *records) Next() ([]byte, error) {
	first := r.next()
	r.line = first.number
	if first.err != nil {
		return nil, first.err
	}
	r.record = append(r.record[:0], first.text...)
	var more []textLine
	for open := hasOpenQuote(first.text); open; {
		line := r.next()
		more = append(more, line)
		if line.err != nil || len(r.record)+len(line.text) >= maxLine {
			r.ahead = append(more, r.ahead...)
			return nil, errOpenQuote
		}
		r.record = append(append(r.record, '\n'), line.text...)
		open = open != hasOpenQuote(line.text)
	}
	return r.record, nil
}

// Line is the number of the first line of the record that Next returned last.
func (r *records) Line() int { return r.line }

func (r *records) next() textLine {
	if len(r.ahead) > 0 {
		line := r.ahead[0]
		r.ahead = r.ahead[1:]
		return line
	}
	text, err := r.src.Next()
	return textLine{string(text), r.src.Line(), err}
}

// hasOpenQuote reports whether a line opens a quote and does not close it, or the other way round. A quote within quotes
// is written twice.
func hasOpenQuote(line string) bool { return strings.Count(line, `"`)%2 == 1 }

// split returns the cells of a record.
func split(record []byte) ([]string, error) {
	reader := csv.NewReader(bytes.NewReader(record))
	cells, err := reader.Read()
	if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
		return nil, fmt.Errorf("is no CSV: %w at byte %d", bad.Err, bad.Column)
	}
	return cells, err
}

// layout says which column holds which field.
type layout struct {
	fields  []string
	columns []int // of each field
	width   int   // columns of the file
}

// header reads the first record, which names the columns.
func (r *eventsRun) header(in *records) (*layout, error) {
	record, err := in.Next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("is empty; want a line that names the columns")
	}
	if err != nil {
		return nil, fmt.Errorf("line 1 %w", err)
	}
	columns, err := split(bytes.TrimPrefix(record, []byte("\uFEFF")))
	if err != nil {
		return nil, fmt.Errorf("line 1 %w; want the names of the columns", err)
	}
	return r.layout(columns)
}

func (r *eventsRun) layout(columns []string) (*layout, error) {
	taken := slices.Clone(r.from.Ignore)
	l := layout{width: len(columns)}
	for _, field := range r.from.Fields {
		column, mapped := r.from.Map[field]
		if !mapped {
			column = field
		}
		i := slices.Index(columns, column)
		switch {
		case i < 0 && mapped:
			return nil, fmt.Errorf("--map %s=%s: there is no column %q; there are %s", field, column, column, quoteAll(columns))
		case i < 0, !mapped && (slices.Contains(r.from.Ignore, column) || r.isMapped(column)):
			continue
		case slices.Contains(columns[i+1:], column):
			return nil, fmt.Errorf("there are two columns %q", column)
		}
		taken = append(taken, column)
		l.fields, l.columns = append(l.fields, field), append(l.columns, i)
	}
	unknown := slices.DeleteFunc(slices.Clone(columns), func(column string) bool { return slices.Contains(taken, column) })
	if len(unknown) > 0 {
		return nil, fmt.Errorf("no field is called %s; say which one with --map FIELD=COLUMN, or leave the column out with --ignore COLUMN; fields are %s",
			quoteAll(unknown), strings.Join(r.from.Fields, ", "))
	}
	if err := l.check(r.from.rows, func(int) bool { return true }); err != nil {
		return nil, fmt.Errorf("%w; name the column so, or say which one it is with --map FIELD=COLUMN", err)
	}
	return &l, nil
}

// check makes sure that of each group of fields one is there and says something.
func (l *layout) check(rules rowRules, says func(i int) bool) error {
	for _, group := range rules.needs {
		if !slices.ContainsFunc(group, func(field string) bool {
			i := slices.Index(l.fields, field)
			return i >= 0 && says(i)
		}) {
			return fmt.Errorf("%s is missing", strings.Join(group, " or "))
		}
	}
	return nil
}

// isMapped reports whether --map gives a column to a field of another name.
func (r *eventsRun) isMapped(column string) bool {
	return slices.Contains(slices.Collect(maps.Values(r.from.Map)), column)
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", clip(name))
	}
	return strings.Join(quoted, ", ")
}

// takeRow puts a record into the batch or into the ledger.
func (r *eventsRun) takeRow(in *records, record []byte, l *layout, seen occurrences) {
	cells, err := r.cells(record, l)
	if err != nil {
		r.refuse(in, err)
		return
	}
	if err = l.check(r.from.rows, func(i int) bool { return strings.TrimSpace(cells[i]) != "" }); err != nil {
		r.refuse(in, fmt.Errorf("is refused: %w", err))
		return
	}
	fields, cells := r.from.rows.complete(l.fields, cells)
	var m collector.Message
	if err := r.from.Decode.Row(&m, fields, cells, r.request(record, seen)); err != nil {
		r.refuse(in, fmt.Errorf("is refused: %w", err))
		return
	}
	r.keep(in, &m, func(e *event.Event) { r.from.Decode.Restate(e, fields, cells) })
}

// cells are those of the fields that a file has.
func (r *eventsRun) cells(record []byte, l *layout) ([]string, error) {
	if err := r.bound(record); err != nil {
		return nil, err
	}
	row, err := split(record)
	if err != nil {
		return nil, err
	}
	if len(row) != l.width {
		return nil, fmt.Errorf("has %d cells and the header %d", len(row), l.width)
	}
	cells := make([]string, len(l.fields))
	for i, column := range l.columns {
		cells[i] = row[column]
	}
	return cells, nil
}
