package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/touchline-hq/touchline/attribution"
)

// watched is for how many days a generator's people are watched, from their first touch on: the default lookback.
const watched = 90

// Generator makes up people for a test of the models: they are touched by a shop's channels and decide in one known
// way, and their journeys go straight into paths. There are Additive, Synergy and Harvesting.
//
// A person decides once a day, in the evening, whether to buy, and buys once at most. How probable that is depends on
// what the touches so far have left behind, and the generators differ in how. The evening does not ask whether there
// was a touch today, so that a touch only persuades: it is never the occasion to buy.
//
// What a channel has caused is the number of people who no longer buy when it is switched off. Then its touches do not
// happen. All else is as before, to the last random number: the other touches, at their times, and the luck of each evening.
type Generator struct {
	Name string
	// Decision says in one line how a person decides.
	Decision string

	world  *world
	fading []float64 // what is left of each channel's touches a day later
	// mind returns how a person decides: the probability of buying today by what is left of each channel's touches. Of
	// each touch that is 1 at first and half after each half-life. The more is left, the more probable.
	mind func(id uint64) func(left []float64) float64
	// harvest returns the channel that touches a person in the evening because of what they decide, or nearly decided;
	// -1: none. Each evening takes the same random numbers, whatever has happened. nil: no channel does.
	harvest func(luck *rand.Rand, probability float64, bought bool, off set) int
}

// set is a set of channels, by their indices.
type set uint64

const everyChannel = ^set(0)

func only(channel int) set { return 1 << channel }

func (s set) has(channel int) bool { return s>>channel&1 == 1 }

// life is what becomes of a person.
type life struct {
	touches []visit
	end     time.Time // when the person bought, or was watched no longer
	bought  bool
}

// Generators returns all of them, each with that many people.
func Generators(seed uint64, people int) []*Generator {
	return []*Generator{Additive(seed, people), Synergy(seed, people), Harvesting(seed, people)}
}

// eveningEffect takes the shop's effects, which are meant for visits, to evenings, of which there are more.
const eveningEffect = 0.15

// newGenerator returns a generator without a mind. Its people are touched as often as the shop's and in the same order,
// by these channels.
func newGenerator(name, decision string, seed uint64, people int, channels []channel) *Generator {
	w := shopWorld(Config{Seed: seed, End: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	w.project, w.channels, w.subjects = name, slices.Clone(channels), uint64(max(people, 0))
	g := &Generator{Name: name, Decision: decision, world: w, fading: make([]float64, len(channels))}
	for i := range w.channels {
		w.channels[i].effect *= eveningEffect
		g.fading[i] = math.Exp2(-1 / w.channels[i].halfLife)
	}
	return g
}

// index is that of a channel, by its name.
func (w *world) index(name string) int {
	return slices.IndexFunc(w.channels, func(c channel) bool { return c.name == name })
}

// persuasion is the probability of buying today if each touch adds to it whatever else there was.
func (w *world) persuasion(left []float64) float64 {
	sum := 0.0
	for i, c := range w.channels {
		sum += c.effect * left[i]
	}
	return sum
}

// Run lets everybody live. The same generator with the same seed and people gives the same, bit for bit (on one kind of
// processor, as Config says).
func (g *Generator) Run() (*attribution.Paths, Truth, error) {
	truth := Truth{Channels: make([]ChannelTruth, len(g.world.channels))}
	for i, c := range g.world.channels {
		truth.Channels[i] = ChannelTruth{Channel: c.name, Effect: c.effect, HalfLife: c.halfLife}
	}
	var journeys attribution.Builder
	for id := range g.world.subjects {
		l := g.live(id, 0)
		if err := g.add(&journeys, id, l); err != nil {
			return nil, Truth{}, fmt.Errorf("%s, person %d: %w", g.Name, id, err)
		}
		g.count(&truth, id, l)
	}
	truth.share()
	return journeys.Paths(), truth, nil
}

// add adds a journey.
func (g *Generator) add(b *attribution.Builder, id uint64, l life) error {
	touches, hours := make([]attribution.Channel, len(l.touches)), make([]float64, len(l.touches))
	for i, v := range l.touches {
		touches[i], hours[i] = b.Channel(g.world.channels[v.channel].name), l.end.Sub(v.time).Hours()
	}
	path, err := b.TimedPath(touches, hours)
	if err != nil {
		return err
	}
	if !l.bought {
		return b.Add(path, 0, 0, 1)
	}
	return b.Add(path, 1, g.world.value(id, 1), 0)
}

// count adds a person to the truth. Whom a channel has not reached does as before without it, and who has not bought
// does not buy for having been persuaded less.
func (g *Generator) count(t *Truth, id uint64, l life) {
	var reached set
	for _, v := range l.touches {
		t.Channels[v.channel].Touches++
		reached |= only(v.channel)
	}
	if !l.bought {
		return
	}
	value := g.world.value(id, 1)
	t.Conversions++
	t.Value += value
	if g.live(id, everyChannel).bought {
		t.Anyway++
	}
	for i := range t.Channels {
		if reached.has(i) && !g.live(id, only(i)).bought {
			t.Channels[i].Caused++
			t.Channels[i].CausedValue += value
		}
	}
}

// live returns what becomes of a person while some channels are switched off.
func (g *Generator) live(id uint64, off set) life {
	plan := g.touches(id)
	luck := g.world.stream(id, "evenings", 0)
	decide, left := g.mind(id), make([]float64, len(g.world.channels))
	l := life{end: g.world.start}
	touch := func(v visit) {
		if !off.has(v.channel) {
			left[v.channel]++
			l.touches = append(l.touches, v)
		}
	}
	for range watched {
		l.end = l.end.Add(day)
		for i := range left {
			left[i] *= g.fading[i]
		}
		for ; len(plan) > 0 && plan[0].time.Before(l.end); plan = plan[1:] {
			touch(plan[0])
		}
		probability := decide(left)
		l.bought = luck.Float64() < probability
		if g.harvest != nil {
			if c := g.harvest(luck, probability, l.bought, off); c >= 0 {
				touch(visit{time: l.end, channel: c})
			}
		}
		if l.bought {
			break
		}
	}
	return l
}

// touches draws the touches that find a person, or that a person finds, without being about to buy.
func (g *Generator) touches(id uint64) []visit {
	plan := g.world.plan(id, 0, g.world.start)
	for i := 1; i < len(plan); i++ {
		plan[i].time = later(plan[i].time, plan[i-1].time.Add(visitSpan))
	}
	return plan
}
