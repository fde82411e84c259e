package pathfile

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// lines of a file: most are right, some are wrong, some have quotes, which may hold ends of lines.
var lines = []string{
	"a > b,1,2,0\n", "b > a,1,0.1,0\n", "c,0,0,2\n", "b > c > d,3,0.3,0\r\n", "\n", "e > a,0,0,1\n", "a > b,0,0,7\n",
	"\"a, x\" ,1,0,0\n", "\"a\n > b\",1,1,1\n", "a > ,1,0,0\n", "c,x,0,0\n", "c,1\n", "\"c\"d,1,0,0\n",
}

// However a file is cut into pieces, it reads as the same bytes, or the first line with an error is found.
func TestPiecesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kinds := lines[:7]
		if rapid.Bool().Draw(rt, "quotes") {
			kinds = lines[:9]
		}
		if rapid.Bool().Draw(rt, "errors") {
			kinds = lines
		}
		text := "path,conversions,value,nulls\n" + strings.Join(rapid.SliceOf(rapid.SampledFrom(kinds)).Draw(rt, "lines"), "")
		want, wantErr := read(strings.NewReader(text), "in.csv", len(text)+1)
		got, err := read(strings.NewReader(text), "in.csv", rapid.IntRange(1, 60).Draw(rt, "size"))
		if wantErr != nil {
			if err == nil || err.Error() != wantErr.Error() || got != nil {
				rt.Fatalf("%v, %v, want the error %v", got, err, wantErr)
			}
			return
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			rt.Fatalf("%v, %v, want %v", got, err, want)
		}
	})
}

// Lines before a read error are read, and those that it cuts off are not.
func TestReadErrorBetweenPieces(t *testing.T) {
	broken := errors.New("disk on fire")
	for text, want := range map[string]string{
		"path,conversions\na,1\nb,1\nc,1":       "in.csv: disk on fire",
		"path,conversions\na,1\nb,x\nc,1":       `in.csv:3:3: conversions is "x", not a number`,
		"path,conversions\na,1\n\"b\",1\n\"c\"": "in.csv: disk on fire",
	} {
		for size := 1; size < len(text)+2; size++ {
			_, err := read(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), "in.csv", size)
			if err == nil || err.Error() != want {
				t.Errorf("%q in pieces of %d: %v, want %s", text, size, err, want)
			}
		}
	}
}
