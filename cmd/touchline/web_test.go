package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func TestRefusal(t *testing.T) {
	l := &limits{body: 2000, header: 1000, read: 15 * time.Second}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("body: %w", fasthttp.ErrBodyTooLarge), "413 body is too large; at most 2000 bytes are read"},
		{&fasthttp.ErrSmallBuffer{}, "431 header is too large; at most 1000 bytes are read"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "408 request did not arrive within 15s"},
		{errors.New("nonsense"), "400 request cannot be read as HTTP"},
	} {
		code, reason := refusal(l, tt.err)
		if got := fmt.Sprint(code, " ", reason); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}

const (
	onePage  = `{"writeKey":"wk_shop","type":"page"}`
	taken    = `200 {"success":true}`
	notHTTP  = `400 {"success":false,"error":"request cannot be read as HTTP"}`
	nothing  = `404 {"success":false,"error":"there is nothing at this path"}`
	postOnly = `405 POST, OPTIONS {"success":false,"error":"method is not allowed here; use POST, OPTIONS"}`
	bigBody  = `413 {"success":false,"error":"body is too large; at most 1048576 bytes are read"}`
	bigHead  = `431 {"success":false,"error":"header is too large; at most 16384 bytes are read"}`
	coding   = `415 {"success":false,"error":"Content-Encoding is unknown; use one of gzip, deflate, br and zstd, or none"}`
)

// post is a request to /v1/page whose header has these lines, too.
func posted(body string, lines ...string) string {
	return "POST /v1/page HTTP/1.1\r\nHost: x\r\n" + strings.Join(append(lines, "", body), "\r\n")
}

// asked is a request without a body.
func asked(line string) string { return line + " HTTP/1.1\r\nHost: x\r\n\r\n" }

