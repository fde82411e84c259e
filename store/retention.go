package store

import (
	"context"
	"time"
)

// DeleteExpired deletes the events of a project that were received before a time.
func (db *DB) DeleteExpired(ctx context.Context, project string, before time.Time) error {
	return db.exec(ctx, "DeleteExpired", params{"project": project, "before": millis(before)})
}
