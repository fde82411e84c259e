package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/attribution/pathfile"
)

// pathsCommand runs models on a file of paths, without any server.
type pathsCommand struct {
	File   string `arg:"" help:"CSV with a header: path (channels joined by ' > '), conversions, value, nulls."`
	Models string `help:"Models, separated by commas: ${models}." default:"${models}"`
	Format format `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

func (c *pathsCommand) Run() error {
	models, err := model.Parse(c.Models)
	if err != nil {
		return usageError{err}
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	paths, err := pathfile.Read(file, c.File)
	if err != nil {
		return err
	}
	t := table{header: creditHeader}
	for _, m := range models {
		fitted, err := m.Fit(paths)
		if err != nil {
			return fmt.Errorf("model %s: %w", m.Name(), err)
		}
		t.rows = append(t.rows, creditRows(m.Name(), paths.Channels, fitted.Totals())...)
	}
	return t.write(os.Stdout, c.Format)
}

var creditHeader = []string{"model", "channel", "conversions", "value"}

// creditRows lists channels by their credit, the largest first.
func creditRows(name string, channels []string, credits []attribution.Credit) [][]cell {
	order := make([]int, len(channels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(credits[b].Conversions, credits[a].Conversions) })
	var rows [][]cell
	for _, i := range order {
		rows = append(rows, []cell{text(name), text(channels[i]), number(credits[i].Conversions), number(credits[i].Value)})
	}
	return rows
}
