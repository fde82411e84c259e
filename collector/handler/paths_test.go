package handler

import (
	"encoding/base64"
	"testing"
)

func TestCheckPath(t *testing.T) {
	const plain = "own path must begin with a slash and be plain: no query, no escapes, no empty or dotted parts"
	for entry, want := range map[[2]string]string{
		{"/collect", "/v1/batch"}:     "",
		{"/img/", "/v1/pixel/"}:       "",
		{"/v1/batch/mine", "/v1/t"}:   "",
		{"/img/logo.gif", "/p.gif"}:   "",
		{"/über", "/p.gif"}:           "",
		{"/v1/track", "/v1/page"}:     "own path is one of endpoint track already, which stays",
		{"/v1/pixel/my", "/p.gif"}:    "own path is one of endpoint pixel already, which stays",
		{"/v1/pixel/", "/v1/pixel/"}:  "own path is one of endpoint pixel already, which stays",
		{"/t.min.js", "/t.js"}:        "own path is one of endpoint script already, which stays",
		{"/img", "/v1/pixel/"}:        `stands for "/v1/pixel/"; either both end in a slash, and all below is meant, or neither`,
		{"/img/", "/p.gif"}:           `stands for "/p.gif"; either both end in a slash, and all below is meant, or neither`,
		{"collect", "/v1/batch"}:      plain,
		{"", "/v1/batch"}:             plain,
		{"/a?b", "/v1/batch"}:         plain,
		{"/a%20b", "/v1/batch"}:       plain,
		{"/a//b", "/v1/batch"}:        plain,
		{"/a/../b", "/v1/batch"}:      plain,
		{"/", "/v1/pixel/"}:           plain,
		{"//", "/v1/pixel/"}:          plain,
		{"/a//", "/v1/pixel/"}:        plain,
		{"https://x.test/", "/p.gif"}: plain,
	} {
		got := ""
		if err := CheckPath(entry[0], entry[1]); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", entry, got, want)
		}
	}
	const unknown = `is "/collect", which is no path of the collector; want one of /v1/batch, /v1/b, /v1/track, /v1/t, /v1/page, /v1/p, ` +
		`/v1/screen, /v1/s, /v1/identify, /v1/i, /v1/group, /v1/g, /v1/alias, /v1/a, /v1/pixel/, /p.gif, /r/, /t.js, /healthz, /readyz`
	if err := CheckPath("/own", "/collect"); err == nil || err.Error() != unknown {
		t.Errorf("got %v, want %s", err, unknown)
	}
}

func TestStandardPathsAreServed(t *testing.T) {
	for _, path := range standardPaths {
		if status, _, _ := newFixture().do("GET", path, "", nil); status == 404 {
			t.Errorf("nothing is at %s", path)
		}
	}
}

func withPaths(paths map[string]string) *fixture {
	f := newFixture()
	c := f.Config
	c.Paths = paths
	f.Handler = New(c)
	return f
}

// What is asked of an own path is answered like the same of the standard path.
func TestOwnPaths(t *testing.T) {
	f := withPaths(map[string]string{
		"/mine/m": "/v1/batch", "/mine/": "/v1/pixel/", "/mine/more/": "/v1/pixel/", "/logo.gif": "/p.gif", "/alive": "/healthz", "/p": "/v1/p",
	})
	data := "?data=" + base64.RawURLEncoding.EncodeToString([]byte(`{"writeKey":"wk_open","event":"E","messageId":"m"}`))
	ids := `{"writeKey":"wk_open","messageId":"m"}`
	for _, c := range []struct{ method, own, standard, body string }{
		{"POST", "/mine/m", "/v1/batch", `{"writeKey":"wk_open","batch":[{"type":"page","messageId":"m"}]}`},
		{"POST", "/p", "/v1/p", ids},
		{"OPTIONS", "/p", "/v1/p", ""},
		{"PUT", "/mine/m", "/v1/batch", ""},
		{"GET", "/mine/track" + data, "/v1/pixel/track" + data, ""},
		{"GET", "/mine/more/track" + data, "/v1/pixel/track" + data, ""},
		{"GET", "/mine/nothing" + data, "/v1/pixel/nothing" + data, ""},
		{"GET", "/mine/%252e%252e/p" + data, "/v1/pixel/%252e%252e/p" + data, ""}, // decoded once
		{"GET", "/mine/" + data, "/v1/pixel/" + data, ""},
		{"GET", "/logo.gif?k=wk_open&e=page&mid=m&p.a=b", "/p.gif?k=wk_open&e=page&mid=m&p.a=b", ""},
		{"GET", "/alive", "/healthz", ""},
		{"GET", "/mine", "/nothing", ""},
		{"GET", "/alive/", "/nothing", ""},
		{"GET", "/logo.gifs", "/nothing", ""},
	} {
		h := headers{"Origin": "https://x.test"}
		standard := newFixture()
		var want response
		want.status, want.headers, want.body = standard.do(c.method, c.standard, c.body, h)
		f.sink.records = nil
		f.expect(t, c.method, c.own, c.body, h, want)
		equal(t, f.sink.events(t), standard.sink.events(t))
	}
}
