// Package store is all that speaks ClickHouse: the connection, the embedded engine, the migrations and the queries.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// openTimeout is how long Open waits for a server that does not answer, when its context sets no deadline.
const openTimeout = 30 * time.Second

// ClickHouse's error codes, from its ErrorCodes.cpp.
const (
	codeTooManyQueries = 202
	codeSameQueryID    = 216
	codeMemoryLimit    = 241
	codeAuthentication = 516
)

// DB is a pool of connections to database touchline.
type DB struct {
	conn   driver.Conn
	target Target
}

// Open connects and makes sure that the database exists. It waits for a server that is starting, until ctx's deadline
// or half a minute; what cannot get better by waiting, such as a wrong password, is an error at once.
func Open(ctx context.Context, target Target) (*DB, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, openTimeout)
		defer cancel()
	}
	// The database may not be there yet, so it is made over a connection to one that always is.
	bootstrap := target.options
	bootstrap.Auth.Database = "default"
	conn, err := connect(ctx, &bootstrap)
	if err != nil {
		return nil, err
	}
	err = conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+Database+
		" COMMENT 'Touchline: events, the journeys they make, and the credit of each touchpoint'")
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, fmt.Errorf("clickhouse: create database %s: %w", Database, err)
	}
	conn, err = connect(ctx, &target.options)
	if err != nil {
		return nil, err
	}
	return &DB{conn: conn, target: target}, nil
}

// Conn is the pool, for queries of other packages.
func (db *DB) Conn() driver.Conn { return db.conn }

// Close closes the pool, not the server.
func (db *DB) Close() error { return db.conn.Close() }

// Analyst connects as a user who can read and nothing else. The caller closes the connection.
func (db *DB) Analyst(ctx context.Context) (driver.Conn, error) {
	return connect(ctx, &db.target.analyst)
}

// dial opens a connection of ch-go, for the insert path, to the first server that answers.
func (db *DB) dial(ctx context.Context) (*ch.Client, error) {
	var failed error
	for _, addr := range db.target.options.Addr {
		client, err := ch.Dial(ctx, db.target.native(addr))
		if err == nil {
			return client, nil
		}
		failed = err
	}
	return nil, fmt.Errorf("clickhouse at %s: %w", strings.Join(db.target.options.Addr, ","), failed)
}

// connect returns a connection that answers.
func connect(ctx context.Context, options *clickhouse.Options) (driver.Conn, error) {
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	for {
		err := conn.Ping(ctx)
		if err == nil {
			return conn, nil
		}
		final, explained := explain(err, options)
		if final || !pause(ctx, 100*time.Millisecond) {
			return nil, errors.Join(explained, conn.Close())
		}
	}
}

// explain says in one line why a server could not be reached, and whether that is final.
func explain(err error, options *clickhouse.Options) (final bool, explained error) {
	servers := strings.Join(options.Addr, ",")
	var refusal *clickhouse.Exception
	var lookup *net.DNSError
	switch {
	case errors.As(err, &refusal) && refusal.Code == codeAuthentication:
		return true, fmt.Errorf("clickhouse at %s: wrong password, or no user %q", servers, options.Auth.Username)
	case errors.As(err, &refusal):
		return refusal.Code != codeTooManyQueries && refusal.Code != codeMemoryLimit, fmt.Errorf("clickhouse at %s: %w", servers, err)
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return true, fmt.Errorf("clickhouse: unknown host %s", lookup.Name)
	case strings.Contains(err.Error(), "[handshake] unexpected packet"):
		return true, fmt.Errorf("clickhouse at %s: does not speak the native protocol: is that its port, usually 9000 or 9440?", servers)
	case errors.Is(err, io.EOF):
		return false, fmt.Errorf("clickhouse at %s: closed the connection: does it want TLS (secure=true)?", servers)
	}
	return false, fmt.Errorf("clickhouse at %s does not answer: %w", servers, err)
}

// pause reports whether ctx let it last.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
