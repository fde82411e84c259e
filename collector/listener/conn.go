package listener

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// conn leaves its listener's count when it is closed.
type conn struct {
	net.Conn
	listener *Listener
	from     netip.Prefix
	linger   atomic.Bool
	closed   atomic.Bool
}

// Linger makes Close of a connection from a Listener wait until the client has read its last answer. It is for answers
// to requests that were not read to their end: without it the system resets the connection, which can take the answer
// from the client.
func Linger(c net.Conn) {
	if c, ok := c.(*conn); ok {
		c.linger.Store(true)
	}
}

// Close may be called again, and at the same time.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	defer c.listener.leave(c.from)
	if c.linger.Load() {
		c.listener.drain(c.Conn)
	}
	return c.Conn.Close()
}

// drain ends our side of a connection and reads what still comes until the client has ended its side, too.
func (l *Listener) drain(c net.Conn) {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if c.SetReadDeadline(time.Now().Add(l.lingering)) == nil {
		_, _ = io.Copy(io.Discard, c) // whatever ends it
	}
}

// answer is a whole response, in the form of all other answers.
func answer(status, reason string) string {
	body := fmt.Sprintf(`{"success":false,"error":%q}`, reason)
	return fmt.Sprintf("HTTP/1.1 %s\r\nServer: touchline\r\nConnection: close\r\nRetry-After: 5\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// refuse answers a connection and closes it, in the background while there is room for that. The answer waits for the
// request to begin: clients do not expect one before.
func (l *Listener) refuse(c net.Conn, answer string) {
	select {
	case l.refusing <- struct{}{}:
	default:
		_ = c.Close()
		return
	}
	go func() {
		defer func() { <-l.refusing }()
		defer c.Close()
		if c.SetDeadline(time.Now().Add(l.lingering)) != nil {
			return
		}
		if _, err := c.Read(make([]byte, 512)); err != nil {
			return
		}
		if _, err := io.WriteString(c, answer); err == nil {
			l.drain(c)
		}
	}()
}
