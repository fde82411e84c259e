package simulate

// Additive returns a generator of people for whom touches add up: each adds its channel's effect to the probability of
// buying on an evening, whatever other touches there were, and that effect halves with the channel's half-life (an
// additive hazard: Zhang, Wei and Ren, "Multi-touch attribution in online advertising with survival theory", ICDM 2014).
// Nobody buys without having been touched.
func Additive(seed uint64, people int) *Generator {
	g := newGenerator("additive", "each touch adds its channel's effect to the probability of buying, and the effect fades",
		seed, people, shopChannels)
	g.mind = func(uint64) func([]float64) float64 { return g.world.persuasion }
	return g
}
