package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

var quotes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// describeEvents gives the columns of view events the comments of those of table events_raw, because a view does not
// inherit them.
func (db *DB) describeEvents(ctx context.Context) error {
	var changes []string
	err := db.query(ctx, "MissingComments", nil, func(r driver.Rows) error {
		var column, comment string
		err := r.Scan(&column, &comment)
		changes = append(changes, fmt.Sprintf("COMMENT COLUMN %s '%s'", column, quotes.Replace(comment)))
		return err
	})
	if err != nil || len(changes) == 0 {
		return err
	}
	if err := db.conn.Exec(ctx, "ALTER TABLE events "+strings.Join(changes, ", ")); err != nil {
		return fmt.Errorf("comment the columns of view events: %w", err)
	}
	return nil
}