// Requests as bytes, and what must come of them: the answers, and whether the connection goes on.
func TestHTTP(t *testing.T) {
	length := fmt.Sprintf("Content-Length: %d", len(onePage))
	const chunked = "Transfer-Encoding: chunked"
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(onePage), onePage)
	spaces := func(n int) string { return strings.Repeat(" ", n) }

	goesOn := map[string]struct{ request, want string }{
		"length":                  {posted(onePage, length), taken},
		"chunks":                  {posted(chunks, chunked), taken},
		"extension and trailer":   {posted(fmt.Sprintf("%x;a=b\r\n%s\r\n0\r\nX: y\r\n\r\n", len(onePage), onePage), chunked), taken},
		"body that was announced": {posted(onePage, length, "Expect: 100-continue"), "100 ; " + taken},
		"pipelined":               {posted(onePage, length) + posted(chunks, chunked) + asked("GET /healthz"), taken + "; " + taken + "; 200 ok\n"},
		"after refusals": {posted("{", "Content-Length: 1") + asked("GET /nothing") + asked("PUT /v1/batch") + posted(onePage, length),
			`400 {"success":false,"error":"body is not JSON: unexpected end of JSON input at byte 1"}; ` + nothing + "; " + postOnly + "; " + taken},
		"HTTP/1.0 that asks to":      {"POST /v1/page HTTP/1.0\r\nConnection: keep-alive\r\n" + length + "\r\n\r\n" + onePage, taken},
		"whole address":              {strings.Replace(posted(onePage, length), "/v1", "http://collector.example/v1", 1), taken},
		"form":                       {posted(onePage, length, "Content-Type: multipart/form-data; boundary=x"), taken},
		"no coding":                  {posted(onePage, length, "Content-Encoding: identity"), taken},
		"unknown coding":             {posted(onePage, length, "Content-Encoding: compress"), coding},
		"codings":                    {posted(onePage, length, "Content-Encoding: gzip, br"), coding},
		"codings in two lines":       {posted(onePage, length, "Content-Encoding: gzip", "Content-Encoding: br"), coding},
		"HEAD of a page for all":     {asked("HEAD /readyz"), "200 "},
		"HEAD of messages":           {asked("HEAD /v1/batch"), "405 POST, OPTIONS "},
		"HEAD of a pixel":            {asked("HEAD /p.gif?k=wk_shop&e=page"), "405 GET "},
		"HEAD of nothing":            {asked("HEAD /nothing"), "404 "},
		"OPTIONS":                    {asked("OPTIONS /v1/t"), "204 POST, OPTIONS "},
		"OPTIONS of a pixel":         {asked("OPTIONS /p.gif"), `405 GET {"success":false,"error":"method is not allowed here; use GET"}`},
		"OPTIONS of nothing":         {asked("OPTIONS /nothing"), nothing},
		"OPTIONS of the server":      {asked("OPTIONS *"), nothing},
		"unknown method":             {asked("BREW /v1/page"), postOnly},
		"GET of messages":            {asked("GET /v1/batch"), postOnly},
		"POST to a pixel":            {strings.Replace(posted(onePage, length), "/v1/page", "/p.gif", 1), `405 GET {"success":false,"error":"method is not allowed here; use GET"}`},
		"path with a slash too many": {asked("GET /healthz/"), nothing},
		"GET with a body":            {strings.Replace(posted(onePage, length), "POST /v1/page", "GET /healthz", 1), "200 ok\n"},
		"body a little too large": {posted(spaces(500_001), "Content-Length: 500001"),
			`413 {"success":false,"error":"body is too large; at most 32768 bytes are taken, decompressed"}`},
		"long key": {posted(onePage, length, "Authorization: Basic "+strings.Repeat("QUFB", 3000)),
			`401 {"success":false,"error":"write key is unknown; compare it with write_keys of the project"}`},
	}
	ends := map[string]struct{ request, want string }{
		"HTTP/1.0":                       {"POST /v1/page HTTP/1.0\r\n" + length + "\r\n\r\n" + onePage, taken},
		"end asked for":                  {posted(onePage, length, "Connection: close"), taken},
		"length and chunks":              {posted(chunks, length, chunked), taken},
		"chunks and length":              {posted(chunks, chunked, "content-length: 5"), taken},
		"length twice":                   {posted(onePage, length, length), notHTTP},
		"two lengths":                    {posted(onePage, length, "Content-Length: 5"), notHTTP},
		"list of lengths":                {posted(onePage, length+", 5"), notHTTP},
		"negative length":                {posted(onePage, "Content-Length: -1"), notHTTP},
		"length with a sign":             {posted(onePage, "Content-Length: +5"), notHTTP},
		"space before the colon":         {posted(onePage, "Content-Length : 5"), notHTTP},
		"chunks twice":                   {posted(chunks, chunked, chunked), notHTTP},
		"coded chunks":                   {posted(chunks, "Transfer-Encoding: gzip, chunked"), notHTTP},
		"nearly chunks":                  {posted(chunks, "Transfer-Encoding: xchunked"), notHTTP},
		"chunks in HTTP/1.0":             {"POST /v1/page HTTP/1.0\r\n" + chunked + "\r\n\r\n" + chunks, notHTTP},
		"chunk without a size":           {posted("zz\r\nabc\r\n0\r\n\r\n", chunked), notHTTP},
		"chunk of a negative size":       {posted("-1\r\nabc\r\n0\r\n\r\n", chunked), notHTTP},
		"chunk of an enormous size":      {posted("7fffffffffffffff\r\nabc\r\n0\r\n\r\n", chunked), notHTTP},
		"chunk longer than its size":     {posted("1\r\nabc\r\n0\r\n\r\n", chunked), notHTTP},
		"no host":                        {"GET /healthz HTTP/1.1\r\n\r\n", notHTTP},
		"two hosts":                      {"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", notHTTP},
		"TLS":                            {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", notHTTP},
		"NUL in the header":              {"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", notHTTP},
		"large header":                   {"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 17_000) + "\r\n\r\n", bigHead},
		"long address":                   {asked("GET /p.gif?k=wk_shop&url=" + strings.Repeat("x", 17_000)), bigHead},
		"large body":                     {posted(spaces(20<<20), "Content-Length: 20971520"), bigBody},
		"large chunk":                    {posted(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", 20<<20, spaces(20<<20)), chunked), bigBody},
		"large body that was announced":  {posted("", "Content-Length: 20971520", "Expect: 100-continue"), bigBody},
		"nothing but the start of HTTP2": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", nothing},
	}
	withServer(t, oneProject, func(_ context.Context, s *server) {
		for name, c := range goesOn {
			t.Run(name, func(t *testing.T) { // the next request is answered, too
				expectAnswers(t, s, c.request, c.request+asked("GET /readyz"), c.want+"; 200 ready\n", false)
			})
		}
		for name, c := range ends {
			t.Run(name, func(t *testing.T) {
				expectAnswers(t, s, c.request, c.request+asked("GET /readyz"), c.want, true)
			})
		}
		for _, beginning := range []string{"", onePage, onePage + spaces(20_000)} {
			t.Run(fmt.Sprintf("cut off after %d bytes", len(beginning)), func(t *testing.T) { expectCutOff(t, s, posted(beginning, "Content-Length: 30000")) })
		}
	})
}

// expectAnswers sends bytes on a connection and reads as many answers as are wanted, and then the end where it is.
func expectAnswers(t *testing.T, s *server, first, send, want string, end bool) {
	t.Helper()
	connection, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	go func() { _, _ = io.WriteString(connection, send) }() // fails when the server has heard enough
	method, _, _ := strings.Cut(first, " ")
	r := bufio.NewReader(connection)
	var got []string
	for range strings.Count(want, "; 200") + strings.Count(want, "; 4") + 1 {
		got = append(got, readAnswer(t, r, method))
		method = "GET"
	}
	if joined := strings.Join(got, "; "); joined != want {
		t.Errorf("got  %s\nwant %s", joined, want)
	}
	if !end {
		return
	}
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection goes on, %v", err)
	}
}

// expectCutOff sends the beginning of a request and ends it there: what has arrived is not taken for all of it.
func expectCutOff(t *testing.T, s *server, beginning string) {
	t.Helper()
	address, _ := s.listener.Addr().(*net.TCPAddr)
	connection, err := net.DialTCP("tcp", nil, address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, beginning); err != nil {
		t.Fatal(err)
	}
	if err := connection.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := readAnswer(t, bufio.NewReader(connection), "POST"); got != notHTTP {
		t.Errorf("got %s, want %s", got, notHTTP)
	}
}

// readAnswer returns the status, what Allow holds and the body of the next answer, which is JSON where it is an error.
func readAnswer(t *testing.T, r *bufio.Reader, method string) string {
	t.Helper()
	response, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	if typ := response.Header.Get("Content-Type"); response.StatusCode >= 400 && typ != "application/json" {
		t.Errorf("%d has Content-Type %q", response.StatusCode, typ)
	}
	allow := response.Header.Get("Allow")
	if allow != "" {
		allow += " "
	}
	return fmt.Sprintf("%d %s%s", response.StatusCode, allow, body)
}
