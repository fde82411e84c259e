package handler

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
)

var codings = []string{"gzip", "deflate", "bare deflate", "br", "zstd"}

// FuzzInflate gives each content coding what is none, and then what is one: a reader that has failed must work again.
func FuzzInflate(f *testing.F) {
	const limit = 1000
	inflaters := newInflaters()
	for i, coding := range codings {
		for _, body := range []string{"", `{"batch":[]}`, strings.Repeat("0123456789", limit)} {
			packed := compress(f, coding, body)
			f.Add(uint8(i), []byte(packed))
			f.Add(uint8(i), []byte(packed[:len(packed)/2]))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		coding := codings[int(which)%len(codings)]
		pool := inflaters[strings.TrimPrefix(coding, "bare ")]
		in, _ := pool.Get().(*inflater)
		defer pool.Put(in)
		var got bytes.Buffer
		if err := in.inflate(&got, raw, limit); got.Len() > limit+1 {
			t.Fatalf("%s: %d bytes, %v", coding, got.Len(), err)
		}
		got.Reset()
		const body = `{"batch":[{"type":"page"}]}`
		if err := in.inflate(&got, []byte(compress(t, coding, body)), limit); err != nil || got.String() != body {
			t.Fatalf("%s after that: %q, %v", coding, got.String(), err)
		}
	})
}

// FuzzRequest sends anything anywhere: the answer is one of ours, and what it says is what was stored.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/v1/batch", basic("wk_open"), "gzip", "https://shop.test", []byte(`{"batch":[{"type":"page"},{}]}`))
	f.Add("POST", "/v1/t", "", "", "", []byte(`{"writeKey":"wk_open","event":"E","context":{"ip":"::1"}}`))
	f.Add("POST", "/v1/i", "Basic d2tfb3Blbjo=", "deflate", "null", []byte(`{"userId":null,"traits":[]}`))
	f.Add("GET", "/p.gif?k=wk_open&e=Opened&p.a%22=%00&uid=%ff", "", "", "", []byte{})
	f.Add("GET", "/v1/pixel/track?data="+base64.URLEncoding.EncodeToString([]byte(`{"writeKey":"wk_open","event":"E"}`)), "", "", "", []byte{})
	f.Add("OPTIONS", "/v1/b", "basic", "br", "https://a.test", []byte{})
	statuses := []int{200, 204, 400, 401, 403, 404, 405, 413, 415}
	f.Fuzz(func(t *testing.T, method, uri, authorization, coding, origin string, body []byte) {
		fix := newFixture()
		h := headers{"Authorization": authorization, "Content-Encoding": coding, "Origin": origin}
		status, got, answer := fix.do(method, uri, string(body), h)
		if !slices.Contains(statuses, status) {
			t.Fatalf("status %d: %s", status, answer)
		}
		stats, events := fix.Snapshot(), fix.sink.events(t)
		if int64(len(events)) != stats.Accepted {
			t.Fatalf("%d events, %+v", len(events), stats)
		}
		switch got["Content-Type"] {
		case "application/json":
			var r reply
			if err := json.Unmarshal([]byte(answer), &r); err != nil || r.Success != (status == 200) || r.Success != (len(events) > 0) {
				t.Fatalf("%d %s with %d events, %v", status, answer, len(events), err)
			}
		case "image/gif":
			if _, refused := got["X-Touchline-Rejected"]; refused == (len(events) == 1) || answer != gif {
				t.Fatalf("%v with %d events", got, len(events))
			}
		}
		for _, e := range events {
			if err := e.Validate(); err != nil || e.Project != "open" && e.Project != "shop" {
				t.Fatalf("%+v: %v", e, err)
			}
		}
	})
}

func FuzzPixelData(f *testing.F) {
	for _, seed := range []string{"", "e30", "e30=", "e 8_", "+/-_", "!", "%", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		var ctx fasthttp.RequestCtx
		ctx.QueryArgs().Set("data", data)
		decoded, err := pixelData(&ctx)
		if err != nil {
			if s := err.Error(); !strings.HasPrefix(s, "data is ") || strings.ContainsAny(s, "\r\n") {
				t.Fatalf("error %q", s)
			}
			return
		}
		if len(decoded) == 0 { // of line ends alone
			return
		}
		ctx.QueryArgs().Set("data", base64.StdEncoding.EncodeToString(decoded))
		if again, err := pixelData(&ctx); err != nil || !bytes.Equal(again, decoded) {
			t.Fatalf("%q became %q, %v", decoded, again, err)
		}
	})
}

func FuzzBasicUser(f *testing.F) {
	for _, seed := range []string{"", basic("wk_open"), "basic  d2s=", "Basic d2s", "Basic Og==", "Bearer d2s6", "Basic =\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, authorization string) {
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.Set("Authorization", authorization)
		key, ok := basicUser(&ctx)
		if ok != (key != "") || strings.Contains(key, ":") {
			t.Fatalf("%q, %t", key, ok)
		}
		if !ok || !utf8.ValidString(key) {
			return
		}
		ctx.Request.Header.Set("Authorization", basic(key))
		if again, _ := basicUser(&ctx); again != key {
			t.Fatalf("%q became %q", key, again)
		}
	})
}
