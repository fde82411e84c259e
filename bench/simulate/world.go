// Package simulate makes up the customers of a shop and of a B2B company, seeded: what they are won by is known, so
// that the attribution models can be compared with the truth. The messages are those of Segment clients, and Send
// takes them through the real HTTP collector.
//
// How a person decides: each visit is a touch of one channel. A touch adds the channel's effect to the probability of
// taking the next step (buying; for a company: lead, opportunity, contract) at this visit and the following ones; the
// effect halves with the channel's half-life. The contributions add up, and a step taken starts the sum anew. What a
// channel has caused is found by letting the same people with the same luck live again while its touches persuade
// nobody.
package simulate

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Config says what is simulated; negative numbers: nothing. The same Config gives the same messages, byte for byte (on one kind of
// processor: the last digits of floating point differ between kinds).
type Config struct {
	Seed  uint64
	Days  int       // before End; 0: 240
	End   time.Time // every message is earlier; required
	Scale float64   // multiplies the number of people; 0: 1
}

// Message is one message as a client would send it.
type Message struct {
	Project string
	Time    time.Time // as in the message's timestamp: whole milliseconds, UTC
	JSON    []byte    // one message of the Segment spec, of a batch; owned by the receiver
}

const (
	day = 24 * time.Hour
	// visitSpan is the least time from one visit of a subject to the next and to the end: no session is longer, so
	// that sessions never overlap, and 30 minutes of silence always part two of them.
	visitSpan = 3 * time.Hour
)

// world is a simulated company: its channels and how its subjects (people, or accounts of several people) behave.
type world struct {
	project    string
	site       string // host
	seed       uint64
	start, end time.Time
	subjects   uint64
	channels   []channel
	week       [7]float64                        // activity by weekday, from Sunday, at most 1
	hours      [24]float64                       // activity by hour, UTC
	ease       []float64                         // factor on the effects, by steps taken; the last holds for all further ones
	gapDays    []float64                         // mean days between two visits, by steps taken; likewise
	firstOrder int                               // the first step that is an order
	episode    func(r *rand.Rand, steps int) int // how many visits follow a step; 0 steps: the first ones
	value      func(id uint64, step int) float64 // of the order that is this step, in the project's currency
}

// channel is a way by which people come, with its true effect.
type channel struct {
	name      string
	effect    float64   // added to the probability of the next step
	halfLife  float64   // days
	weights   []float64 // share of first visits, of later visits, and of visits after each step; the last for all further
	referrers []string  // one is drawn; none: no referrer
	source    string    // utm_source; empty: not a tagged link
	medium    string    // utm_medium
	campaigns []string  // utm_campaign; one is drawn
	clickID   string    // query parameter that the click's id comes in; empty: none
	cost      float64   // of one touch that no website sees; 0: the touch is a visit
}

// visit is one touch of a subject.
type visit struct {
	time    time.Time
	channel int
	luck    float64 // below the probability of the next step the step is taken
	step    int     // the step taken at this visit, from 1; 0: none
}

func newWorld(cfg Config, w world, subjects float64) *world {
	if cfg.Days == 0 {
		cfg.Days = 240
	}
	if cfg.Scale == 0 {
		cfg.Scale = 1
	}
	w.seed = cfg.Seed
	w.end = cfg.End.UTC().Truncate(time.Millisecond)
	w.start = w.end.Add(-time.Duration(cfg.Days) * day)
	if cfg.Days > 0 && cfg.Scale > 0 {
		w.subjects = uint64(math.Round(subjects * cfg.Scale * float64(cfg.Days) / 240))
	}
	return &w
}

// stream returns the random numbers for one purpose of one subject. They depend on nothing else, so that neither the
// order of generation nor the number of subjects changes anybody's life.
func (w *world) stream(id uint64, purpose string, n int) *rand.Rand {
	h := w.seed
	for _, b := range []byte(w.project + "/" + purpose) {
		h = mix(h ^ uint64(b))
	}
	h = mix(mix(h^id) + uint64(n))
	return rand.New(rand.NewPCG(h, mix(h)))
}

// mix is the finalizer of SplitMix64: neighbouring inputs give unrelated outputs.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// live returns the visits of a subject in time order. Touches of the channel with index off persuade nobody; -1: all do.
func (w *world) live(id uint64, off int) []visit {
	plan := w.plan(id, 0, w.firstVisit(w.stream(id, "first", 0)))
	steps, since := 0, 0 // since is the first visit after the last step
	for i := 0; i < len(plan); i++ {
		if i > 0 {
			plan[i].time = later(plan[i].time, plan[i-1].time.Add(visitSpan))
		}
		if plan[i].time.After(w.end.Add(-visitSpan)) {
			return plan[:i]
		}
		if plan[i].luck < w.hazard(plan[since:i+1], off)*at(w.ease, steps) {
			steps++
			plan[i].step, since = steps, i+1
			plan = append(plan, w.plan(id, steps, plan[i].time)...)
			slices.SortStableFunc(plan[i+1:], func(a, b visit) int { return a.time.Compare(b.time) })
		}
	}
	return plan
}

// hazard is the probability of the next step at the last of these visits, before ease.
func (w *world) hazard(visits []visit, off int) float64 {
	now, sum := visits[len(visits)-1].time, 0.0
	for _, v := range visits {
		if v.channel != off {
			c := w.channels[v.channel]
			sum += c.effect * math.Exp2(-now.Sub(v.time).Hours()/24/c.halfLife)
		}
	}
	return sum
}

// plan draws the visits that follow a number of steps taken: when, by which channel and with what luck.
func (w *world) plan(id uint64, steps int, from time.Time) []visit {
	r := w.stream(id, "plan", steps)
	visits := make([]visit, w.episode(r, steps))
	t := from
	for i := range visits {
		column := steps + 1
		if steps == 0 && i == 0 {
			column = 0
		} else {
			t = w.moment(t.Add(time.Duration(r.ExpFloat64()*at(w.gapDays, steps)*float64(day))), r)
		}
		channel := pick(r, len(w.channels), func(c int) float64 { return at(w.channels[c].weights, column) })
		visits[i] = visit{time: t, channel: channel, luck: r.Float64()}
	}
	return visits
}

// firstVisit draws when a subject comes for the first time: business grows by half over the time simulated, and
// rises towards Christmas and falls in summer.
func (w *world) firstVisit(r *rand.Rand) time.Time {
	for {
		share := r.Float64()
		t := w.start.Add(time.Duration(share * float64(w.end.Sub(w.start))))
		season := 1 - 0.2*math.Sin(2*math.Pi*float64(t.YearDay()-105)/365)
		if r.Float64()*1.8 < season*(1+share/2) {
			return later(w.moment(t, r), w.start)
		}
	}
}

// moment moves t to an hour, and to a day of the week to come, when people are active.
func (w *world) moment(t time.Time, r *rand.Rand) time.Time {
	t = t.Truncate(day)
	for r.Float64() > w.week[t.Weekday()] {
		t = t.Add(time.Duration(1+r.IntN(7)) * day)
	}
	hour := pick(r, len(w.hours), func(h int) float64 { return w.hours[h] })
	return t.Add(time.Duration(hour)*time.Hour + milliseconds(r, 0, time.Hour))
}

// inTimeOrder yields the messages of n subjects by time; of one time by subject, then as sent.
func inTimeOrder(n uint64, messages func(id uint64) []Message) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		var all []Message
		for id := range n {
			all = append(all, messages(id)...)
		}
		slices.SortStableFunc(all, func(a, b Message) int { return a.Time.Compare(b.Time) })
		for _, m := range all {
			if !yield(m) {
				return
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// at returns list[i], or its last element beyond the end.
func at(list []float64, i int) float64 { return list[min(i, len(list)-1)] }

// pick draws an index below n by weight.
func pick(r *rand.Rand, n int, weight func(int) float64) int {
	total := 0.0
	for i := range n {
		total += weight(i)
	}
	x := r.Float64() * total
	for i := range n - 1 {
		if x -= weight(i); x < 0 {
			return i
		}
	}
	return n - 1
}

// one draws an element.
func one[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// milliseconds draws a duration in [from, to) in whole milliseconds.
func milliseconds(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64((to-from)/time.Millisecond)))*time.Millisecond
}

// heavyTail draws a count of a log-normal distribution, at most 40.
func heavyTail(r *rand.Rand, mu, sigma float64) int {
	return int(min(40, math.Exp(mu+sigma*r.NormFloat64())))
}
