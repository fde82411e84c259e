package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/touchline-hq/touchline/collector/spool"
)

// spoolCommand lists the spool's files. It needs nobody's leave: while up runs, the end of the last segment may be a
// record half written, which the list calls damaged.
type spoolCommand struct{}

func (c *spoolCommand) Run(g *globals) error {
	dir := cmp.Or(g.Data, defaultData)
	if g.found() {
		cfg, err := g.load()
		if err != nil {
			return err
		}
		dir = g.dataDir(cfg)
	}
	dir = filepath.Join(dir, "spool")
	err := spool.Dump(dir, os.Stdout)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no spool in %s: touchline up makes it; name another data directory with --data", dir)
	}
	return err
}
