// Package attribution holds what the models of attribution work on, and the small interfaces they answer to: paths of
// touches that led to conversions or did not, and the credit each channel gets for them. It imports the standard
// library only.
package attribution

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// A number of a row is 0 or within these bounds, which keep every sum and product of a model finite and precise.
const (
	MinNumber = 1e-9
	MaxNumber = 1e12
)

// Channel is the index of a channel's name: in Paths.Channels once built, in its Builder before that.
type Channel uint32

// Row is one path with all that happened on it.
type Row struct {
	Touches     []Channel // first to last, at least one; shared with the Paths, so read only
	Conversions float64   // journeys on this path that converted
	Value       float64   // what those conversions were worth, together
	Nulls       float64   // journeys on this path that ended without a conversion
	Hours       []float64 // of each touch, before the journey's end, never growing; nil where nobody knows; read only
}

// Paths are the paths of many journeys, added up. Rows are distinct and sorted by their touches and hours (the same
// touches at other hours are a row of their own), Channels by name, and sums are exact: so the same input in any order is
// the same Paths to the bit, and so is whatever is computed from it row by row. Nobody changes a Paths after it was built;
// any number of goroutines may read it.
type Paths struct {
	Channels []string
	Rows     []Row

	// Totals over all rows.
	Conversions float64
	Value       float64
	Nulls       float64

	// Origins is, of each of Channels, the channel it was before a Transform told touches of it apart; nil without one.
	Origins []string
}

// Origin is the name of channel c, as it was before any Transform.
func (p *Paths) Origin(c Channel) string {
	if p.Origins == nil {
		return p.Channels[c]
	}
	return p.Origins[c]
}

// FieldError says which field of a row breaks which rule.
type FieldError struct {
	Field  string // path, hours, conversions, value or nulls
	Reason string // what is wrong and what would be right, on one line
}

func (e *FieldError) Error() string { return e.Field + " " + e.Reason }

// Builder collects paths in any order. The zero Builder is ready to use; it is for one goroutine.
type Builder struct {
	names   []string
	index   map[string]Channel
	touches []Channel // of all paths, one after the other
	hours   []float64 // of all touches, or empty
	paths   []tally
}

// PathID is a path that a Builder knows.
type PathID uint32

// tally is what was added to a path. The path's touches begin where those of the path before end.
type tally struct {
	end                       int
	conversions, value, nulls sum
}

// Channel returns the index of the channel called name, which the Builder keeps no reference to.
func (b *Builder) Channel(name string) Channel {
	if c, ok := b.index[name]; ok {
		return c
	}
	if b.index == nil {
		b.index = make(map[string]Channel)
	}
	name = strings.Clone(name)
	c := Channel(len(b.names)) //nolint:gosec // 2^32 names do not fit into memory
	b.index[name] = c
	b.names = append(b.names, name)
	return c
}

// Path introduces a path of touches, which it copies and which come from Channel. A path may be introduced any number
// of times; whoever remembers the PathID of paths that occur often saves work. The error is a *FieldError.
func (b *Builder) Path(touches []Channel) (PathID, error) { return b.TimedPath(touches, nil) }

// TimedPath is Path for touches of which is known how many hours before the journey's end they were. Either all paths
// of a Builder have hours, or none has.
func (b *Builder) TimedPath(touches []Channel, hours []float64) (PathID, error) {
	if len(touches) == 0 {
		return 0, &FieldError{"path", "is empty; a path has at least one channel"}
	}
	if err := b.checkHours(len(touches), hours); err != nil {
		return 0, err
	}
	return b.introduce(touches, hours), nil
}

// introduce is TimedPath for what needs no check.
func (b *Builder) introduce(touches []Channel, hours []float64) PathID {
	if len(b.paths) == cap(b.paths) { // append would grow a long slice by a quarter, and copy five times as much
		b.paths = slices.Grow(b.paths, len(b.paths)+1)
	}
	b.touches = append(b.touches, touches...)
	b.hours = append(b.hours, hours...)
	b.paths = append(b.paths, tally{end: len(b.touches)})
	return PathID(len(b.paths) - 1) //nolint:gosec // 2^32 paths do not fit into memory
}

