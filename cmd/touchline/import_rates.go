package main

import (
	"context"

	"github.com/touchline-hq/touchline/collector/importer"
)

// importRates brings in what currencies were worth.
type importRates struct {
	Files   []string `arg:"" name:"file" help:"CSV files, plain or compressed with gzip or zstd: date,currency,rate and maybe base, or the ECB's eurofxref-hist.csv. - is standard input."`
	Project string   `help:"Project whose currency is the base of rates that name none." required:""`
}

func (c *importRates) Run(ctx context.Context, g *globals) error {
	return g.importInto(ctx, c.Project, c.Files, func(in *installation, im importer.Import) (importer.Ledger, error) {
		rates := importer.Rates{Import: im, Rates: in.db}
		return rates.Run(ctx, c.Files)
	})
}
