package simulate

import (
	"math/rand/v2"
	"slices"
)

// How the harvesters meet people.
const (
	needPart         = 0.05 // of the people, who have a need
	needEffect       = 0.03 // added by a need to the probability of buying on an evening
	brandSearchPart  = 0.6  // of the buyers, who search for the brand in order to buy
	retargetingTimes = 5    // as probable as buying is a retargeting touch
)

var harvesters = []channel{
	{name: "Brand Search", effect: 0, halfLife: 1, weights: []float64{0, 4}},
	{name: "Retargeting", effect: 0.001, halfLife: 3, weights: []float64{0}},
}

// Harvesting returns a generator of people of whom some have a need, and buy sooner or later whatever they see. The
// shop's channels persuade all of them as in Additive. Two more are there when people buy, and for hardly another
// reason. Retargeting reaches people the more often, the closer they are to buying, and persuades next to nobody. Brand
// Search persuades nobody at all: most of those who have decided to buy search for the shop's name, click on the
// advertisement above all results and buy. The others come straight to the shop, which is a Direct touch.
//
// To switch off Brand Search removes its touches; who would have clicked there comes to the shop directly, and
// buys. To switch off Retargeting removes its touches and what little they do. To switch off one of the other channels
// removes its touches, and the retargeting that comes of them, but no need.
func Harvesting(seed uint64, people int) *Generator {
	g := newGenerator("harvesting", "as additive, and some buy anyway; who is about to buy is retargeted and searches for the brand",
		seed, people, slices.Concat(harvesters, shopChannels))
	w := g.world
	g.mind = func(id uint64) func([]float64) float64 {
		if w.stream(id, "need", 0).Float64() >= needPart {
			return w.persuasion
		}
		return func(left []float64) float64 { return needEffect + w.persuasion(left) }
	}
	g.harvest = harvestBy(w.index("Brand Search"), w.index("Retargeting"), w.index("Direct"))
	return g
}

// harvestBy returns how these channels touch people because of what they decide.
func harvestBy(brand, retargeting, direct int) func(*rand.Rand, float64, bool, set) int {
	return func(luck *rand.Rand, probability float64, bought bool, off set) int {
		searches, retargeted := luck.Float64() < brandSearchPart, luck.Float64() < retargetingTimes*probability
		switch {
		case bought && searches && !off.has(brand):
			return brand
		case bought:
			return direct
		case retargeted:
			return retargeting
		default:
			return -1
		}
	}
}
