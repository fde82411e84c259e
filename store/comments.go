package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

var quotes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// describeViews gives the columns of each view X the comments of those of its table X_raw, because a view does not
// inherit them.
func (db *DB) describeViews(ctx context.Context) error {
	changes := make(map[string][]string)
	err := db.query(ctx, "MissingComments", nil, func(r driver.Rows) error {
		var view, column, comment string
		err := r.Scan(&view, &column, &comment)
		changes[view] = append(changes[view], fmt.Sprintf("COMMENT COLUMN %s '%s'", column, quotes.Replace(comment)))
		return err
	})
	if err != nil {
		return err
	}
	for view, list := range changes {
		if err := db.conn.Exec(ctx, "ALTER TABLE "+view+" "+strings.Join(list, ", ")); err != nil {
			return fmt.Errorf("comment the columns of view %s: %w", view, err)
		}
	}
	return nil
}
