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