func (b *Builder) checkHours(touches int, hours []float64) error {
	if len(b.paths) > 0 && (len(hours) == 0) != (len(b.hours) == 0) {
		return &FieldError{"hours", "are given for some paths only; give them for all, or for none"}
	}
	if len(hours) > 0 && len(hours) != touches {
		return &FieldError{"hours", fmt.Sprintf("are %d numbers for %d touches; each touch has one", len(hours), touches)}
	}
	for i, h := range hours {
		if !(h >= 0 && h <= MaxNumber) {
			return &FieldError{"hours", fmt.Sprintf("are %v at touch %d; they must be from 0 to %v", h, i+1, MaxNumber)}
		}
		if i > 0 && h > hours[i-1] {
			return &FieldError{"hours", fmt.Sprintf("grow from %v to %v at touch %d; a path goes from its first touch to its last",
				hours[i-1], h, i+1)}
		}
	}
	return nil
}

// Add adds journeys to a path. The error is a *FieldError and leaves the Builder as it was.
func (b *Builder) Add(path PathID, conversions, value, nulls float64) error {
	if err := checkNumber("conversions", conversions); err != nil {
		return err
	}
	if err := checkNumber("value", value); err != nil {
		return err
	}
	if err := checkNumber("nulls", nulls); err != nil {
		return err
	}
	if value > 0 && conversions == 0 {
		return &FieldError{"value", fmt.Sprintf("is %v without a conversion; only conversions have a value", value)}
	}
	b.paths[path].add(conversions, value, nulls)
	return nil
}

func (t *tally) add(conversions, value, nulls float64) {
	t.conversions.add(conversions)
	t.value.add(value)
	t.nulls.add(nulls)
}

// addRow adds a row of Paths, whose numbers may be sums above MaxNumber, on another path.
func (b *Builder) addRow(touches []Channel, hours []float64, row Row) {
	b.paths[b.introduce(touches, hours)].add(row.Conversions, row.Value, row.Nulls)
}

// Merge adds all that was added to another Builder, which it empties. The error is a *FieldError: only one of the two has
// hours.
func (b *Builder) Merge(other *Builder) error {
	renumbered := make([]Channel, len(other.names))
	for i, name := range other.names {
		renumbered[i] = b.Channel(name)
	}
	for i, c := range other.touches {
		other.touches[i] = renumbered[c]
	}
	for i := range other.paths {
		from := PathID(i) //nolint:gosec // as in Path
		id, err := b.TimedPath(other.path(from), other.pathHours(from))
		if err != nil {
			return err
		}
		b.paths[id].merge(&other.paths[from])
	}
	*other = Builder{}
	return nil
}

func checkNumber(field string, x float64) error {
	if x == 0 || x >= MinNumber && x <= MaxNumber {
		return nil
	}
	switch {
	case math.IsNaN(x):
		return &FieldError{field, "is not a number"}
	case x < 0:
		return &FieldError{field, fmt.Sprintf("is %v; it cannot be negative", x)}
	default:
		return &FieldError{field, fmt.Sprintf("is %v; it must be 0 or from %v to %v", x, MinNumber, MaxNumber)}
	}
}

// Paths returns what was added, without the paths on which nothing happened, and empties the Builder.
func (b *Builder) Paths() *Paths {
	p := &Paths{Channels: b.sortChannels(), Rows: make([]Row, 0, len(b.paths))}
	var total tally
	touches, hours := make([]Channel, 0, len(b.touches)), make([]float64, 0, len(b.hours))
	for sorted := b.sortPaths(); len(sorted) > 0; {
		id := sorted[0].path
		t := b.paths[id]
		for sorted = sorted[1:]; len(sorted) > 0 && b.compare(sorted[0].path, id) == 0; sorted = sorted[1:] {
			t.merge(&b.paths[sorted[0].path])
		}
		if t.conversions.isZero() && t.nulls.isZero() {
			continue
		}
		row := Row{Conversions: t.conversions.float(), Value: t.value.float(), Nulls: t.nulls.float()}
		start := len(touches)
		touches = append(touches, b.path(id)...)
		row.Touches = touches[start:]
		if len(b.hours) > 0 {
			hours = append(hours, b.pathHours(id)...)
			row.Hours = hours[start:]
		}
		p.Rows = append(p.Rows, row)
		total.merge(&t)
	}
	p.Conversions, p.Value, p.Nulls = total.conversions.float(), total.value.float(), total.nulls.float()
	*b = Builder{}
	return p
}

