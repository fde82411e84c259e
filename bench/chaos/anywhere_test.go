package chaos_test

import (
	"testing"
	"time"
)

// maxPause is the longest time from one kill, and what had to be waited for after it, to the next.
const maxPause = 2 * time.Second

// hitAnywhere starts the program with its own engine and a small spool, kills at any time, and fills the spool once.
func (c *chaos) hitAnywhere(t *testing.T, kills int) {
	t.Helper()
	c.in.SpoolLimit = smallSpool
	c.in.Configure(t, project)
	c.up = c.in.Start(t)
	for range kills {
		c.pause(t, maxPause)
		c.note(t, c.killAnything(t))
		if c.rng.IntN(2) == 0 {
			c.up.WaitReady(t)
		}
	}
	c.fillSpool(t)
}

// killAnything kills the collector, the engine or both, and sees to it that a collector is started.
func (c *chaos) killAnything(t *testing.T) (kind string) {
	t.Helper()
	switch c.rng.IntN(5) {
	case 0: // maybe before it is ready
		kind = "collector"
	case 1, 2: // right after an answer, which must not have been given too early
		c.await(t, c.load.acknowledged, 1)
		kind = "collector after an answer"
	case 3:
		c.up.WaitReady(t)
		c.killEngine(t)
		return "engine"
	default:
		c.up.WaitReady(t)
		c.killEngine(t)
		kind = "engine and collector"
	}
	c.up.Kill(t)
	c.up = c.in.Start(t)
	return kind
}
