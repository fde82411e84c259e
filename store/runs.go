package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Run is a run of attribution that has ended.
type Run struct {
	Project        string
	Started, Ended time.Time
	AsOf           time.Time // of what it has computed
	Error          string    // empty: it was a good one
}

// RecordRun keeps a run, for LastRuns.
func (db *DB) RecordRun(ctx context.Context, r Run) error {
	p := params{"project": r.Project, "started": r.Started.UnixMilli(), "ended": r.Ended.UnixMilli(), "error": r.Error, "as_of": int64(0)}
	if !r.AsOf.IsZero() {
		p["as_of"] = r.AsOf.UnixMilli()
	}
	return db.exec(ctx, "RecordRun", p)
}

// LastRun is what became of a project's last run.
type LastRun struct {
	Started time.Time
	Error   string    // empty: it was a good one
	Good    time.Time // when the last good one began; 1970 without any
}

// LastRuns returns the last run of every project that had one within 90 days.
func (db *DB) LastRuns(ctx context.Context) (map[string]LastRun, error) {
	runs := map[string]LastRun{}
	err := db.query(ctx, "LastRuns", nil, func(r driver.Rows) error {
		var project string
		var last LastRun
		err := r.Scan(&project, &last.Started, &last.Error, &last.Good)
		runs[project] = last
		return err
	})
	return runs, err
}
