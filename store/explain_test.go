package store_test

import (
	"maps"
	"testing"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestRemovalEffects(t *testing.T) {
	db := storetest.Open(t)
	s := attribution.Selection{Project: attribution.Project{ID: "removed"}, Kind: "Done", Level: attribution.Person}
	run(t, db, `INSERT INTO removal_effects VALUES ('removed', 'Done', 'person', 'Email', 0.5, 1), ('removed', 'Done', 'person', 'Direct', 0, 0),
		('removed', 'Done', 'account', 'Email', 1, 1), ('removed', 'Else', 'person', 'Email', 1, 1), ('other', 'Done', 'person', 'Email', 1, 1)`)
	effects, err := db.RemovalEffects(t.Context(), s)
	if want := map[string]float64{"Email": 0.5, "Direct": 0}; !maps.Equal(effects, want) || err != nil {
		t.Errorf("got %v, error %v, want %v", effects, err, want)
	}
}
