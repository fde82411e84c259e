package decode

import "unsafe"

// Chunks of an arena, in bytes.
const (
	minChunk = 256
	maxChunk = 32 << 10
)

// arena makes strings that share their memory: one allocation for many. A chunk lives as long as any string in it, so
// whoever keeps a string for longer than its event must clone it.
type arena struct {
	chunk []byte
	size  int // of the chunks, in bytes
}

// expect prepares for strings of about n bytes altogether.
func (a *arena) expect(n int) { a.size = min(max(n, minChunk), maxChunk) }

// string copies b.
func (a *arena) string(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > cap(a.chunk)-len(a.chunk) {
		if len(b) > a.size/4 {
			return string(b)
		}
		a.chunk = make([]byte, 0, a.size)
	}
	start := len(a.chunk)
	a.chunk = append(a.chunk, b...)
	return unsafe.String(&a.chunk[start], len(b)) // these bytes are never written again
}
