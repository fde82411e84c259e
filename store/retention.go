package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// DeleteExpired deletes the events of a project that were received before a time. A deletion touches every part of the
// table, so it looks first whether there is such an event.
func (db *DB) DeleteExpired(ctx context.Context, project string, before time.Time) error {
	p := params{"project": project, "before": before.UnixMilli()}
	var expired uint64
	err := db.query(ctx, "CountExpired", p, func(r driver.Rows) error { return r.Scan(&expired) })
	if err != nil || expired == 0 {
		return err
	}
	return db.exec(ctx, "DeleteExpired", p)
}
