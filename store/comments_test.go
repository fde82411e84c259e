package store_test

import (
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/store/storetest"
)

func TestEverythingHasAComment(t *testing.T) {
	db := storetest.Open(t)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	// goose's own table is not for readers.
	bare := column[string](t, db, `SELECT name FROM system.tables
		WHERE database = 'touchline' AND comment = '' AND name != 'schema_version'
		UNION ALL
		SELECT table || '.' || name FROM system.columns
		WHERE database = 'touchline' AND comment = '' AND table != 'schema_version'`)
	if len(bare) > 0 {
		t.Errorf("without a comment: %q", bare)
	}
	if n := column[uint64](t, db, "SELECT count() FROM system.columns WHERE database = 'touchline' AND table = 'events'"); n[0] < 40 {
		t.Errorf("view events has %d columns", n[0])
	}
}

func TestViewFollowsTheTablesComments(t *testing.T) {
	db := storetest.Open(t)
	const comments = `SELECT comment FROM system.columns
		WHERE database = 'touchline' AND table IN ('events', 'events_raw') AND name = 'title'`
	before := column[string](t, db, comments)[0]
	for _, comment := range []string{`it's a \ "title"`, before} {
		run(t, db, "ALTER TABLE events_raw COMMENT COLUMN title '"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(comment)+"'")
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := column[string](t, db, comments); len(got) != 2 || got[0] != comment || got[1] != comment {
			t.Errorf("comments %q, want both %q", got, comment)
		}
	}
}
