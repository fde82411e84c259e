package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/attribution"
)

// Publish notes that the working tables are complete, and moves them into those that readers see: the parts of a partition
// as they are, in one moment for each table. Rows that came twice because it was interrupted are one row to readers.
func (db *DB) Publish(ctx context.Context, u *attribution.Update) error {
	if err := db.recordUpdate(ctx, u, "publishing"); err != nil {
		return err
	}
	return db.publish(ctx, u)
}

func (db *DB) publish(ctx context.Context, u *attribution.Update) error {
	for _, m := range moves(u) {
		if err := db.movePartition(ctx, m, u.Project.ID); err != nil {
			return err
		}
	}
	return db.recordUpdate(ctx, u, "done")
}

// move is how rows of a working table come into the one that readers see.
type move struct{ how, table string }

func moves(u *attribution.Update) []move {
	var list []move
	for _, table := range changedTables {
		how := "ATTACH"
		if u.Full {
			how = "REPLACE"
		}
		list = append(list, move{how, table})
	}
	for _, table := range wholeTables {
		list = append(list, move{"REPLACE", table})
	}
	return list
}

func (db *DB) movePartition(ctx context.Context, m move, project string) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"allow_replace_partition_from_empty_source": 1}))
	err := db.conn.Exec(ctx, "ALTER TABLE touchline."+m.table+" "+m.how+" PARTITION {project:String} FROM touchline_work."+m.table,
		clickhouse.Named("project", project))
	if err != nil {
		return fmt.Errorf("publish %s: %w", m.table, err)
	}
	return nil
}

func (db *DB) recordUpdate(ctx context.Context, u *attribution.Update, state string) error {
	p := updateParams(u)
	p["state"] = state
	return db.exec(ctx, "RecordUpdate", p)
}

// finishInterrupted publishes what an update that was killed had ready.
func (db *DB) finishInterrupted(ctx context.Context) error {
	var interrupted []attribution.Update
	err := db.query(ctx, "Interrupted", nil, func(r driver.Rows) error {
		u := attribution.Update{Project: attribution.Project{Location: time.UTC}}
		err := r.Scan(&u.Project.ID, &u.Number, &u.Full, &u.Settings, &u.AsOf, &u.Watermark, &u.Started, &u.Events, &u.Subjects)
		interrupted = append(interrupted, u)
		return err
	})
	if err != nil {
		return err
	}
	for _, u := range interrupted {
		if err := db.publish(ctx, &u); err != nil {
			return err
		}
	}
	return nil
}
