// Package pathfile reads paths from CSV, so that models run on a plain file, without a server.
package pathfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/attribution"
)

// separator joins the channels of a path.
const separator = " > "

// maxQuoted bounds how much of a faulty field an error repeats, in bytes.
const maxQuoted = 60

// column is a column that is read.
type column struct {
	names    []string // in a header: the one that attribution.FieldError has too, and ChannelAttribution's
	required bool
}

// columns are in the order of the fields of attribution.Row.
var columns = [...]column{
	{[]string{"path"}, true},
	{[]string{"conversions", "total_conversions"}, true},
	{[]string{"value", "total_conversion_value"}, false},
	{[]string{"nulls", "total_null"}, false},
	{[]string{"hours"}, false},
}

// Columns that are not a number.
const (
	pathColumn  = 0
	hoursColumn = len(columns) - 1
)

// Read reads a CSV of paths with a header line. Column path holds the channels joined by " > ", first to last; spaces
// around a channel do not count. Column conversions (or total_conversions) is required too; value (or
// total_conversion_value) and nulls (or total_null) are 0 where absent. Column hours, where there is one, holds how many
// hours before the journey's end each touch was, joined like the path. Any other column is ignored. The name is what
// errors call the input: "name:line:column: what is wrong", on one line, columns counted in bytes from 1.
//
// Lines are read on all cores; the result does not depend on how they are shared out.
func Read(r io.Reader, name string) (*attribution.Paths, error) { return read(r, name, blockSize) }

// read is Read in blocks of about this size.
func read(r io.Reader, name string, size int) (*attribution.Paths, error) {
	file := newBlocks(r, name, size)
	for {
		first, err := file.next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s:1:1: the file is empty; it needs a header line with at least path and conversions", name)
		}
		if err != nil {
			return nil, err
		}
		header, err := first.next()
		if errors.Is(err, io.EOF) { // empty lines only
			continue
		}
		if err != nil {
			return nil, err
		}
		l, err := newLayout(name, header, first)
		if err != nil {
			return nil, err
		}
		return l.rows(file, first)
	}
}

// layout is what the header says.
type layout struct {
	name  string            // of the input, for errors
	width int               // fields of a line
	index [len(columns)]int // where in a line each of columns is, -1 if nowhere
}

// newLayout finds the columns in a header that was read from src.
func newLayout(name string, header [][]byte, src source) (*layout, error) {
	l := &layout{name: name, width: len(header)}
	for i, c := range columns {
		l.index[i] = -1
		for field, name := range header {
			if !slices.Contains(c.names, strings.TrimSpace(string(name))) {
				continue
			}
			if l.index[i] >= 0 {
				return nil, l.errorAt(src, field, "the header has column %s twice", c.names[0])
			}
			l.index[i] = field
		}
		if c.required && l.index[i] < 0 {
			return nil, l.errorAt(src, 0, "the header has no column %s; it names path and conversions, and may name value, nulls and hours",
				strings.Join(c.names, " or "))
		}
	}
	return l, nil
}

// errorAt is an error at a field of the line that src has read last.
func (l *layout) errorAt(src source, field int, format string, args ...any) error {
	line, column := src.position(field)
	return fmt.Errorf("%s:%d:%d: "+format, append([]any{l.name, line, column}, args...)...)
}

// reader reads rows.
type reader struct {
	*layout
	source
	known   known
	key     []byte // of the path read last, in known
	touches []attribution.Channel
	hours   []float64
	builder attribution.Builder
}

// rows adds all lines of src.
func (rd *reader) rows(src source) error {
	rd.source = src
	for {
		record, err := src.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(record) != rd.width {
			return rd.errorAt(0, "the line has %d fields, the header has %d", len(record), rd.width)
		}
		if err := rd.row(record); err != nil {
			return err
		}
	}
}

// errorAt is an error at a field of the line that was read last.
func (rd *reader) errorAt(field int, format string, args ...any) error {
	return rd.layout.errorAt(rd.source, field, format, args...)
}

