package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
)

// slowKinds are the ways to keep a connection for nothing: what is sent first, whether a byte follows now and then, and
// what the server says at the end.
var slowKinds = []struct {
	first    string
	dribbles bool
	answers  string
}{
	{"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", true, "408"},
	{"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", true, "408"},
	{"POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nf4240\r\n", true, "408"},
	{"", false, "408"},
	{"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", false, "200"},
}

// slowConnections are open until the server ends them.
type slowConnections struct {
	connections []net.Conn
	ended       sync.WaitGroup
	answers     []string // of each, when all have ended
}

func openSlow(t *testing.T, addr string, n int) *slowConnections {
	t.Helper()
	s := &slowConnections{answers: make([]string, n)}
	for i := range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, slowKinds[i%len(slowKinds)].first); err != nil {
			t.Fatal(err)
		}
		s.connections = append(s.connections, c)
		s.ended.Go(func() { s.answers[i] = statuses(c) })
	}
	return s
}

// statuses reads answers until the connection ends.
func statuses(c net.Conn) string {
	var all []string
	for r := bufio.NewReader(c); ; {
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			return strings.Join(all, " ")
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close() // it was read to its end
		all = append(all, strconv.Itoa(response.StatusCode))
	}
}

// dribble sends a byte on each connection that does so, ten times a second, until all have ended.
func (s *slowConnections) dribble() (all chan struct{}) {
	all = make(chan struct{})
	go func() {
		s.ended.Wait()
		close(all)
	}()
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			for i, c := range s.connections {
				if slowKinds[i%len(slowKinds)].dribbles {
					_, _ = io.WriteString(c, " ") // fails when it has ended
				}
			}
			select {
			case <-all:
				return
			case <-tick.C:
			}
		}
	}()
	return all
}

func TestSlowConnectionsDoNotStopTheRest(t *testing.T) {
	const slow = 1000
	in := newInstallation(t, oneProject)
	in.Limits = "read_timeout: 3s, idle_timeout: 3s"
	in.Configure(t, oneProject)
	up := in.Up(t)
	send(t, in, messageIDs("before", 1))
	before := residentMemory(t, up.PID())

	connections := openSlow(t, in.Addr, slow)
	ended := connections.dribble()
	var most int64
	for rest := 0; ; rest++ {
		send(t, in, messageIDs(fmt.Sprint("meanwhile ", rest), 10))
		most = max(most, residentMemory(t, up.PID()))
		select {
		case <-ended:
			if rest == 0 {
				t.Error("nobody else was answered")
			}
		default:
			continue
		}
		break
	}
	for i, got := range connections.answers {
		if want := slowKinds[i%len(slowKinds)].answers; got != want {
			t.Errorf("connection %d, which began with %q, was answered %q; want %q", i, slowKinds[i%len(slowKinds)].first, got, want)
		}
	}
	// Two of five have announced 1 MB, for which no memory is taken before it arrives. The race detector takes some, too.
	if each := (most - before) / slow; each > 250<<10 {
		t.Errorf("a slow connection takes %d KB", each>>10)
	}
}

func TestConnectionsBeyondTheCapAreRefused(t *testing.T) {
	const most = 50
	in := newInstallation(t, oneProject)
	in.Limits = fmt.Sprintf("connections: %d, read_timeout: 3s, idle_timeout: 3s", most)
	in.Configure(t, oneProject)
	in.Up(t)
	http.DefaultClient.CloseIdleConnections()
	held := openSlow(t, in.Addr, most)
	ended := held.dribble()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ready := func() (string, error) {
		response, err := client.Get("http://" + in.Addr + "/readyz")
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return fmt.Sprintf("%d %s %s", response.StatusCode, response.Header.Get("Retry-After"), body), err
	}
	const refused = `503 5 {"success":false,"error":"there are too many connections at present; try again in a moment"}`
	instance.Eventually(t, "a connection beyond the cap is refused", func() error {
		if got, err := ready(); err != nil || got != refused {
			return fmt.Errorf("answer %q, %w", got, err)
		}
		return nil
	})
	<-ended
	instance.Eventually(t, "others are served again", func() error {
		got, err := ready()
		if err == nil && got != "200  ready\n" {
			err = errors.New(got)
		}
		return err
	})
}

// residentMemory is what a process has in memory, in bytes.
func residentMemory(t *testing.T, pid int) int64 {
	t.Helper()
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
