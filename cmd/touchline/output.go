package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// format is how a report is written. Auto is a table on a terminal and CSV elsewhere.
type format string

const (
	formatAuto  format = "auto"
	formatTable format = "table"
	formatCSV   format = "csv"
	formatJSON  format = "json"
)

func (f format) resolve(w io.Writer) format {
	if f != formatAuto {
		return f
	}
	if isTerminal(w) {
		return formatTable
	}
	return formatCSV
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// cell is one value of a table: its text, and what JSON writes for it.
type cell struct {
	text  string
	value any
}

func text(s string) cell { return cell{s, s} }

// number keeps full precision in CSV and JSON; a table shows it rounded by tableText.
func number(x float64) cell { return cell{strconv.FormatFloat(x, 'f', -1, 64), x} }

// probability is a number of which a table shows six decimals.
type probability float64

func (p probability) cell() cell { return cell{strconv.FormatFloat(float64(p), 'f', -1, 64), p} }

// tableText is what a table shows of a cell: numbers rounded, other values as they are.
func (c cell) tableText() string {
	switch x := c.value.(type) {
	case float64:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case probability:
		return strconv.FormatFloat(float64(x), 'f', 6, 64)
	}
	return strings.NewReplacer("\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(c.text)
}

func (c cell) isNumber() bool {
	switch c.value.(type) {
	case float64, probability, json.Number:
		return true
	}
	return false
}

// table is rows under a header.
type table struct {
	header []string
	rows   [][]cell
}

func (t *table) write(w io.Writer, f format) error {
	switch f.resolve(w) {
	case formatCSV:
		return t.writeCSV(w)
	case formatJSON:
		return t.writeJSON(w)
	default:
		return t.writeAligned(w)
	}
}

func (t *table) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.header); err != nil {
		return err
	}
	for _, row := range t.rows {
		fields := make([]string, len(row))
		for i, c := range row {
			fields[i] = c.text
		}
		if err := out.Write(fields); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeJSON writes an array of objects, one a line, their keys in the order of the columns.
func (t *table) writeJSON(w io.Writer) error {
	var b strings.Builder
	b.WriteString("[")
	for i, row := range t.rows {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n{")
		for k, c := range row {
			key, err := json.Marshal(t.header[k])
			if err != nil {
				return err
			}
			value, err := json.Marshal(c.value)
			if err != nil {
				return err
			}
			if k > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, "%s:%s", key, value)
		}
		b.WriteString("}")
	}
	b.WriteString("\n]\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// writeAligned writes columns as wide as their widest value, numbers to the right.
func (t *table) writeAligned(w io.Writer) error {
	widths := make([]int, len(t.header))
	right := make([]bool, len(t.header))
	lines := [][]string{t.header}
	for _, row := range t.rows {
		line := make([]string, len(row))
		for i, c := range row {
			line[i] = c.tableText()
			right[i] = right[i] || c.isNumber()
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		for i, s := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		var row strings.Builder
		for i, s := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(s))
			if right[i] {
				s = pad + s
			} else {
				s += pad
			}
			row.WriteString(s + "  ")
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
