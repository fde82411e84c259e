package decode

import (
	"bytes"
	"strconv"
)

// wholeSurrogates returns valid JSON with \ufffd in place of each half of a surrogate pair that is without its other half,
// such as a browser writes when it has cut a text within an emoji. Most parsers refuse all of a document that holds one,
// ClickHouse's too. It copies body if it changes anything.
func wholeSurrogates(body []byte) []byte {
	whole, at := body, 0
	for {
		next := bytes.IndexByte(body[at:], '\\')
		if next < 0 {
			return whole
		}
		at += next
		switch {
		case !isSurrogate(body[at:], 0xD800, 0xE000):
			at += 2
		case isSurrogate(body[at:], 0xD800, 0xDC00) && isSurrogate(body[at+6:], 0xDC00, 0xE000):
			at += 12
		default:
			if &whole[0] == &body[0] {
				whole = bytes.Clone(body)
			}
			at += copy(whole[at:], `\ufffd`)
		}
	}
}

// isSurrogate reports whether s begins with the escape of a code from first to before end.
func isSurrogate(s []byte, first, end uint64) bool {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' || s[2]|0x20 != 'd' {
		return false
	}
	code, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return err == nil && first <= code && code < end
}
