package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far long work is: a bar on a terminal, a plain line every few seconds elsewhere.
type progress struct {
	w           io.Writer
	label, unit string
	total       int64 // -1: unknown
	bar         *progressbar.ProgressBar
	last        time.Time
}

const plainInterval = 5 * time.Second

func newProgress(w io.Writer, label, unit string, total int64) *progress {
	p := &progress{w: w, label: label, unit: unit, total: total, last: time.Now()}
	if isTerminal(w) {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(label),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	return p
}

// set says how much is done, in units.
func (p *progress) set(done int64) {
	switch {
	case p.bar != nil:
		_ = p.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
	case time.Since(p.last) < plainInterval:
	case p.total > 0:
		p.last = time.Now()
		fmt.Fprintf(p.w, "%s: %d of %d %s\n", p.label, done, p.total, p.unit)
	default:
		p.last = time.Now()
		fmt.Fprintf(p.w, "%s: %d %s\n", p.label, done, p.unit)
	}
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
