package store_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestMigrateTwiceIsMigrateOnce(t *testing.T) {
	db := storetest.Open(t)
	tables := func() (names []string) {
		rows, err := db.Conn().Query(t.Context(), "SELECT name || ' ' || toString(uuid) FROM system.tables WHERE database = 'touchline' ORDER BY name")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return names
	}
	before := tables()
	if len(before) == 0 {
		t.Fatal("no tables")
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := tables(); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("tables\n%v\nafter a second Migrate, want\n%v", after, before)
	}
}

func TestMigrateSaysWhatIsWrong(t *testing.T) {
	db := storetest.Open(t)
	failing := fstest.MapFS{"90001_failing.sql": {Data: []byte("-- +goose Up\nSELECT nonsense;\n")}}
	for name, file := range migrationFiles(t) {
		failing[name] = file
	}
	if err := store.MigrateFiles(t.Context(), db, failing); err == nil ||
		!strings.HasPrefix(err.Error(), "migration 90001_failing.sql: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("failing migration: %v, want one line that names it", err)
	}

	next := fstest.MapFS{"90002_next.sql": {Data: []byte("-- +goose Up\nSELECT 1;\n")}}
	for name, file := range migrationFiles(t) {
		next[name] = file
	}
	if err := store.MigrateFiles(t.Context(), db, next); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "database touchline is at version 90002 and this touchline knows ") {
		t.Errorf("newer database: %v", err)
	}
	if err := db.Conn().Exec(t.Context(), "DELETE FROM schema_version WHERE version_id = 90002"); err != nil {
		t.Fatal(err)
	}
}

func migrationFiles(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(store.Migrations, "migrations", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(store.Migrations, path)
		files[entry.Name()] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
