package simulate

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/touchline-hq/touchline/attribution"
)

const fewPeople = 1500

func mustRun(t *testing.T, g *Generator) (*attribution.Paths, Truth) {
	t.Helper()
	paths, truth, err := g.Run()
	if err != nil {
		t.Fatal(err)
	}
	return paths, truth
}

// bought counts the people who buy while some channels are switched off.
func (g *Generator) bought(off set) int {
	n := 0
	for id := range g.world.subjects {
		if g.live(id, off).bought {
			n++
		}
	}
	return n
}

// set is a set of the channels with these names.
func (g *Generator) set(names ...string) set {
	var s set
	for _, name := range names {
		s |= only(g.world.index(name))
	}
	return s
}

func TestSameSeedSamePeople(t *testing.T) {
	for i, g := range Generators(3, fewPeople) {
		paths, truth := mustRun(t, g)
		samePaths, sameTruth := mustRun(t, Generators(3, fewPeople)[i])
		if !reflect.DeepEqual(paths, samePaths) || !reflect.DeepEqual(truth, sameTruth) {
			t.Errorf("%s: the same seed gives other people", g.Name)
		}
		otherPaths, otherTruth := mustRun(t, Generators(4, fewPeople)[i])
		if reflect.DeepEqual(paths, otherPaths) || reflect.DeepEqual(truth, otherTruth) {
			t.Errorf("%s: another seed gives the same people", g.Name)
		}
	}
}

// The journeys are those of all people, and say of whom the truth speaks.
func TestJourneysAgreeWithTruth(t *testing.T) {
	for _, g := range Generators(5, fewPeople) {
		paths, truth := mustRun(t, g)
		touches := map[string]int{}
		for _, row := range paths.Rows {
			for i, c := range row.Touches {
				touches[paths.Channels[c]] += int(row.Conversions + row.Nulls)
				if row.Hours[i] < 0 || row.Hours[i] > watched*24 {
					t.Errorf("%s: a touch %f hours before the end", g.Name, row.Hours[i])
				}
			}
		}
		for _, c := range truth.Channels {
			if c.Touches == 0 || c.Touches != touches[c.Channel] {
				t.Errorf("%s: %d touches of %s in the journeys, %d in truth", g.Name, touches[c.Channel], c.Channel, c.Touches)
			}
		}
		if paths.Conversions != float64(truth.Conversions) || paths.Conversions+paths.Nulls != fewPeople {
			t.Errorf("%s: %f conversions and %f nulls of %d conversions in truth", g.Name, paths.Conversions, paths.Nulls, truth.Conversions)
		}
		if math.Abs(paths.Value-truth.Value) > 1e-6*truth.Value || truth.Value <= 0 {
			t.Errorf("%s: journeys are worth %f, in truth %f", g.Name, paths.Value, truth.Value)
		}
	}
}

// Count leaves out lives that cannot be others. Everybody living again without each channel must come to the same.
func TestTruthIsWhatIsLost(t *testing.T) {
	for _, g := range Generators(6, fewPeople) {
		_, truth := mustRun(t, g)
		all, shares := g.bought(0), 0.0
		if truth.Conversions != all || truth.Anyway != g.bought(everyChannel) {
			t.Errorf("%s: %d of %d conversions happen anyway, counted again %d of %d", g.Name, truth.Anyway, truth.Conversions, g.bought(everyChannel), all)
		}
		for i, c := range truth.Channels {
			if lost := all - g.bought(only(i)); c.Caused != lost {
				t.Errorf("%s: %s has caused %d, without it %d are lost", g.Name, c.Channel, c.Caused, lost)
			}
			shares += c.Share
		}
		if math.Abs(shares-1) > 1e-12 {
			t.Errorf("%s: shares sum to %f", g.Name, shares)
		}
	}
}

// Without a channel nothing is gained, and who is not touched by it lives the same life.
func TestSwitchingOffOnlyRemoves(t *testing.T) {
	for _, g := range Generators(7, 500) {
		for id := range g.world.subjects {
			with := g.live(id, 0)
			for c := range g.world.channels {
				without := g.live(id, only(c))
				is := func(v visit) bool { return v.channel == c }
				if without.bought && !with.bought || without.end.Before(with.end) || slices.ContainsFunc(without.touches, is) {
					t.Fatalf("%s: person %d without channel %d: %+v, with it %+v", g.Name, id, c, without, with)
				}
				if !slices.ContainsFunc(with.touches, is) && !reflect.DeepEqual(with, without) {
					t.Fatalf("%s: channel %d changes person %d, whom it does not touch", g.Name, c, id)
				}
			}
		}
	}
}

// Touches of other channels come as before, for as long as the shorter of the two lives.
func TestOtherTouchesStay(t *testing.T) {
	g := Additive(8, 500)
	off := g.set("Organic Search")
	for id := range g.world.subjects {
		with, without := g.live(id, 0), g.live(id, off)
		want := slices.DeleteFunc(slices.Clone(with.touches), func(v visit) bool { return off.has(v.channel) })
		if len(without.touches) < len(want) || !slices.Equal(without.touches[:len(want)], want) {
			t.Fatalf("person %d: %+v, want %+v first", id, without.touches, want)
		}
	}
}