// row adds a line.
func (rd *reader) row(record [][]byte) error {
	path, err := rd.knownPath(record)
	if err != nil {
		return err
	}
	var numbers [len(columns)]float64
	for i := pathColumn + 1; i < hoursColumn; i++ {
		if rd.index[i] < 0 {
			continue
		}
		x, ok := parseNumber(record[rd.index[i]])
		if !ok {
			return rd.errorAt(rd.index[i], "%s is %s, not a number", columns[i].names[0], quote(record[rd.index[i]]))
		}
		numbers[i] = x
	}
	return rd.locate(rd.builder.Add(path, numbers[1], numbers[2], numbers[3]))
}

// locate says where in a line the field is that an error of the Builder is about.
func (rd *reader) locate(err error) error {
	var broken *attribution.FieldError
	if errors.As(err, &broken) {
		return rd.errorAt(rd.field(broken.Field), "%w", err)
	}
	return err
}

// field is where in a line the column is that attribution.FieldError calls name.
func (rd *reader) field(name string) int {
	return rd.index[slices.IndexFunc(columns[:], func(c column) bool { return c.names[0] == name })]
}

// knownPath returns the path of a line, with its hours, and reads what is not known yet.
func (rd *reader) knownPath(record [][]byte) (attribution.PathID, error) {
	path := record[rd.index[pathColumn]]
	key := path
	if rd.index[hoursColumn] >= 0 { // a number has no zero byte, so this is no other line's key
		rd.key = append(append(append(rd.key[:0], record[rd.index[hoursColumn]]...), 0), path...)
		key = rd.key
	}
	hash, id, ok := rd.known.find(key)
	if ok {
		return id, nil
	}
	if err := rd.splitPath(string(path)); err != nil {
		return 0, rd.errorAt(rd.index[pathColumn], "%w", err)
	}
	rd.hours = rd.hours[:0]
	if rd.index[hoursColumn] >= 0 {
		if err := rd.splitHours(string(record[rd.index[hoursColumn]])); err != nil {
			return 0, rd.errorAt(rd.index[hoursColumn], "%w", err)
		}
	}
	id, err := rd.builder.TimedPath(rd.touches, rd.hours)
	if err != nil {
		return 0, rd.locate(err)
	}
	rd.known.add(hash, key, id)
	return id, nil
}

// splitHours reads the hours of a path's touches.
func (rd *reader) splitHours(hours string) error {
	for field := range strings.SplitSeq(hours, strings.TrimSpace(separator)) {
		h, ok := parseNumber([]byte(field))
		if !ok {
			return fmt.Errorf("hours %s: number %d is %s, not a number", quote(hours), len(rd.hours)+1, quote(strings.TrimSpace(field)))
		}
		rd.hours = append(rd.hours, h)
	}
	return nil
}

// splitPath reads the touches of a path.
func (rd *reader) splitPath(path string) error {
	if !utf8.ValidString(path) {
		return fmt.Errorf("path %s is not UTF-8; save the file in that encoding", quote(path))
	}
	rd.touches = rd.touches[:0]
	for rest, more := path, true; more; {
		var channel string
		channel, rest, more = strings.Cut(rest, separator)
		if channel = strings.TrimSpace(channel); channel == "" {
			return fmt.Errorf("path %s: channel %d is empty", quote(path), len(rd.touches)+1)
		}
		if channel == ">" || strings.HasPrefix(channel, "> ") || strings.HasSuffix(channel, " >") {
			return fmt.Errorf("path %s: next to channel %d, %s, one is missing", quote(path), len(rd.touches)+1, quote(channel))
		}
		rd.touches = append(rd.touches, rd.builder.Channel(channel))
	}
	return nil
}

// parseNumber takes decimal numbers only; strconv would take more. What is too large is infinite.
func parseNumber(field []byte) (float64, bool) {
	if len(field) == 1 && '0' <= field[0] && field[0] <= '9' { // most fields
		return float64(field[0] - '0'), true
	}
	s := strings.TrimSpace(string(field))
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil || errors.Is(err, strconv.ErrRange)
}

func quote[T string | []byte](field T) string {
	if len(field) > maxQuoted {
		return strconv.Quote(string(field[:maxQuoted])) + "…"
	}
	return strconv.Quote(string(field))
}
