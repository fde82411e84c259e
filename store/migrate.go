package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/pressly/goose/v3"
)

// The migrations are append-only: what was released is never edited, and there is no way back. ClickHouse has no
// transactions, so each statement must do no harm when a migration that failed half way runs again.
//
//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where goose keeps what has been applied.
const versionTable = "schema_version"

// Migrate brings the tables up to date. One process does so at a time.
func (db *DB) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if err := db.migrate(ctx, files); err != nil {
		return err
	}
	return db.describeViews(ctx)
}

// Versions returns the version of the tables, and the one that Migrate would bring them to.
func (db *DB) Versions(ctx context.Context) (current, newest int64, err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, 0, err
	}
	err = db.withProvider(files, func(provider *goose.Provider) error {
		current, newest, err = provider.GetVersions(ctx)
		return err
	})
	return current, newest, err
}

func (db *DB) migrate(ctx context.Context, files fs.FS) error {
	return db.withProvider(files, func(provider *goose.Provider) error { return up(ctx, provider) })
}

// withProvider calls f with what applies migrations.
func (db *DB) withProvider(files fs.FS, f func(*goose.Provider) error) (err error) {
	conn := clickhouse.OpenDB(&db.target.options)
	defer func() { err = errors.Join(err, conn.Close()) }()
	provider, err := goose.NewProvider(goose.DialectClickHouse, conn, files,
		goose.WithTableName(versionTable),
		goose.WithLogger(goose.NopLogger()),
		goose.WithDisableGlobalRegistry(true),
	)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return f(provider)
}

func up(ctx context.Context, provider *goose.Provider) error {
	current, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if current > newest {
		return fmt.Errorf("database %s is at version %d and this touchline knows %d: use a newer touchline", Database, current, newest)
	}
	_, err = provider.Up(ctx)
	var partial *goose.PartialError
	switch {
	case errors.As(err, &partial):
		return fmt.Errorf("migration %s: %w", partial.Failed.Source.Path, partial.Err)
	case err != nil:
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}
