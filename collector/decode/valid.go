package decode

import (
	"encoding/binary"
	"math/bits"
)

// maxDepth is how many objects and arrays may be open at once.
const maxDepth = 300

// messageDepth is how deep messages are in a batch: {"batch":[{…
const messageDepth = 3

// valid reports whether b is one JSON value by RFC 8259, nested no deeper than maxDepth. It is for speed: what is wrong
// with a body that is not valid, encoding/json has to say. widest is the size in bytes of the largest object or array at
// messageDepth.
func valid(b []byte) (widest int, ok bool) {
	s := syntax{b: b}
	for s.value() && s.closeValue() {
		if s.depth == 0 {
			s.space()
			return s.widest, s.at == len(b)
		}
	}
	return 0, false
}

// syntax reads JSON without recursion, so that nesting costs it a bit a level.
type syntax struct {
	b     []byte
	at    int
	depth int
	// objects has a bit for each open level, set for an object.
	objects [(maxDepth + 63) / 64]uint64

	start, widest int // of the last one at messageDepth, and the size of the largest
}

// value reads the beginning of a value: all of a scalar or an empty container, and otherwise up to the first scalar in it.
func (s *syntax) value() bool {
	for {
		s.space()
		if s.at == len(s.b) {
			return false
		}
		c := s.b[s.at]
		if c != '{' && c != '[' {
			return s.scalar(c)
		}
		if !s.open(c == '{') {
			return false
		}
		s.space()
		if s.take(c + 2) { // in ASCII a bracket closes two behind where it opens
			s.depth--
			return true
		}
		if c == '{' && !s.key() {
			return false
		}
	}
}

// closeValue reads what follows a value: the brackets it is the last in, and a comma with the key behind it.
func (s *syntax) closeValue() bool {
	for s.depth > 0 {
		object := s.inObject()
		s.space()
		if s.take(',') {
			return !object || s.key()
		}
		end := byte(']')
		if object {
			end = '}'
		}
		if !s.take(end) {
			return false
		}
		if s.depth == messageDepth {
			s.widest = max(s.widest, s.at-s.start)
		}
		s.depth--
	}
	return true
}

func (s *syntax) open(object bool) bool {
	if s.depth == maxDepth {
		return false
	}
	if s.depth == messageDepth-1 {
		s.start = s.at
	}
	s.at++
	word, bit := s.depth/64, uint64(1)<<(s.depth%64)
	s.objects[word] &^= bit
	if object {
		s.objects[word] |= bit
	}
	s.depth++
	return true
}

func (s *syntax) inObject() bool {
	level := s.depth - 1
	return s.objects[level/64]>>(level%64)&1 == 1
}

// key reads a key and its colon.
func (s *syntax) key() bool {
	s.space()
	if !s.take('"') || !s.string() {
		return false
	}
	s.space()
	return s.take(':')
}

func (s *syntax) scalar(c byte) bool {
	switch c {
	case '"':
		s.at++
		return s.string()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *syntax) literal(word string) bool {
	if len(s.b)-s.at < len(word) || string(s.b[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

func (s *syntax) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

// digits reads at least one.
func (s *syntax) digits() bool {
	start := s.at
	for s.at < len(s.b) && s.b[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > start
}

// string reads the rest of a string behind its first quote.
func (s *syntax) string() bool {
	for {
		s.plain()
		if s.at == len(s.b) {
			return false
		}
		switch c := s.b[s.at]; {
		case c == '"':
			s.at++
			return true
		case c == '\\':
			if !s.escape() {
				return false
			}
		case c < ' ':
			return false
		default:
			s.at++
		}
	}
}

// plain skips bytes of a string that mean themselves, eight at a time; there may be more of them where it stops.
func (s *syntax) plain() {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(s.b)-s.at >= 8; s.at += 8 {
		word := binary.LittleEndian.Uint64(s.b[s.at:])
		// A byte less its bound borrows into its top bit when it is below; those above 0x7f are left out by ^word.
		// xor makes zeros of quotes and backslashes. The lowest hit is always true, those above it may not be.
		quote, back := word^ones*'"', word^ones*'\\'
		hits := (word - ones*' ') &^ word
		hits |= (quote-ones)&^quote | (back-ones)&^back
		if hits &= tops; hits != 0 {
			s.at += bits.TrailingZeros64(hits) / 8
			return
		}
	}
}

// escape reads a backslash and what it stands before.
func (s *syntax) escape() bool {
	if s.at++; s.at == len(s.b) {
		return false
	}
	c := s.b[s.at]
	s.at++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if !s.hex() {
				return false
			}
		}
		return true
	}
	return false
}

func (s *syntax) hex() bool {
	if s.at == len(s.b) {
		return false
	}
	c := s.b[s.at]
	s.at++
	return c-'0' <= 9 || c|0x20-'a' <= 5
}

func (s *syntax) take(c byte) bool {
	if s.at < len(s.b) && s.b[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *syntax) space() {
	for s.at < len(s.b) {
		switch s.b[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}
