package importer

import (
	"context"
	"slices"

	"github.com/touchline-hq/touchline/event"
)

// Touchpoints imports tables of touches that no tracking saw: fairs, letters, calls, advertisements. Each row is an event
// Touchpoint.
type Touchpoints struct{ Events }

// Run reads files as Events' Run does, all of them as CSV. A row must say when, who, and what the touch was.
func (t *Touchpoints) Run(ctx context.Context, files []string) (Ledger, error) {
	v := t.Events
	v.rows = rowRules{
		fields: []string{"type", "event"}, cells: []string{string(event.Track), event.Touchpoint},
		needs: [][]string{{"timestamp"}, {"user_id", "anonymous_id"}, {"channel", "source", "medium"}},
	}
	return v.Run(ctx, files)
}

// rowRules is what an import knows of all its rows. The zero value is nothing.
type rowRules struct {
	fields, cells []string   // that every row has besides its own
	needs         [][]string // of each of these groups a row must fill a field
}

// complete appends what every row has.
func (r *rowRules) complete(fields, cells []string) (allFields, allCells []string) {
	return slices.Concat(fields, r.fields), slices.Concat(cells, r.cells)
}
