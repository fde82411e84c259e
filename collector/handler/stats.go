package handler

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"

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

// ProjectStats counts events of one project since the start.
type ProjectStats struct {
	Accepted int64            // made durable
	Rejected map[string]int64 // by reason; a request of which nothing could be read counts as one
	OverRate int64            // refused because their key, or the project's links, were over the rate
}

type stats struct {
	accepted, rejected, malformed, unauthorized, forbidden, tooLarge, overRate, unavailable atomic.Int64

	projects sync.Map // of *projectState, by project
}

// projectState is what a Handler knows of a project that something was sent to.
type projectState struct {
	accepted, overRate atomic.Int64
	allowance          *rate.Limiter // of bytes, for what is kept of refused messages

	mu       sync.Mutex
	rejected map[string]int64
}

func (h *Handler) of(p *collector.Project) *projectState {
	known, ok := h.stats.projects.Load(p.ID)
	if !ok {
		known, _ = h.stats.projects.LoadOrStore(p.ID, &projectState{
			allowance: rate.NewLimiter(refusedRate, refusedBurst), rejected: make(map[string]int64),
		})
	}
	s, _ := known.(*projectState) // nothing else is stored
	return s
}

// allows takes n bytes from the project's allowance, if it has as many.
func (s *projectState) allows(n int, now time.Time) bool { return s.allowance.AllowN(now, n) }

// reasonCount is how many messages of a request were refused for a reason.
type reasonCount struct {
	reason string
	events uint64
}

// add counts the messages of a request, once they are durable: what is answered 503 comes again.
func (s *projectState) add(accepted int64, refused []reasonCount) {
	s.accepted.Add(accepted)
	for _, r := range refused {
		s.reject(r.reason, r.events)
	}
}

func (s *projectState) reject(reason string, n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected[reason] += int64(n) //nolint:gosec // messages of a request
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

// ByProject returns the counts of the projects that something was sent to, by id.
func (h *Handler) ByProject() map[string]ProjectStats {
	projects := make(map[string]ProjectStats)
	h.stats.projects.Range(func(key, value any) bool {
		id, _ := key.(string)
		s, _ := value.(*projectState)
		s.mu.Lock()
		defer s.mu.Unlock()
		projects[id] = ProjectStats{s.accepted.Load(), maps.Clone(s.rejected), s.overRate.Load()}
		return true
	})
	return projects
}

// Failing reports that the sink took nothing the last time it was asked.
func (h *Handler) Failing() bool { return h.failing.Load() }

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
