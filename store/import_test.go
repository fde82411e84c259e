package store_test

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func wantImported(t *testing.T, im *store.Importer, want int, events ...event.Event) {
	t.Helper()
	if n, err := im.Insert(t.Context(), events); n != want || err != nil {
		t.Errorf("%d events were new, %v; want %d", n, err, want)
	}
}

func TestImporterCountsWhatIsNew(t *testing.T) {
	db := storetest.Open(t)
	const project = `import 'it' \ all`
	a, b, c, d := filled(t, project, 1), filled(t, project, 2), filled(t, project, 3), filled(t, project, 4)
	d.ClientDay = 0 // an event without a time
	elsewhere := a
	elsewhere.Project = project + " elsewhere"
	insert(t, db, elsewhere)

	im := db.NewImporter(project)
	defer im.Close()
	wantImported(t, im, 0)
	wantImported(t, im, 3, a, b, d)
	wantImported(t, im, 0, a, b, d)
	n := rawRows(t, db, project)
	later := b
	later.ReceivedAt++
	wantImported(t, im, 1, a, later, c, d)
	wantImported(t, im, 0, c)
	wantStored(t, db, project, a, b, c, d)
	if n != 3 {
		t.Errorf("%d rows after a repeat, want those of the first time, 3", n)
	}
}

func TestImporterBringsBackWhatWasDeleted(t *testing.T) {
	db := storetest.Open(t)
	const project = "deleted and imported"
	e := filled(t, project, 1)
	im := db.NewImporter(project)
	defer im.Close()
	wantImported(t, im, 1, e)
	run(t, db, "DELETE FROM events_raw WHERE project = {project:String}", clickhouse.Named("project", project))
	wantImported(t, im, 1, e)
	wantStored(t, db, project, e)
}