func (t *tally) merge(other *tally) {
	t.conversions.merge(other.conversions)
	t.value.merge(other.value)
	t.nulls.merge(other.nulls)
}

// path is the touches of a path.
func (b *Builder) path(id PathID) []Channel { return b.touches[b.start(id):b.paths[id].end] }

// pathHours is the hours of a path's touches, empty where nobody knows them.
func (b *Builder) pathHours(id PathID) []float64 {
	if len(b.hours) == 0 {
		return nil
	}
	return b.hours[b.start(id):b.paths[id].end]
}

func (b *Builder) start(id PathID) int {
	if id == 0 {
		return 0
	}
	return b.paths[id-1].end
}

// compare sorts paths.
func (b *Builder) compare(x, y PathID) int {
	if c := slices.Compare(b.path(x), b.path(y)); c != 0 {
		return c
	}
	return slices.Compare(b.pathHours(x), b.pathHours(y))
}

// sortChannels returns the names sorted and renumbers all touches accordingly.
func (b *Builder) sortChannels() []string {
	names := slices.Sorted(slices.Values(b.names))
	renumbered := make([]Channel, len(names))
	for i, name := range names {
		renumbered[b.index[name]] = Channel(i) //nolint:gosec // as in Channel
	}
	for i, c := range b.touches {
		b.touches[i] = renumbered[c]
	}
	return names
}

// sortKey is a path and as much of its beginning as fits into one integer, so that sorting seldom has to look at the
// touches themselves.
type sortKey struct {
	prefix uint64
	path   PathID
}

// sortPaths returns the paths in order, equal ones side by side.
func (b *Builder) sortPaths() []sortKey {
	width := bits.Len(uint(max(len(b.names), 1) - 1))
	keys := make([]sortKey, len(b.paths))
	for i := range keys {
		id := PathID(i) //nolint:gosec // as in Path
		keys[i] = sortKey{prefix(b.path(id), width), id}
	}
	slices.SortFunc(keys, func(x, y sortKey) int {
		if x.prefix != y.prefix {
			return cmp.Compare(x.prefix, y.prefix)
		}
		return b.compare(x.path, y.path)
	})
	return keys
}

// prefix packs the first touches of a path, width bits each. No path sorts before another with a smaller prefix.
func prefix(path []Channel, width int) uint64 {
	packed, free := uint64(0), 64
	for _, c := range path {
		if free < width {
			break
		}
		free -= width
		packed |= uint64(c) << free
	}
	return packed
}

// sum is an exact sum of numbers, in units of 2^-64: floating-point sums depend on the order of their terms. A number
// from 2^-12 on keeps all its bits; below, it is rounded up and keeps ten digits at least.
type sum struct{ whole, fraction uint64 }

func (s *sum) add(x float64) {
	if x == 0 { // as many are
		return
	}
	whole := uint64(x)
	s.merge(sum{whole, uint64(math.Ceil((x - float64(whole)) * (1 << 64)))})
}

func (s *sum) merge(other sum) {
	var carry uint64
	s.fraction, carry = bits.Add64(s.fraction, other.fraction, 0)
	s.whole, _ = bits.Add64(s.whole, other.whole, carry)
}

func (s *sum) isZero() bool { return s.whole == 0 && s.fraction == 0 }

func (s *sum) float() float64 { return float64(s.whole) + float64(s.fraction)/(1<<64) }
