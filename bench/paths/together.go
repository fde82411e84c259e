package main

import (
	"os"
	"sync"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/attribution/pathfile"
	"github.com/touchline-hq/touchline/bench/run"
)

// together does in this process what the program does, with markov of order 1 and of order 2, which it is not asked for
// at once.
func (r *row) together(f *file) error {
	before, err := run.ReadUsage(os.Getpid())
	if err != nil {
		return err
	}
	start := time.Now()
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	paths, err := pathfile.Read(in, f.path)
	if err != nil {
		return err
	}
	if err = fitAll(append(model.Plain(), model.Markov{Order: 2}), paths); err != nil {
		return err
	}
	wall := time.Since(start)
	after, err := run.ReadUsage(os.Getpid())
	if err != nil {
		return err
	}
	if r.wall == 0 || wall < r.wall {
		r.wall, r.cpu = wall, after.Since(before).CPU
	}
	r.peak = after.Peak
	return nil
}

func fitAll(models []attribution.Model, paths *attribution.Paths) error {
	errs := make([]error, len(models))
	var fits sync.WaitGroup
	for i, m := range models {
		fits.Go(func() { _, errs[i] = m.Fit(paths) })
	}
	fits.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
