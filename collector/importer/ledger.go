package importer

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const keptMalformed = 20

// Ledger says what became of every line that was read. It always adds up:
//
//	Lines = Imported + AlreadyThere + Σ Skipped + len(Malformed) + MoreMalformed + Rejected
//	Pages + Downloads = Imported + AlreadyThere, of an access log
type Ledger struct {
	Lines         int
	Imported      int // new to the project
	AlreadyThere  int // of an earlier import, or earlier in this one
	Pages         int
	Downloads     int
	Skipped       map[string]int // by reason
	Malformed     []Malformed    // the first 20
	MoreMalformed int            // the rest
	Rejected      int            // by the database, for good; they are in table rejected
	FirstRejected Malformed      // its reason is what the database said
}

// Malformed is a line that could not be read.
type Malformed struct {
	File   string
	Line   int    // from 1
	Reason string // completes "the line …"
}

func (l *Ledger) skip(reason string) {
	if l.Skipped == nil {
		l.Skipped = make(map[string]int)
	}
	l.Lines++
	l.Skipped[reason]++
}

func (l *Ledger) malformed(m Malformed) {
	l.Lines++
	if len(l.Malformed) == keptMalformed {
		l.MoreMalformed++
		return
	}
	l.Malformed = append(l.Malformed, m)
}

func (l *Ledger) rejected(m Malformed) {
	if l.Rejected == 0 {
		l.FirstRejected = m
	}
	l.Rejected++
}

// WriteTo prints the ledger as a sum, then what its terms consist of.
func (l *Ledger) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, l.String())
	return int64(n), err
}

// String is what WriteTo prints.
func (l *Ledger) String() string {
	var b strings.Builder
	skipped := 0
	for _, n := range l.Skipped {
		skipped += n
	}
	fmt.Fprintf(&b, "%s lines = %s imported + %s already there + %s skipped + %s malformed", grouped(l.Lines),
		grouped(l.Imported), grouped(l.AlreadyThere), grouped(skipped), grouped(len(l.Malformed)+l.MoreMalformed))
	if l.Rejected > 0 {
		fmt.Fprintf(&b, " + %s rejected", grouped(l.Rejected))
	}
	b.WriteByte('\n')
	if l.Pages+l.Downloads > 0 {
		fmt.Fprintf(&b, "imported or already there: %s pages, %s downloads\n", grouped(l.Pages), grouped(l.Downloads))
	}
	if skipped > 0 {
		fmt.Fprintf(&b, "skipped: %s\n", strings.Join(l.reasons(), ", "))
	}
	for _, m := range l.Malformed {
		fmt.Fprintf(&b, "malformed: %s: line %d %s\n", m.File, m.Line, m.Reason)
	}
	if l.MoreMalformed > 0 {
		fmt.Fprintf(&b, "malformed: and %s more\n", grouped(l.MoreMalformed))
	}
	if first := l.FirstRejected; l.Rejected > 0 {
		fmt.Fprintf(&b, "rejected: by the database, see table rejected; first %s: line %d: %s\n", first.File, first.Line, first.Reason)
	}
	return b.String()
}

// reasons lists the skipped lines, most frequent reason first.
func (l *Ledger) reasons() []string {
	names := slices.SortedFunc(maps.Keys(l.Skipped), func(a, b string) int {
		if l.Skipped[a] != l.Skipped[b] {
			return l.Skipped[b] - l.Skipped[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = name + " " + grouped(l.Skipped[name])
	}
	return names
}

// grouped formats n ≥ 0 with commas: 10,000.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
