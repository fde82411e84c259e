package store

import (
	"context"
	"io/fs"

	"github.com/touchline-hq/touchline/attribution"
)

// Migrations are the embedded files, in folder migrations.
var Migrations = migrations

// MigrateFiles is Migrate with other files.
func MigrateFiles(ctx context.Context, db *DB, files fs.FS) error { return db.migrate(ctx, files) }

// Refusal is refusal.
func Refusal(err error) error { return refusal(err) }

// Moves is how many tables Publish puts in the place of others.
var Moves = len(changedTables) + len(wholeTables)

// PublishPart is Publish, killed after some of the tables.
func PublishPart(ctx context.Context, db *DB, u *attribution.Update, tables int) error {
	if err := db.recordUpdate(ctx, u, "publishing"); err != nil {
		return err
	}
	for _, m := range moves(u)[:tables] {
		if err := db.movePartition(ctx, m, u.Project.ID); err != nil {
			return err
		}
	}
	return nil
}
