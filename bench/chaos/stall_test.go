package chaos_test

import (
	"syscall"
	"testing"
	"time"
)

// stalled is how long the engine stands still.
const stalled = 2 * time.Second

// stall stops the engine for seconds, in which events are acknowledged all the same.
func (c *chaos) stall(t *testing.T) {
	t.Helper()
	c.up.WaitReady(t)
	c.freeze(t, func() {
		for until := time.Now().Add(stalled); time.Now().Before(until); {
			c.await(t, c.load.acknowledged, 1)
		}
	})
	t.Log("engine stopped and resumed")
}

// freeze stops the engine, as long as during lasts.
func (c *chaos) freeze(t *testing.T, during func()) {
	t.Helper()
	engine := c.in.Engine(t)
	if err := syscall.Kill(engine, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Kill(engine, syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}()
	during()
}
