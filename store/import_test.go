package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/storetest"
)

func wantImported(t *testing.T, im *store.Importer, want int, events ...event.Event) {
	t.Helper()
	if n, refused, err := im.Insert(t.Context(), events); n != want || len(refused) > 0 || err != nil {
		t.Errorf("%d events were new, %v were refused, %v; want %d", n, refused, err, want)
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

// Of copies within one call the first stays, as it does between calls.
func TestImporterTakesTheFirstOfCopies(t *testing.T) {
	db := storetest.Open(t)
	const project = "imported copies"
	a, b := filled(t, project, 1), filled(t, project, 2)
	second := a
	second.Title = "the second"
	im := db.NewImporter(project)
	defer im.Close()
	wantImported(t, im, 2, a, second, b, second)
	wantStored(t, db, project, a, b)
	if n := rawRows(t, db, project); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	wantImported(t, im, 0, second, b, a)
	wantBooked(t, db, project, " imported  7")
}

func TestImporterFindsWhatIsRefused(t *testing.T) {
	db := storetest.Open(t)
	poison(t, db)
	const project = "imported and refused"
	var events, good []event.Event
	for i := range 20 {
		e := event.Event{Project: project, MessageID: fmt.Sprintf("m%02d", i)}
		if i%7 == 3 {
			e.Name = "poison"
		} else {
			good = append(good, e)
		}
		events = append(events, e)
	}
	im := db.NewImporter(project)
	defer im.Close()
	for round, want := range []int{len(good), 0} {
		added, refused, err := im.Insert(t.Context(), events)
		var ids []string
		for _, r := range refused {
			ids = append(ids, r.Event.MessageID+" "+r.Reason)
			if !strings.Contains(r.Detail, "(469)") {
				t.Errorf("%s: detail %q", r.Event.MessageID, r.Detail)
			}
		}
		wantIDs := []string{"m03 VIOLATED_CONSTRAINT", "m10 VIOLATED_CONSTRAINT", "m17 VIOLATED_CONSTRAINT"}
		if added != want || !slices.Equal(ids, wantIDs) || err != nil {
			t.Errorf("round %d: %d added, refused %q, %v", round, added, ids, err)
		}
	}
	wantStored(t, db, project, good...)
	wantBooked(t, db, project, " imported  34", " rejected VIOLATED_CONSTRAINT 6")
	rejected := column[string](t, db, "SELECT message_id FROM rejected WHERE project = {project:String} ORDER BY message_id",
		clickhouse.Named("project", project))
	if !slices.Equal(rejected, []string{"m03", "m10", "m17"}) {
		t.Errorf("rejected are %q", rejected)
	}
	added, refused, err := im.Insert(t.Context(), []event.Event{events[3]})
	if added != 0 || len(refused) != 1 || err != nil {
		t.Errorf("alone: %d added, %d refused, %v", added, len(refused), err)
	}
	wantBooked(t, db, project, " imported  34", " rejected VIOLATED_CONSTRAINT 7")
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
