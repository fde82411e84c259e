package simulate

// Truth is what really caused the conversions of a simulated company.
type Truth struct {
	Conversions int     // orders, each once
	Value       float64 // of these orders, before refunds, in the project's currency
	Anyway      int     // of these orders, those that happen even when no channel does anything; 0 but for Harvesting
	Channels    []ChannelTruth
}

// ChannelTruth is one channel's part of the truth. Effect and HalfLife are what the simulation was given; Caused and
// Share are what came of it.
type ChannelTruth struct {
	Channel     string
	Effect      float64 // added by a touch to the probability of the next step, at the touch
	HalfLife    float64 // days after which half of Effect is left
	Touches     int
	Caused      int     // conversions that do not happen when the channel's touches persuade nobody
	CausedValue float64 // likewise
	Share       float64 // Caused as a share of the sum over all channels; 0 when nothing was caused
}

// ShopTruth is the truth behind Shop.
func ShopTruth(cfg Config) Truth { return shopWorld(cfg).truth() }

// B2BTruth is the truth behind B2B.
func B2BTruth(cfg Config) Truth { return b2bWorld(cfg).truth() }

func (w *world) truth() Truth {
	var t Truth
	touches := make([]int, len(w.channels))
	t.Conversions, t.Value = w.orders(-1, func(v visit) { touches[v.channel]++ })
	for i, c := range w.channels {
		orders, value := w.orders(i, func(visit) {})
		t.Channels = append(t.Channels, ChannelTruth{
			Channel: c.name, Effect: c.effect, HalfLife: c.halfLife, Touches: touches[i],
			Caused: t.Conversions - orders, CausedValue: t.Value - value,
		})
	}
	t.share()
	return t
}

// share works out the shares of the channels.
func (t *Truth) share() {
	total := 0
	for _, c := range t.Channels {
		total += c.Caused
	}
	for i := range t.Channels {
		t.Channels[i].Share = float64(t.Channels[i].Caused) / float64(max(1, total))
	}
}

// orders counts the orders of everybody and their value while the channel with index off persuades nobody.
func (w *world) orders(off int, each func(visit)) (count int, value float64) {
	for id := range w.subjects {
		for _, v := range w.live(id, off) {
			each(v)
			if v.step >= w.firstOrder {
				count++
				value += w.value(id, v.step)
			}
		}
	}
	return count, value
}
