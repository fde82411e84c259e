package chaos_test

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
)

// relay passes bytes between the collector and an engine, and holds them back where the test wants it. Of the protocol
// it knows one thing: an insert is a query in plain text, which is answered, and only then its data follow.
type relay struct {
	listener net.Listener
	inserts  chan *insert // those caught

	mu     sync.Mutex
	target string        // host:port
	free   chan struct{} // closed: inserts are not caught
}

// Tables of which inserts are caught: first a batch's events are inserted, then what became of them.
const (
	eventsTable = "events_raw"
	ledgerTable = "ledger_raw"
)

// insert is one of which the data have arrived here and are not passed on yet.
type insert struct {
	table        string
	connection   *connection
	data, answer chan struct{} // closed: pass it on
}

func (in *insert) passData()   { close(in.data) }
func (in *insert) passAnswer() { close(in.answer) }

// drop loses what is held back, and the connection.
func (in *insert) drop() { in.connection.close() }

// newRelay is one for as long as the test runs, at one address.
func newRelay(t *testing.T) *relay {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, inserts: make(chan *insert), free: make(chan struct{})}
	close(r.free)
	go r.accept()
	t.Cleanup(func() { _ = listener.Close() }) // connections end with what they connect
	return r
}

func (r *relay) addr() string { return r.listener.Addr().String() }

// lead makes new connections lead to an engine.
func (r *relay) lead(addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = addr
}

// catch holds back every insert, until the function it returns is called.
func (r *relay) catch() (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	free := make(chan struct{})
	r.free = free
	return func() { close(free) }
}

// next waits for the next insert that is caught.
func (r *relay) next(t *testing.T) (caught *insert) {
	t.Helper()
	instance.Eventually(t, "an insert is caught", func() error {
		select {
		case caught = <-r.inserts:
			return nil
		case <-time.After(time.Second):
			return errors.New("none came")
		}
	})
	return caught
}

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		target := r.target
		r.mu.Unlock()
		server, err := net.Dial("tcp4", target)
		if err != nil {
			_ = client.Close() // the engine is down, and so is its relay
			continue
		}
		c := &connection{relay: r, client: client, server: server, closed: make(chan struct{})}
		go c.pass(client, server, c.beforeServer)
		go c.pass(server, client, c.beforeClient)
	}
}

// connection is one of the collector's.
type connection struct {
	relay          *relay
	client, server net.Conn
	once           sync.Once
	closed         chan struct{}

	mu       sync.Mutex
	asked    string  // table that the client wants to insert into
	answered bool    // and the server has answered that
	held     *insert // its data have followed: nothing goes to the client until it is told to
}

func (c *connection) close() {
	c.once.Do(func() {
		_ = c.client.Close()
		_ = c.server.Close()
		close(c.closed) // last: whoever waits writes next, which must fail
	})
}

// pass copies from one side to the other, each piece when before lets it.
func (c *connection) pass(from, to net.Conn, before func(piece []byte)) {
	defer c.close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			before(buffer[:n])
			if _, failed := to.Write(buffer[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// beforeServer notes a query that inserts and holds back the data that follow its answer. A query that happens to
// arrive in two pieces is not noticed: that insert is not caught.
func (c *connection) beforeServer(piece []byte) {
	if caught := c.follow(piece); caught != nil {
		c.relay.mu.Lock()
		free := c.relay.free
		c.relay.mu.Unlock()
		select {
		case c.relay.inserts <- caught:
			c.wait(caught.data)
		case <-free:
			caught.passAnswer()
		case <-c.closed:
		}
	}
}

// follow returns an insert when piece is the beginning of its data.
func (c *connection) follow(piece []byte) *insert {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked != "" && c.answered {
		c.held = &insert{table: c.asked, connection: c, data: make(chan struct{}), answer: make(chan struct{})}
		c.asked = ""
		return c.held
	}
	for _, table := range []string{eventsTable, ledgerTable} {
		if bytes.Contains(piece, []byte("INSERT INTO")) && bytes.Contains(piece, []byte(table)) {
			c.asked, c.answered = table, false
		}
	}
	return nil
}

func (c *connection) beforeClient([]byte) {
	c.mu.Lock()
	c.answered = true
	held := c.held
	c.mu.Unlock()
	if held != nil {
		c.wait(held.answer)
	}
}

func (c *connection) wait(signal <-chan struct{}) {
	select {
	case <-signal:
	case <-c.closed:
	}
}
