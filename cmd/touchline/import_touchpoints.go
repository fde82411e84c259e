package main

import (
	"context"

	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/importer"
)

// importTouchpoints brings in touches that no tracking saw.
type importTouchpoints struct {
	Files   []string `arg:"" name:"file" help:"CSV files, plain or compressed with gzip or zstd, with columns timestamp, user_id or anonymous_id, channel (or source, medium), campaign, cost, currency and more. - is standard input."`
	Project string   `help:"Project the touches belong to." required:""`
	Map     []string `help:"Columns that have another name than the field." placeholder:"FIELD=COLUMN"`
	Ignore  []string `help:"Columns that are left out." placeholder:"COLUMN"`
}

func (c *importTouchpoints) Run(ctx context.Context, g *globals) error {
	columns, err := parseMap(c.Map, decode.TouchpointFields())
	if err != nil {
		return usageError{err}
	}
	return g.importFiles(ctx, c.Project, c.Files, func(in *installation, im importer.Import) (importer.Ledger, error) {
		touchpoints := importer.Touchpoints{Events: importer.Events{
			Import: im, Decode: in.cfg.limits.decoder(), Fields: decode.TouchpointFields(), MaxEvent: in.cfg.limits.event,
			Map: columns, Ignore: c.Ignore,
		}}
		return touchpoints.Run(ctx, c.Files)
	})
}
