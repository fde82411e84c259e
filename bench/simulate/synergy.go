package simulate

// pair are two channels that do more together than each on its own: they add effect times what is left of the weaker
// of the two.
type pair struct {
	a, b   int
	effect float64
}

// soloEffect is the part of its effect that a channel has on its own where channels work together.
const soloEffect = 0.5

// Synergy returns a generator of people of whom some channels need each other: a search advertisement says little to
// those who have never seen the brand, and a banner leads nowhere until they search. Touches add effects as in Additive,
// only smaller ones, and a pair adds more as long as touches of both are at work.
//
// Without one of a pair all is lost that the two did together, and without the other the same again. So what is lost by
// switching off one channel at a time adds up to more than what all channels have caused; the shares say what each is
// worth while the others are there.
func Synergy(seed uint64, people int) *Generator {
	g := newGenerator("synergy", "as additive with smaller effects, and three pairs of channels add more while both are at work",
		seed, people, shopChannels)
	w := g.world
	for i := range w.channels {
		w.channels[i].effect *= soloEffect
	}
	pairs := []pair{
		{w.index("Display"), w.index("Paid Search"), 0.03},
		{w.index("Influencers"), w.index("Organic Search"), 0.03},
		{w.index("Paid Social"), w.index("Email"), 0.03},
	}
	g.mind = func(uint64) func([]float64) float64 {
		return func(left []float64) float64 { return w.persuasion(left) + together(pairs, left) }
	}
	return g
}

// together is what the pairs add.
func together(pairs []pair, left []float64) float64 {
	sum := 0.0
	for _, p := range pairs {
		sum += p.effect * min(left[p.a], left[p.b])
	}
	return sum
}
