package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/touchline-hq/touchline/event"
)

// reader takes values out of one message and remembers the first that is not what it should be.
type reader struct {
	arena
	scratch []byte
	err     error
}

func (r *reader) fail(field, want string) {
	if r.err == nil {
		r.err = &event.Error{Field: field, Want: want}
	}
}

// id returns an id, which clients send as a string, a number, null or "".
func (r *reader) id(v *fastjson.Value, field string) string {
	switch typeOf(v) {
	case fastjson.TypeNull, fastjson.TypeString, fastjson.TypeNumber:
		return r.text(v)
	}
	r.fail(field, "is "+kind(v)+"; want a string")
	return ""
}

// object returns the JSON text of an object, or "" for an empty or absent one. Nothing within v may have been looked at.
func (r *reader) object(v *fastjson.Value, field string) string {
	switch typeOf(v) {
	case fastjson.TypeNull:
		return ""
	case fastjson.TypeObject:
		r.scratch = v.MarshalTo(r.scratch[:0])
		return r.nonEmpty(r.scratch)
	}
	r.fail(field, "is "+kind(v)+"; want an object")
	return ""
}

func (r *reader) time(v *fastjson.Value, field string) int64 {
	ms, err := r.instant(v)
	if err != nil {
		r.fail(field, err.Error())
	}
	return ms
}

func (r *reader) money(s, field string) int64 {
	n, err := millionths(s)
	if err != nil {
		r.fail(field, err.Error())
	}
	return n
}

// nonEmpty copies the JSON text of an object, or returns "" if it has no members.
func (r *reader) nonEmpty(object []byte) string {
	if string(object) == "{}" {
		return ""
	}
	return r.string(object)
}

// text copies a string or the text of a number; it is "" for anything else.
func (r *reader) text(v *fastjson.Value) string {
	switch typeOf(v) {
	case fastjson.TypeString:
		return r.clean(v.GetStringBytes())
	case fastjson.TypeNumber:
		r.scratch = v.MarshalTo(r.scratch[:0])
		return r.string(r.scratch)
	}
	return ""
}

func (r *reader) firstText(values ...*fastjson.Value) string {
	for _, v := range values {
		if s := r.text(v); s != "" {
			return s
		}
	}
	return ""
}

// clean copies b as valid UTF-8 without NUL.
func (r *reader) clean(b []byte) string {
	if bytes.IndexByte(b, 0) < 0 && utf8.Valid(b) {
		return r.string(b)
	}
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// typeOf takes an absent value for null, as the clients do.
func typeOf(v *fastjson.Value) fastjson.Type {
	if v == nil {
		return fastjson.TypeNull
	}
	return v.Type()
}

// kind names a value's type in a message to the sender.
func kind(v *fastjson.Value) string {
	if v == nil {
		return "missing"
	}
	switch t := v.Type(); t {
	case fastjson.TypeObject, fastjson.TypeArray:
		return "an " + t.String()
	case fastjson.TypeString, fastjson.TypeNumber:
		return "a " + t.String()
	default:
		return t.String()
	}
}

var errTime = errors.New("want a time as in RFC 3339, or Unix milliseconds or seconds as a number")

// instant returns a time in Unix milliseconds, or 0 for an absent one. A number below 1e11 counts seconds: as
// milliseconds it would be before April 1973, as seconds it reaches the year 5138.
func (r *reader) instant(v *fastjson.Value) (int64, error) {
	switch typeOf(v) {
	case fastjson.TypeNull:
		return 0, nil
	case fastjson.TypeNumber:
		n, _ := strconv.ParseFloat(r.text(v), 64) // ±Inf when it is too large
		if math.Abs(n) < 1e11 {
			n *= 1000
		}
		const last = 253_402_300_799_999 // the end of the year 9999
		if !(math.Abs(n) <= last) {
			return 0, fmt.Errorf("is %s; %w", clip(r.text(v)), errTime)
		}
		return int64(math.Round(n)), nil
	case fastjson.TypeString:
		s := r.text(v)
		if s == "" {
			return 0, nil
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return 0, fmt.Errorf("is %q; %w", clip(s), errTime)
		}
		return t.UnixMilli(), nil
	}
	return 0, fmt.Errorf("is %s; %w", kind(v), errTime)
}

const maxValue = 9e12 // of a currency; its millionths just fit an int64

// isNumber reports whether s could be a decimal number: ParseFloat alone would also take "Inf" and "0x1p-2". Most events
// have none, and an error about that costs an allocation.
func isNumber(s string) bool {
	if s == "" {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return (err == nil || errors.Is(err, strconv.ErrRange)) && strings.Trim(s, "0123456789+-.eE") == ""
}

// millionths returns the number s in millionths, rounded half away from zero. Without an exponent in s it moves the
// decimal point before it converts, so that it is exact up to 4.5e9; beyond that it is the nearest float64.
func millionths(s string) (int64, error) {
	if !isNumber(s) {
		return 0, fmt.Errorf("is %q; want a number", clip(s))
	}
	n, _ := strconv.ParseFloat(s, 64)
	if !(math.Abs(n) <= maxValue) {
		return 0, fmt.Errorf("is %s; at most 9e12 is taken", clip(s))
	}
	if strings.ContainsAny(s, "eE") {
		n *= 1e6
	} else {
		n, _ = strconv.ParseFloat(s+"e6", 64)
	}
	return int64(math.Round(n)), nil
}

// clip shortens what a refusal quotes.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// appendString appends b as a JSON string.
func appendString(dst, b []byte) []byte {
	if isPlain(b) {
		return append(append(append(dst, '"'), b...), '"')
	}
	quoted, _ := json.Marshal(string(bytes.ToValidUTF8(b, []byte("\uFFFD")))) // a string cannot fail
	return append(dst, quoted...)
}

// isPlain reports whether b is the same within quotes.
func isPlain(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.Valid(b)
}
