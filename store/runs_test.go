package store_test

import (
	"testing"
	"time"

	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestLastRuns(t *testing.T) {
	db := storetest.Open(t)
	clock := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)
	at := func(minute int) time.Time { return clock.Add(time.Duration(minute) * time.Minute) }
	for _, r := range []store.Run{
		{Project: "runs a", Started: at(0), Ended: at(1), AsOf: at(-5)},
		{Project: "runs a", Started: at(30), Ended: at(31), Error: "it's \\ 'away'"},
		{Project: "runs a", Started: at(15), Ended: at(16), AsOf: at(14)},
		{Project: "runs b", Started: at(10), Ended: at(11), Error: "never"},
		{Project: "runs c", Started: at(10), Ended: at(11), Error: "once"},
		{Project: "runs c", Started: at(20), Ended: at(21), AsOf: at(0)},
	} {
		if err := db.RecordRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := db.LastRuns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for project, want := range map[string]store.LastRun{
		"runs a": {at(30), "it's \\ 'away'", at(15)},
		"runs b": {at(10), "never", time.UnixMilli(0).UTC()},
		"runs c": {at(20), "", at(20)},
		"runs d": {},
	} {
		if runs[project] != want {
			t.Errorf("%s: %+v, want %+v", project, runs[project], want)
		}
	}
	rows := column[string](t, db, `SELECT concat(result, ' ', toString(as_of)) FROM runs WHERE project = 'runs c' ORDER BY started`)
	want := []string{"failed 1970-01-01 00:00:00.000", "done " + at(0).Format("2006-01-02 15:04:05.000")}
	if len(rows) != 2 || rows[0] != want[0] || rows[1] != want[1] {
		t.Errorf("%q, want %q", rows, want)
	}
}
