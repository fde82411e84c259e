package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Server is what the database says of itself.
type Server struct {
	Version string
	Now     time.Time // by its clock
	Newest  time.Time // receipt of an event; 1970 without any
}

// Server asks the database about itself.
func (db *DB) Server(ctx context.Context) (Server, error) {
	var s Server
	err := db.query(ctx, "Server", nil, func(r driver.Rows) error { return r.Scan(&s.Version, &s.Now, &s.Newest) })
	return s, err
}

// Memory is how many bytes the database uses.
func (db *DB) Memory(ctx context.Context) (uint64, error) {
	var n int64
	err := db.query(ctx, "Memory", nil, func(r driver.Rows) error { return r.Scan(&n) })
	return uint64(max(n, 0)), err //nolint:gosec // not negative
}
