package handler

import (
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
)

// Stats counts what became of events and requests since the start.
type Stats struct {
	Accepted int64 // events made durable
	Rejected int64 // events refused within a request that was understood

	// Requests of which nothing was taken:
	Malformed    int64 // not decodable
	Unauthorized int64 // no or unknown write key
	Forbidden    int64 // from an origin that is none of the project's
	TooLarge     int64
	OverRate     int64 // the key has sent too many events
	Unavailable  int64 // the sink failed
}

type stats struct {
	accepted, rejected, malformed, unauthorized, forbidden, tooLarge, overRate, unavailable atomic.Int64
}

// Snapshot returns the counts. They are read one after the other, not at one instant.
func (h *Handler) Snapshot() Stats {
	s := &h.stats
	return Stats{
		Accepted: s.accepted.Load(), Rejected: s.rejected.Load(),
		Malformed: s.malformed.Load(), Unauthorized: s.unauthorized.Load(), Forbidden: s.forbidden.Load(),
		TooLarge: s.tooLarge.Load(), OverRate: s.overRate.Load(), Unavailable: s.unavailable.Load(),
	}
}

func (h *Handler) count(result collector.Result, err error) {
	s := &h.stats
	if err == nil {
		s.accepted.Add(int64(len(result.Messages)))
		s.rejected.Add(int64(len(result.Rejected)))
		return
	}
	switch status(err) {
	case fasthttp.StatusUnauthorized:
		s.unauthorized.Add(1)
	case fasthttp.StatusForbidden:
		s.forbidden.Add(1)
	case fasthttp.StatusRequestEntityTooLarge:
		s.tooLarge.Add(1)
	case fasthttp.StatusTooManyRequests:
		s.overRate.Add(1)
	case fasthttp.StatusServiceUnavailable:
		s.unavailable.Add(1)
	default:
		s.malformed.Add(1)
	}
}
