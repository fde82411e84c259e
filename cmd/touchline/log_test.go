package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/touchline-hq/touchline/bench/instance"
)

// Whatever is sent, nothing of it is in the log: no ids, addresses, keys, headers or bodies, also where the database
// complains of a row.
func TestNothingThatWasSentIsInTheLog(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	up := in.Up(t)
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	constrain(t, in)
	up = in.Up(t, "--verbose", "--log-format", "json")

	const marker = "Xsecretx"
	poison := poisoned("poison " + marker)
	poison["userId"] = marker
	sendMessages(t, in, []map[string]any{poison})
	auth := []string{"Authorization", "Basic d2tfc2hvcDo=", "User-Agent", marker, "Cookie", marker, "X-Forwarded-For", "203.0.113.77"}
	for _, r := range []struct {
		path, body string
		status     int
		header     []string
	}{
		{"/v1/batch", `{"batch":[{"type":"` + marker + `","userId":"` + marker + `"},{"type":"page","timestamp":"` + marker + `"}]}`, 400, auth},
		{"/v1/batch", marker, 400, auth},
		{"/v1/track", strings.Repeat(marker, 5000), 413, auth},
		{"/v1/track", strings.Repeat(marker, 200_000), 413, auth},
		{"/v1/track?" + marker, "{}", 401, []string{"Authorization", "Basic " + marker}},
		{"/v1/track", `{"writeKey":"` + marker + `"}`, 401, nil},
		{"/v1/track", `{}`, 415, append([]string{"Content-Encoding", marker}, auth...)},
		{"/v1/track", `{}`, 400, append([]string{"Content-Encoding", "gzip"}, auth...)},
		{"/" + marker, "", 404, nil},
		{"/p.gif?k=" + marker, "", 405, nil},
	} {
		post(t, in, r.path, r.body, r.status, r.header...)
	}
	for _, raw := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\nReferer: " + strings.Repeat(marker, 4000),
		marker + "\r\n\r\n", "POST /v1/" + marker + " HTTP/1.1\r\nContent-Length: " + marker + "\r\n\r\n",
		"POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + marker, "GET / HTTP/1.1\r\n" + marker + "\x00: y\r\n\r\n",
		"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n" + marker,
	} {
		conn, err := net.Dial("tcp", in.Addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(raw)) // the server may hang up before all is sent
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		_, _ = conn.Read(make([]byte, 1000))
		_ = conn.Close()
	}
	instance.Eventually(t, "the database's refusal is in the log", func() error {
		if log := up.Stderr(t); !strings.Contains(log, "VIOLATED_CONSTRAINT") {
			return fmt.Errorf("it is not: %s", log)
		}
		return nil
	})
	response, err := http.Get("http://" + in.Addr + "/healthz?" + marker)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	log := up.Stderr(t)
	for _, part := range []string{marker, strings.ToLower(marker), "203.0.113", "wk_shop", "device ", "d2tf"} {
		if i := strings.Index(log, part); i >= 0 {
			t.Errorf("%s is in the log: …%s…", part, log[max(i-200, 0):min(i+100, len(log))])
		}
	}
	lines := 0
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "{") {
			lines++
			if !json.Valid([]byte(line)) {
				t.Errorf("no JSON: %s", line)
			}
		}
	}
	if lines < 2 {
		t.Errorf("%d lines of JSON in %s", lines, log)
	}
}
