package embedded

import (
	"context"
	"io/fs"
)

// ErrPortTaken is errPortTaken.
var ErrPortTaken = errPortTaken

// DataDir is where the engine keeps its own files.
func (e *Engine) DataDir() string { return e.layout.data }

// LaunchOn starts a child on a port that the caller chooses, and returns why it ended.
func LaunchOn(ctx context.Context, opts Options, port int) error {
	e := &Engine{port: port}
	if err := e.prepare(opts); err != nil {
		return err
	}
	c, err := e.launch(ctx)
	if err == nil {
		c.stop(stopGrace)
	}
	return err
}

// DefaultMemory is defaultMemory.
func DefaultMemory(physical uint64, root fs.FS) uint64 { return defaultMemory(physical, root) }
