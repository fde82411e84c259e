package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/importer"
)

// importEvents brings in events that another system has recorded.
type importEvents struct {
	Files   []string `arg:"" name:"file" help:"Files, plain or compressed with gzip or zstd: .ndjson, .jsonl or .json with a message of the Segment spec a line; .csv with columns named like table events. - is standard input."`
	Project string   `help:"Project the events belong to." required:""`
	Format  string   `help:"What is in files whose name does not say it: ndjson or csv." enum:"ndjson,csv," default:""`
	Map     []string `help:"Columns of CSV files that have another name than the field." placeholder:"FIELD=COLUMN"`
	Ignore  []string `help:"Columns of CSV files that are left out." placeholder:"COLUMN"`
}

func (c *importEvents) Run(ctx context.Context, g *globals) error {
	columns, err := parseMap(c.Map, decode.RowFields())
	if err != nil {
		return usageError{err}
	}
	return g.importFiles(ctx, c.Project, c.Files, func(in *installation, im importer.Import) (importer.Ledger, error) {
		events := importer.Events{
			Import: im, Decode: in.cfg.limits.decoder(), Fields: decode.RowFields(), MaxEvent: in.cfg.limits.event,
			Format: importer.Format(c.Format), Map: columns, Ignore: c.Ignore,
		}
		return events.Run(ctx, c.Files)
	})
}

// parseMap reads pairs field=column.
func parseMap(pairs, fields []string) (map[string]string, error) {
	columns := make(map[string]string)
	for _, pair := range pairs {
		field, column, ok := strings.Cut(pair, "=")
		switch {
		case !ok || column == "":
			return nil, fmt.Errorf("--map %s: want FIELD=COLUMN, as in user_id=customer", pair)
		case !slices.Contains(fields, field):
			return nil, fmt.Errorf("--map %s: unknown field %q; fields are %s", pair, field, strings.Join(fields, ", "))
		case columns[field] != "":
			return nil, fmt.Errorf("--map %s: field %s has a column already: %s", pair, field, columns[field])
		}
		columns[field] = column
	}
	return columns, nil
}
