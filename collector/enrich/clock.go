package enrich

import (
	"hash/maphash"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

const (
	// skewTolerance is in ms. Less than this is the network's delay rather than a wrong clock.
	skewTolerance = 10_000
	// maxSkew is in ms. A clock that has lost its battery says 1970; beyond a century sentAt is nonsense.
	maxSkew = int64(100 * 365 * 24 * time.Hour / time.Millisecond)
	// maxSkewed bounds the clients with a wrong clock that are remembered.
	maxSkewed = 100_000
)

// Clock fills Timestamp: the client's time plus one skew per client, so that a client's own order never changes. A
// client without any id cannot be remembered; its skew is that of the request.
type Clock struct {
	skews *otter.Cache[uint64, int64] // ms to add, by a clockKey's hash; clients whose clock is right are absent
	seed  maphash.Seed
}

// clockKey names a client. Only its hash is kept: its texts are as long as a sender likes.
type clockKey struct{ project, client, library string }

// NewClock returns a Clock that has not seen any client.
func NewClock() *Clock {
	return &Clock{otter.Must(&otter.Options[uint64, int64]{MaximumSize: maxSkewed}), maphash.MakeSeed()}
}

// Enrich sets Timestamp and TimeReplaced from ClientTimestamp, SentAt and ReceivedAt.
func (s *Clock) Enrich(p *collector.Project, _ *event.Client, e *event.Event) {
	if e.ClientTimestamp == 0 {
		e.Timestamp = e.ReceivedAt
		return
	}
	skew, latest := s.skew(p, e), e.ReceivedAt+event.MaxFuture
	if e.ClientTimestamp > latest-skew {
		e.Timestamp, e.TimeReplaced = e.ReceivedAt, true
		return
	}
	e.Timestamp = e.ClientTimestamp + skew
}

// skew returns the ms to add to the client's times. The one in use changes only when a new estimate differs from it by
// more than the tolerance: otherwise the jitter of the network would shuffle what the client did within seconds.
func (s *Clock) skew(p *collector.Project, e *event.Event) int64 {
	client := clockKey{p.ID, e.AnonymousID, e.Library}
	if client.client == "" {
		client.client = e.UserID
	}
	key := maphash.Comparable(s.seed, client)
	inUse, _ := s.skews.GetIfPresent(key)
	estimate := e.ReceivedAt - e.SentAt
	if e.SentAt <= 0 || abs(estimate) > maxSkew || abs(estimate-inUse) <= skewTolerance {
		return inUse
	}
	if abs(estimate) <= skewTolerance {
		s.skews.Invalidate(key)
		return 0
	}
	if client.client != "" {
		s.skews.Set(key, estimate)
	}
	return estimate
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