// Additive by the book: the sum over all touches so far, each halved by its half-life.
func TestAdditiveDecision(t *testing.T) {
	g := Additive(9, fewPeople)
	buyers := 0
	for id := range g.world.subjects {
		l, luck := g.live(id, 0), g.world.stream(id, "evenings", 0)
		evening := g.world.start
		for bought := false; !bought && evening.Before(l.end); {
			evening = evening.Add(day)
			hazard := 0.0
			for _, v := range l.touches {
				if c := g.world.channels[v.channel]; v.time.Before(evening) {
					hazard += c.effect * math.Exp2((1-math.Ceil(evening.Sub(v.time).Hours()/24))/c.halfLife) // by whole days: none on the first evening
				}
			}
			bought = luck.Float64() < hazard
			if bought != (l.bought && evening.Equal(l.end)) {
				t.Fatalf("person %d on %v: decides %v, want %v", id, evening, !bought, bought)
			}
		}
		if l.bought {
			buyers++
		}
	}
	if buyers < fewPeople/50 {
		t.Errorf("%d of %d buy, too few to tell", buyers, fewPeople)
	}
}

func TestChannelWithoutEffectLosesNothing(t *testing.T) {
	g := Additive(10, 2*fewPeople)
	idle := g.world.index("Paid Search")
	g.world.channels[idle].effect = 0
	_, truth := mustRun(t, g)
	for i, c := range truth.Channels {
		if c.Touches < 100 || i == idle && (c.Caused != 0 || c.CausedValue != 0) || c.Effect > 0.001 && c.Caused == 0 {
			t.Errorf("%+v", c)
		}
	}
	if truth.Anyway != 0 {
		t.Errorf("%d buy without having been touched", truth.Anyway)
	}
}

// Both of a pair gain more than each alone; therefore each loses what both have gained together.
func TestPairsDoMoreTogether(t *testing.T) {
	g := Synergy(11, 4*fewPeople)
	all := g.bought(0)
	for _, p := range [][2]string{{"Display", "Paid Search"}, {"Influencers", "Organic Search"}, {"Paid Social", "Email"}} {
		neither := g.bought(g.set(p[0], p[1]))
		first, second := g.bought(g.set(p[1])), g.bought(g.set(p[0])) // of the two alone
		if gain, sum := all-neither, first-neither+second-neither; 2*gain < 3*sum {
			t.Errorf("%v: together %d, alone %d in sum", p, gain, sum)
		}
		if lost := all - first + all - second; 4*lost < 5*(all-neither) {
			t.Errorf("%v: one at a time %d are lost, of %d in all", p, lost, all-neither)
		}
	}
}

func TestPairsWorkAsMuchAsTheWeaker(t *testing.T) {
	pairs := []pair{{0, 1, 0.5}, {1, 2, 0.25}}
	for _, tt := range []struct {
		left []float64
		want float64
	}{
		{[]float64{0.25, 0, 0.5}, 0},
		{[]float64{0.25, 1, 0}, 0.125},
		{[]float64{2, 1, 0.5}, 0.625},
	} {
		if got := together(pairs, tt.left); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.left, got, tt.want)
		}
	}
}

func TestHarvestersCauseNothing(t *testing.T) {
	g := Harvesting(12, 4*fewPeople)
	paths, truth := mustRun(t, g)
	brand, retargeting := truth.Channels[g.world.index("Brand Search")], truth.Channels[g.world.index("Retargeting")]
	if brand.Caused != 0 || retargeting.Share > 0.01 {
		t.Errorf("%+v, %+v", brand, retargeting)
	}
	closes, follows := 0.0, 0.0 // conversions by brand search, and with retargeting before
	for _, row := range paths.Rows {
		names := make([]string, len(row.Touches))
		for i, c := range row.Touches {
			names[i] = paths.Channels[c]
		}
		if names[len(names)-1] == "Brand Search" {
			closes += row.Conversions
		}
		if slices.Contains(names, "Retargeting") {
			follows += row.Conversions
		}
	}
	within(t, "part closed by brand search", closes/paths.Conversions, 0.55, 0.65)
	within(t, "part retargeted", follows/paths.Conversions, 0.4, 0.6)
	within(t, "part that happens anyway", float64(truth.Anyway)/float64(truth.Conversions), 0.4, 0.6)
}

// Without brand search the same people buy on the same evenings, and come directly.
func TestBrandSearchIsReplacedByDirect(t *testing.T) {
	g := Harvesting(13, fewPeople)
	brand, direct := g.world.index("Brand Search"), g.world.index("Direct")
	searched := 0
	for id := range g.world.subjects {
		with, without := g.live(id, 0), g.live(id, only(brand))
		want := slices.Clone(with.touches)
		if last := &want[len(want)-1]; with.bought && last.channel == brand {
			last.channel = direct
			searched++
		}
		want = slices.DeleteFunc(want, func(v visit) bool { return v.channel == brand })
		if with.bought != without.bought || !with.end.Equal(without.end) || !slices.Equal(without.touches, want) {
			t.Fatalf("person %d: %+v, want %+v", id, without, want)
		}
	}
	if searched < 50 {
		t.Errorf("%d searched for the brand, too few to tell", searched)
	}
}

func TestNobody(t *testing.T) {
	for _, g := range Generators(1, 0) {
		paths, truth := mustRun(t, g)
		if len(paths.Rows) != 0 || truth.Conversions != 0 || truth.Channels[0].Share != 0 {
			t.Errorf("%s: %+v", g.Name, truth)
		}
	}
}
