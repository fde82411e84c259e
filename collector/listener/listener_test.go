package listener

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func listen(t *testing.T, o Options) *Listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(inner, o)
	l.lingering = time.Hour // no test waits for it
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// accept accepts in the background for as long as the listener is open.
func accept(t *testing.T, l *Listener) chan net.Conn {
	t.Helper()
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	return accepted
}

func dial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// get sends a request and returns the answer, whose headers a client would act on.
func get(t *testing.T, l *Listener) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	response, err := client.Get("http://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(response.StatusCode, " ", response.Header.Get("Retry-After"), " ", response.Header.Get("Content-Type"), " ", response.Close, " ", string(body))
}

func TestConnectionsBeyondTheBoundAreRefused(t *testing.T) {
	for _, c := range []struct {
		options Options
		want    string
		stats   Stats
	}{
		{Options{Connections: 2}, `503 5 application/json true {"success":false,"error":"there are too many connections at present; try again in a moment"}`,
			Stats{Open: 2, Refused: 20}},
		{Options{Connections: 100, PerIP: 2}, `429 5 application/json true {"success":false,"error":"there are too many connections from your address; at most 2 are taken"}`,
			Stats{Open: 2, RefusedPerIP: 20}},
	} {
		l := listen(t, c.options)
		accepted := accept(t, l)
		dial(t, l)
		dial(t, l)
		first := <-accepted
		<-accepted
		for range 20 {
			if got := get(t, l); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		}
		if got := l.Stats(); got != c.stats {
			t.Errorf("%+v, want %+v", got, c.stats)
		}
		for range 2 { // servers close twice
			if err := first.Close(); err != nil {
				t.Error(err)
			}
		}
		dial(t, l)
		<-accepted
		if got := l.Stats().Open; got != 2 {
			t.Errorf("%d open, want 2", got)
		}
	}
}

// Refusals that nobody reads are bounded, too: connections beyond are closed at once.
func TestRefusalsAreBounded(t *testing.T) {
	l := listen(t, Options{})
	accept(t, l)
	for range maxRefusing + 1 {
		dial(t, l)
	}
	last := dial(t, l)
	if _, err := last.Read(make([]byte, 1)); err == nil {
		t.Errorf("read: %v, want a closed connection", err)
	}
}

func TestAddressesAreCountedByNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
	} {
		if got := network(&net.TCPAddr{IP: net.ParseIP(address), Port: 5}).String(); got != want {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
}

// A client that sends on while it is refused still gets to read why.
func TestLinger(t *testing.T) {
	l := listen(t, Options{Connections: 1})
	accepted := accept(t, l)
	client := dial(t, l)
	served := <-accepted
	go func() {
		Linger(served)
		_, _ = io.WriteString(served, "no")
		_ = served.Close()
	}()
	chunk := bytes.Repeat([]byte("x"), 1<<16)
	for range 100 {
		if _, err := client.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(client)
	if err != nil || string(got) != "no" {
		t.Errorf("%q, %v", got, err)
	}
	if got := l.Stats().Open; got != 1 {
		t.Errorf("%d open while the client has not ended its side, want 1", got)
	}
	_ = client.Close()
	for l.Stats().Open != 0 {
		time.Sleep(time.Millisecond)
	}
}

// failing fails with each error once, then is closed.
type failing struct{ errs []error }

func (f *failing) Accept() (net.Conn, error) {
	err := net.ErrClosed
	if len(f.errs) > 0 {
		err, f.errs = f.errs[0], f.errs[1:]
	}
	return nil, &net.OpError{Op: "accept", Err: err}
}
func (*failing) Close() error   { return nil }
func (*failing) Addr() net.Addr { return &net.TCPAddr{} }

func TestAcceptOutlivesALackOfDescriptors(t *testing.T) {
	var log strings.Builder
	l := New(&failing{[]error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED}}, Options{Connections: 1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
	if n := strings.Count(log.String(), "too many open files"); n != 1 {
		t.Errorf("%d complaints, want 1: %s", n, log.String())
	}
}
