package main

import (
	"context"
	"os"

	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/collector/importer"
)

type importCommand struct {
	Accesslog   importAccesslog   `cmd:"" help:"Access logs of web servers, in the combined format."`
	Events      importEvents      `cmd:"" help:"Events: messages of the Segment spec (NDJSON), or tables (CSV)."`
	Touchpoints importTouchpoints `cmd:"" help:"Touches that no tracking saw, such as fairs, letters and calls (CSV)."`
	Rates       importRates       `cmd:"" help:"Rates of exchange by day (CSV), such as the European Central Bank's."`
}

// importAccesslog makes events of the lines of web server logs.
type importAccesslog struct {
	Files   []string `arg:"" name:"file" help:"Logs, plain or compressed with gzip or zstd; - is standard input."`
	Project string   `help:"Project the visits belong to." required:""`
	Host    string   `help:"Host of the site, such as shop.example: links from it are no referrers." required:""`
}

func (c *importAccesslog) Run(ctx context.Context, g *globals) error {
	return g.importFiles(ctx, c.Project, c.Files, func(in *installation, im importer.Import) (importer.Ledger, error) {
		key, err := in.visitorKey()
		if err != nil {
			return importer.Ledger{}, err
		}
		log := importer.AccessLog{Import: im, Host: c.Host, Key: key}
		return log.Run(ctx, c.Files)
	})
}

// importFiles imports files into a project as importInto does, with what makes events complete and stores them.
func (g *globals) importFiles(
	ctx context.Context, id string, files []string, run func(*installation, importer.Import) (importer.Ledger, error),
) error {
	return g.importInto(ctx, id, files, func(in *installation, im importer.Import) (importer.Ledger, error) {
		geo, err := in.openGeo()
		if err != nil {
			return importer.Ledger{}, err
		}
		sink := in.db.NewImporter(im.Project.ID)
		defer sink.Close()
		im.Enrich, im.Sink = enrich.New(geo), sink
		return run(in, im)
	})
}

// importInto imports files into a project with what run makes of them, shows how far it is and prints the ledger.
func (g *globals) importInto(
	ctx context.Context, id string, files []string, run func(*installation, importer.Import) (importer.Ledger, error),
) error {
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	_, project, err := in.cfg.project(id)
	if err != nil {
		return usageError{err}
	}
	progress := newProgress(g.stderr, "reading", "bytes", totalSize(files))
	ledger, err := run(in, importer.Import{Project: project, Progress: progress.set})
	progress.finish()
	if ledger.Lines > 0 {
		if _, werr := ledger.WriteTo(os.Stdout); err == nil {
			err = werr
		}
	}
	return err
}

// totalSize is the size of all files in bytes, or -1 when it cannot be known.
func totalSize(files []string) int64 {
	var total int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			return -1
		}
		total += info.Size()
	}
	return total
}
