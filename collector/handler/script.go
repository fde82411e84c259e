package handler

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fasthttp"
)

// The path of the script's twin holds the hash of the content between these.
const (
	twinPrefix = "/t."
	twinSuffix = ".js"
)

// isTwin reports whether path is that of a twin, of this version or another.
func isTwin(path []byte) bool {
	return bytes.HasPrefix(path, []byte(twinPrefix)) && bytes.HasSuffix(path, []byte(twinSuffix))
}

// script is the browser script in every form it is sent in, made once.
type script struct {
	twin  string // path: "/t.0123456789abcdef.js"
	forms []form // best first; the last is not compressed
}

// form is the script under one content coding.
type form struct {
	coding string // "" for none
	etag   string // each form has its own, as HTTP wants of what differs in its bytes
	body   []byte
}

func newScript(source []byte) script {
	sum := sha256.Sum256(source)
	hash := hex.EncodeToString(sum[:8])
	var br, gz bytes.Buffer
	b := brotli.NewWriterLevel(&br, brotli.BestCompression)
	g, _ := gzip.NewWriterLevel(&gz, gzip.BestCompression) // fails for unknown levels only
	for _, w := range []io.WriteCloser{b, g} {
		_, _ = w.Write(source) // memory takes all
		_ = w.Close()
	}
	return script{
		twin: twinPrefix + hash + twinSuffix,
		forms: []form{
			{"br", `"` + hash + `-br"`, br.Bytes()},
			{"gzip", `"` + hash + `-gzip"`, gz.Bytes()},
			{"", `"` + hash + `"`, source},
		},
	}
}

// serveScript answers GET /t.js and its twin. The first may change with the next version and is asked for again after
// an hour; the second never changes. Pages that still name the twin of another version get the script of this one: they
// must not stop counting because the collector was updated.
func (h *Handler) serveScript(ctx *fasthttp.RequestCtx) {
	if !allow(ctx, fasthttp.MethodGet, fasthttp.MethodHead) {
		return
	}
	header := &ctx.Response.Header
	switch string(ctx.Path()) {
	case h.script.twin:
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	case scriptPath:
		header.Set("Cache-Control", "public, max-age=3600, stale-while-revalidate=86400")
		header.Set("Content-Location", h.script.twin) // how owners of pages learn its name
	default:
		header.Set("Cache-Control", "no-store")
		header.Set("Location", scriptPath)
		ctx.SetStatusCode(fasthttp.StatusFound)
		return
	}
	header.Set("Vary", "Accept-Encoding")
	header.Set("Access-Control-Allow-Origin", "*") // pages that check the script's integrity need it
	header.Set("X-Content-Type-Options", "nosniff")
	f := h.script.choose(string(ctx.Request.Header.Peek("Accept-Encoding")))
	header.Set("ETag", f.etag)
	if matches(string(ctx.Request.Header.Peek("If-None-Match")), f.etag) {
		ctx.SetStatusCode(fasthttp.StatusNotModified)
		return
	}
	ctx.SetContentType("text/javascript; charset=utf-8")
	if f.coding != "" {
		header.Set("Content-Encoding", f.coding)
	}
	ctx.Response.SetBodyRaw(f.body)
}

// choose returns the best form that the client takes.
func (s *script) choose(acceptEncoding string) *form {
	for i := range s.forms {
		if f := &s.forms[i]; f.coding == "" || accepts(acceptEncoding, f.coding) {
			return f
		}
	}
	panic("the last form has no coding")
}

// accepts reports whether an Accept-Encoding names coding, and not with a weight of zero. The wildcard is not looked
// at: no browser sends it, and without a coding everybody can read.
func accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(item, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			_, q, _ := strings.Cut(weight, "=")
			return q == "" || strings.Trim(q, " 0.") != ""
		}
	}
	return false
}

// matches reports whether an If-None-Match names etag.
func matches(header, etag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimPrefix(strings.TrimSpace(item), "W/") // proxies that compress weaken it
		if item == etag || item == "*" {
			return true
		}
	}
	return false
}
