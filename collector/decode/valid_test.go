package decode

import (
	"encoding/json"
	"strings"
	"testing"
)

// validSeeds are where a reader of JSON may go wrong.
var validSeeds = []string{
	``, ` `, `0`, `-0`, `00`, `01`, `-`, `+1`, `.5`, `5.`, `5.0`, `1e5`, `1e`, `1E+5`, `1e-`, `1.5e-07`, `0x1`, `1 2`, `Infinity`, `NaN`,
	`true`, `tru`, `truex`, `false`, `null`, `nul`, `True`,
	`""`, `"`, `"a`, `"\"`, `"\""`, `"\\"`, `"\/\b\f\n\r\t"`, `"\x"`, `"\u"`, `"\u12"`, `"\u12g4"`, `"\uD83d\uDE00"`, `"\u00aF"`,
	"\"a\tb\"", "\"12345678\x1f\"", "\"1234567\x1f9\"", "\"\x7f\x80\xff\"", "\"äöü€😀 12345678\"", `"12345678\"12345678"`, `"123456!#[]^"`,
	`[]`, `[ ]`, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[1,2]`, `[`, `]`, `[[]]`, `[[],[]]`, `[}`, `{]`, `[[[1],{}],2]`,
	`{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{1:1}`, `{"a":1 "b":2}`, `{"a":{"b":[{}]},"c":[]}`, `{"a":[1,{"b":null}],"c":"d"}`,
	" \t\r\n{ \"a\" :\t[ 1 ,\r\n2 ] }\n", `{}{}`, `{} x`, `{"a":1}}`, "\v1", "\u00a01", "\ufeff1",
}

func TestValid(t *testing.T) {
	for _, s := range validSeeds {
		if _, got := valid([]byte(s)); got != json.Valid([]byte(s)) {
			t.Errorf("%q: %t", s, got)
		}
	}
}

func TestWidestMessage(t *testing.T) {
	for body, want := range map[string]int{
		`1`:                         0,
		`{"batch":[1,2,{},[]]}`:     0, // what is empty has a size of no interest
		`{"batch":[{"a":1}],"x":1}`: 7,
		`{"batch":[{"a":1},{"a" : [ ] }, {"b":[{}]}]}`:   12,
		`{"x":[[1,2]],"batch":[{"a":{"b":{"c":"}]"}}}]}`: 22,
	} {
		if got, ok := valid([]byte(body)); !ok || got != want {
			t.Errorf("%s: %d, %t; want %d", body, got, ok, want)
		}
	}
}

func TestValidDepth(t *testing.T) {
	nested := func(levels int) []byte {
		half := strings.Repeat(`[{"a":`, levels/2)
		return []byte(half + "1" + strings.Repeat("}]", levels/2))
	}
	if _, ok := valid(nested(maxDepth)); !ok {
		t.Errorf("%d levels are refused", maxDepth)
	}
	if _, ok := valid(nested(maxDepth + 2)); ok {
		t.Errorf("%d levels are taken", maxDepth+2)
	}
}

// FuzzValid compares with the standard library, which takes any depth.
func FuzzValid(f *testing.F) {
	for _, s := range validSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want := json.Valid(b)
		if _, got := valid(b); got != want && strings.Count(string(b), "[")+strings.Count(string(b), "{") <= maxDepth {
			t.Errorf("%q: %t, want %t", b, got, want)
		}
	})
}
