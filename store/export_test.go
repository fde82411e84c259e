package store

import (
	"context"
	"io/fs"
)

// Migrations are the embedded files, in folder migrations.
var Migrations = migrations

// MigrateFiles is Migrate with other files.
func MigrateFiles(ctx context.Context, db *DB, files fs.FS) error { return db.migrate(ctx, files) }

// Refusal is refusal.
func Refusal(err error) error { return refusal(err) }
