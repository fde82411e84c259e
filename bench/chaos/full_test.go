package chaos_test

import "testing"

// smallSpool is full after seconds without an engine.
const smallSpool = "2MB"

// fillSpool stops the engine until the collector has no room for events and refuses them, and waits until it has again.
func (c *chaos) fillSpool(t *testing.T) {
	t.Helper()
	c.up.WaitReady(t)
	c.freeze(t, func() { c.await(t, c.load.refused, 5*senders) })
	c.await(t, c.load.acknowledged, senders)
	t.Log("spool filled and emptied")
}
