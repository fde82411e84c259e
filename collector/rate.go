package collector

import (
	"math"
	"sync/atomic"
	"time"
)

// RateLimit bounds the events of one write key. The zero value is no limit.
type RateLimit struct {
	Events int // per second
	Burst  int // at once, after a pause; at least 1 where Events is
}

// bucket holds a key to its limit: Burst tokens at most, Events new ones a second, one for each event. Its whole state
// is the time at which it will be full again, so requests share one atomic number and no lock.
type bucket struct {
	limit RateLimit
	start time.Time    // times are counted from here, by the monotonic clock: setting the other one changes nothing
	full  atomic.Int64 // ns after start
}

func newBucket(limit RateLimit) *bucket {
	if limit.Events == 0 {
		return nil
	}
	b := &bucket{limit: limit, start: time.Now()}
	b.full.Store(math.MinInt64)
	return b
}

// take takes n tokens and returns 0, or takes none and returns how long to wait. More tokens than Burst are given by a
// full bucket, which then is the longer in filling: a large batch is not refused for ever, and the rate holds.
func (b *bucket) take(n int, now time.Time) time.Duration {
	at := int64(now.Sub(b.start))
	for {
		full := b.full.Load()
		from := max(full, at)
		if wait := from + b.nanos(min(n, b.limit.Burst)) - b.nanos(b.limit.Burst) - at; wait > 0 {
			return time.Duration(wait)
		}
		if b.full.CompareAndSwap(full, from+b.nanos(n)) {
			return 0
		}
	}
}

// nanos is how long it takes until there are n new tokens.
func (b *bucket) nanos(n int) int64 { return int64(n) * int64(time.Second) / int64(b.limit.Events) }
