// Package listener keeps connections within bounds before a server sees them: how many there are, from everywhere and
// from one address, and that a refusal reaches the client.
package listener

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Options bounds the connections of a Listener.
type Options struct {
	Connections int // open at once
	PerIP       int // open at once from one address, of IPv6 one /64 network; 0: no bound
	Log         *slog.Logger
}

// Listener hands out connections within its bounds, and answers those beyond them itself.
type Listener struct {
	net.Listener
	options Options

	lingering time.Duration // how long a client may take to read its last answer

	mu        sync.Mutex
	open      int
	perIP     map[netip.Prefix]int
	refusing  chan struct{} // a place for each connection that is being refused
	answers   struct{ tooMany, tooManyPerIP string }
	refused   atomic.Int64
	refusedIP atomic.Int64
}

// maxRefusing bounds the connections that wait for their refusal to arrive. Those beyond are closed at once.
const maxRefusing = 100

// New bounds the connections of inner.
func New(inner net.Listener, o Options) *Listener {
	l := &Listener{
		Listener: inner, options: o, lingering: 2 * time.Second,
		perIP: make(map[netip.Prefix]int), refusing: make(chan struct{}, maxRefusing),
	}
	l.answers.tooMany = answer("503 Service Unavailable", "there are too many connections at present; try again in a moment")
	l.answers.tooManyPerIP = answer("429 Too Many Requests", fmt.Sprintf("there are too many connections from your address; at most %d are taken", o.PerIP))
	return l
}

// Stats is what a Listener counts.
type Stats struct {
	Open         int   // at present
	Refused      int64 // since the start, because there were too many
	RefusedPerIP int64 // since the start, because there were too many from one address
}

// Stats returns the counts.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{l.open, l.refused.Load(), l.refusedIP.Load()}
}

// Accept returns the next connection within the bounds.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.accept()
		if err != nil {
			return nil, err
		}
		if admitted := l.admit(c); admitted != nil {
			return admitted, nil
		}
	}
}

// accept outlives a lack of file descriptors or memory, which passes when connections end.
func (l *Listener) accept() (net.Conn, error) {
	const shortest, longest = 5 * time.Millisecond, time.Second
	for pause := shortest; ; pause = min(2*pause, longest) {
		c, err := l.Listener.Accept()
		if !isPassing(err) {
			return c, err
		}
		if pause == shortest {
			l.options.Log.Warn("connections cannot be accepted at present, trying again", "error", err)
		}
		time.Sleep(pause)
	}
}

func isPassing(err error) bool {
	for _, passing := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// admit counts a connection, or refuses it and returns nil.
func (l *Listener) admit(c net.Conn) net.Conn {
	from := network(c.RemoteAddr())
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.open >= l.options.Connections:
		l.refused.Add(1)
		l.refuse(c, l.answers.tooMany)
		return nil
	case l.options.PerIP > 0 && l.perIP[from] >= l.options.PerIP:
		l.refusedIP.Add(1)
		l.refuse(c, l.answers.tooManyPerIP)
		return nil
	}
	l.open++
	if l.options.PerIP > 0 {
		l.perIP[from]++
	}
	return &conn{Conn: c, listener: l, from: from}
}

func (l *Listener) leave(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.perIP[from]--; l.perIP[from] <= 0 {
		delete(l.perIP, from)
	}
}

// network is what counts as one address: whoever has one of IPv6 has its whole /64.
func network(addr net.Addr) netip.Prefix {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	prefix, _ := ip.Prefix(bits) // fails only for more bits than an address has
	return prefix
}
