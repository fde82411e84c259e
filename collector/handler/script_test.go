package handler

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

// testScript is long enough to be worth compressing.
var testScript = strings.Repeat("console.log('a script');", 20)

const testHash = "d0eeac0e688b9588" // the first 16 digits of sha256sum

func (f *fixture) script(t *testing.T, method, path string, h headers) response {
	t.Helper()
	var got response
	got.status, got.headers, got.body = f.do(method, path, "", h)
	return got
}

func TestScript(t *testing.T) {
	f := newFixture()
	common := headers{
		"Vary": "Accept-Encoding", "Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
		"Content-Type": "text/javascript; charset=utf-8",
	}
	changing := headers{
		"Cache-Control": "public, max-age=3600, stale-while-revalidate=86400", "Content-Location": "/t." + testHash + ".js",
	}
	for path, own := range map[string]headers{
		"/t.js": changing, "/t." + testHash + ".js": {"Cache-Control": "public, max-age=31536000, immutable"},
	} {
		for _, c := range []struct{ accept, coding, etag string }{
			{"", "", testHash}, {"identity", "", testHash}, {"zstd, deflate", "", testHash},
			{"br;q=0, gzip;q=0.000", "", testHash}, {"gzip, deflate, br, zstd", "br", testHash + "-br"},
			{"GZIP", "gzip", testHash + "-gzip"}, {"br; q=0, gzip; q=0.5", "gzip", testHash + "-gzip"},
		} {
			got := f.script(t, "GET", path, headers{"Accept-Encoding": c.accept})
			want := maps.Clone(common)
			maps.Copy(want, own)
			want["Etag"] = `"` + c.etag + `"`
			if c.coding != "" {
				want["Content-Encoding"] = c.coding
			}
			got.body = decompress(t, c.coding, got.body)
			equal(t, got, response{200, want, testScript})
			equal(t, f.script(t, "HEAD", path, headers{"Accept-Encoding": c.accept}).headers, want)
		}
	}
	equal(t, f.Snapshot(), Stats{})
}

func decompress(t *testing.T, coding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	switch coding {
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		var err error
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	if coding != "" && len(body) > plain.Len()/2 {
		t.Errorf("%s: %d bytes of %d", coding, len(body), plain.Len())
	}
	return plain.String()
}

func TestScriptNotModified(t *testing.T) {
	f := newFixture()
	for match, status := range map[string]int{
		`"` + testHash + `-br"`: 304, `W/"` + testHash + `-br"`: 304, `"other", "` + testHash + `-br"`: 304, "*": 304,
		`"` + testHash + `"`: 200, `"other"`: 200, testHash: 200, "": 200,
	} {
		got := f.script(t, "GET", "/t.js", headers{"Accept-Encoding": "br", "If-None-Match": match})
		if got.status != status || (status == 304) != (got.body == "") || got.headers["Etag"] != `"`+testHash+`-br"` {
			t.Errorf("%s: %+v", match, got)
		}
	}
}

// A page that names the script of another version goes on working.
func TestScriptOfAnotherVersion(t *testing.T) {
	got := newFixture().script(t, "GET", "/t.0123456789abcdef.js", nil)
	delete(got.headers, "Content-Type") // fasthttp's default, which the collector switches off
	equal(t, got, response{302, headers{"Location": "/t.js", "Cache-Control": "no-store"}, ""})
}
