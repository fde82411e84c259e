package handler

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// busySink counts the batches that are being appended, and holds them until it is opened. Single events pass.
type busySink struct {
	busy atomic.Int64
	open chan struct{}
}

func (s *busySink) Append(records [][]byte) error {
	if len(records) > 1 {
		s.busy.Add(1)
		<-s.open
	}
	return nil
}

func (*busySink) Err() error { return nil }

func TestLargeRequestsWaitForEachOther(t *testing.T) {
	const batch = `{"writeKey":"wk_open","batch":[{"type":"page","messageId":"a"},{"type":"page","messageId":"b"}]}`
	for name, c := range map[string]struct {
		body    string
		headers headers
	}{
		"large":      {batch + strings.Repeat(" ", smallBody), nil},
		"compressed": {compress(t, "gzip", batch), headers{"Content-Encoding": "gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, sink := newFixture(), &busySink{open: make(chan struct{})}
				f.Enrich, f.Sink = nothing{}, sink
				var all sync.WaitGroup
				for range 2 * maxLarge {
					all.Go(func() {
						if status, _, answer := f.do("POST", "/v1/batch", c.body, c.headers); status != 200 {
							t.Error(answer)
						}
					})
				}
				synctest.Wait()
				equal(t, sink.busy.Load(), int64(maxLarge))
				f.expect(t, "POST", "/v1/page", `{"writeKey":"wk_open","messageId":"small"}`, nil, response{status: 200, body: success})
				close(sink.open)
				all.Wait()
				equal(t, f.Snapshot(), Stats{Accepted: 4*maxLarge + 1})
			})
		})
	}
}
