package importer

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const logLine = `203.0.113.7 - - [17/May/2015:10:05:03 +0000]` + tail

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func gzipped(t testing.TB, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, data)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t testing.TB, data string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(data), nil)
}

// readAll returns the lines of a source; a line that is too long is "LONG".
func readAll(t *testing.T, src *source) ([]string, error) {
	t.Helper()
	var lines []string
	for {
		line, err := src.Next()
		switch {
		case errors.Is(err, errLongLine):
			lines = append(lines, "LONG")
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return lines, err
		default:
			lines = append(lines, string(line))
		}
	}
}

func TestSourceTellsCompressionByItsFirstBytes(t *testing.T) {
	const text = logLine + "\n" + logLine
	for name, data := range map[string][]byte{
		"plain.gz":    []byte(text),
		"gzip":        gzipped(t, text),
		"gzip, twice": append(gzipped(t, logLine+"\n"), gzipped(t, logLine)...),
		"zstd.log":    zstandard(t, text),
	} {
		t.Run(name, func(t *testing.T) {
			read := 0
			src, err := openSource(write(t, name, data), nil, func(n int) { read += n })
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			lines, err := readAll(t, src)
			if err != nil || !slices.Equal(lines, []string{logLine, logLine}) {
				t.Errorf("got %q, %v", lines, err)
			}
			if read != len(data) {
				t.Errorf("told of %d bytes read, the file has %d", read, len(data))
			}
		})
	}
}

func TestSourceLines(t *testing.T) {
	longest := logLine + strings.Repeat("x", maxLine-len(logLine))
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"empty file":            {"", nil},
		"no line end":           {logLine, []string{logLine}},
		"line ends of Windows":  {logLine + "\r\n" + logLine + "\r\n", []string{logLine, logLine}},
		"empty lines":           {logLine + "\n\n\r\nx", []string{logLine, "", "", "x"}},
		"longest":               {longest + "\n" + logLine + "\n", []string{longest, logLine}},
		"longest, Windows":      {longest + "\r\n" + logLine + "\n", []string{longest, logLine}},
		"too long":              {logLine + "\n" + longest + "y\n" + logLine, []string{logLine, "LONG", logLine}},
		"far too long":          {logLine + "\n" + strings.Repeat("x", 1<<20) + "\n" + logLine, []string{logLine, "LONG", logLine}},
		"far too long, at last": {logLine + "\n" + strings.Repeat("x", 1<<20), []string{logLine, "LONG"}},
		"a buffer, at last":     {logLine + "\n" + strings.Repeat("x", headBytes), []string{logLine, "LONG"}},
	} {
		t.Run(name, func(t *testing.T) {
			src, err := openSource("-", strings.NewReader(c.text), func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(t, src)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %d lines %.200q, %v\nwant %d lines", len(got), got, err, len(c.want))
			}
			if src.line != len(c.want) {
				t.Errorf("numbered %d lines", src.line)
			}
		})
	}
}

func TestSourceRefusesWhatIsNoLog(t *testing.T) {
	const expected = `): expected: 203.0.113.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512 "-" "Mozilla/5.0 …"`
	for name, c := range map[string]struct{ text, want string }{
		"text":          {"hello\nworld\n", "stdin: not a combined-format access log (line 1 has no [time]" + expected},
		"line 101":      {strings.Repeat("hello\n", 100) + logLine, "stdin: not a combined-format access log (line 1 has no [time]" + expected},
		"line 100":      {strings.Repeat("hello\n", 99) + logLine, ""},
		"common format": {`203.0.113.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5`, "stdin: not a combined-format access log (line 1 ends after the size: common log format, which has no referrer and user agent; combined is needed" + expected},
		"binary":        {"\x7fELF\x00\x00", "stdin: not a combined-format access log (line 1 has no [time]" + expected},
		"damaged gzip":  {"\x1f\x8b\x08", "stdin: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			a := newLog(&memory{})
			a.Stdin = strings.NewReader(c.text)
			if _, err := a.Run(t.Context(), []string{"-"}); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSourceReportsDamageAfterTheLinesBeforeIt(t *testing.T) {
	lines := strings.Repeat(logLine+"\n", 1000)
	data := gzipped(t, lines)
	src, err := openSource("-", bytes.NewReader(data[:len(data)-10]), func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, src)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), "stdin: after line ") {
		t.Errorf("got %v", err)
	}
	if len(got) == 0 {
		t.Error("got none of the lines before the damage")
	}
}
