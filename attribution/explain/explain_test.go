package explain

import (
	"slices"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
)

var converted = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// journey is touches of these channels, so long before the conversion.
func journey(channels []string, before ...time.Duration) *Conversion {
	c := &Conversion{Converted: converted, HalfLife: 7 * 24 * time.Hour}
	for i, channel := range channels {
		c.Touches = append(c.Touches, attribution.Touch{Channel: channel, Time: converted.Add(-before[i])})
	}
	return c
}

func TestWhy(t *testing.T) {
	const day = 24 * time.Hour
	shares := func(percents ...int64) []int64 {
		for i := range percents {
			percents[i] *= attribution.ShareUnit / 100
		}
		return percents
	}
	one := journey([]string{"Email"}, time.Minute)
	direct := journey([]string{"Direct", "Direct"}, day, 0)
	four := journey([]string{"Email", "Paid Search", "Email", "Direct"}, 14*day, 7*day, 90*time.Minute, 0)
	four.Effects = map[string]float64{"Email": 0.5, "Paid Search": 0.25}
	none := *four
	none.Effects = map[string]float64{}
	staged := *four
	staged.Lead, staged.Opportunity = 1, 3
	together := *four
	together.Lead, together.Opportunity = 4, 4
	for _, tt := range []struct {
		model  string
		c      *Conversion
		shares []int64
		want   []string
	}{
		{"first", four, shares(100, 0, 0, 0), []string{"the first touch", "not the first touch", "not the first touch", "not the first touch"}},
		{"last", four, shares(0, 0, 0, 100), []string{"not the last touch", "not the last touch", "not the last touch", "the last touch"}},
		{"last_non_direct", four, shares(0, 0, 100, 0), []string{
			"not the last touch whose channel is not Direct", "not the last touch whose channel is not Direct",
			"the last touch whose channel is not Direct", "its channel is Direct",
		}},
		{"last_non_direct", direct, shares(0, 100), []string{
			"not the last touch; the channel of all is Direct", "the last touch; the channel of all is Direct",
		}},
		{"linear", four, shares(25, 25, 25, 25), []string{"one of 4 touches", "one of 4 touches", "one of 4 touches", "one of 4 touches"}},
		{"linear", one, shares(100), []string{"the only touch"}},
		{"position", four, shares(40, 10, 10, 40), []string{
			"first: 40 %", "one of 2 between first and last, which share 20 %", "one of 2 between first and last, which share 20 %", "last: 40 %",
		}},
		{"position", direct, []int64{attribution.ShareUnit / 8 * 3, attribution.ShareUnit / 8 * 5}, []string{"first: 37.5 %", "last: 62.5 %"}},
		{"position", journey([]string{"Email", "Direct", "Email"}, day, day, day), shares(50, 20, 30), []string{
			"first: 50 %", "between first and last: 20 %", "last: 30 %",
		}},
		{"position", one, shares(100), []string{"the only touch"}},
		{"w_shaped", &staged, shares(60, 5, 30, 5), []string{
			"first, last up to the lead milestone: 60 %", "one of 2 others", "last up to the opportunity milestone: 30 %", "one of 2 others",
		}},
		{"full_path", &together, shares(23, 5, 5, 67), []string{
			"first: 23 %", "one of 2 others", "one of 2 others",
			"last up to the lead milestone, last up to the opportunity milestone, last: 67 %",
		}},
		{"w_shaped", direct, shares(50, 50), []string{
			"first: 50 %; without both milestones the rule is that of position", "last: 50 %; without both milestones the rule is that of position",
		}},
		// 0.25 + 0.5 + 0.5^(0.0625 ÷ 7) + 1 = 2.7438…
		{"time_decay", four, shares(9, 18, 36, 37), []string{
			"0.5^(14 d ÷ 7 d) = 0.25 of 2.74", "0.5^(7 d ÷ 7 d) = 0.5 of 2.74", "0.5^(1.5 h ÷ 7 d) = 0.994 of 2.74", "0.5^(0 min ÷ 7 d) = 1 of 2.74",
		}},
		{"markov", four, shares(40, 20, 40, 0), []string{
			"removal effect of Email: 0.5 of the touches' 1.25", "removal effect of Paid Search: 0.25 of the touches' 1.25",
			"removal effect of Email: 0.5 of the touches' 1.25", "removal effect of Direct: 0 of the touches' 1.25",
		}},
		{"markov", &none, shares(25, 25, 25, 25), slices.Repeat([]string{"no channel of the journey has a removal effect: all touches alike"}, 4)},
		{"shapley", four, shares(17, 33, 17, 33), []string{
			"one of 3 channels, and one of 2 touches of Email", "one of 3 channels",
			"one of 3 channels, and one of 2 touches of Email", "one of 3 channels",
		}},
		{"shapley", direct, shares(50, 50), []string{"the only channel, and one of 2 touches of Direct", "the only channel, and one of 2 touches of Direct"}},
		{"mine", four, shares(100, 0, 0, 0), make([]string, 4)},
		{"first", four, shares(100), make([]string, 4)}, // shares of another journey
	} {
		if got := tt.c.Why(tt.model, tt.shares); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%q, want\n%q", tt.model, got, tt.want)
		}
	}
}

func TestEveryModelHasWords(t *testing.T) {
	for _, m := range model.All() {
		if reasons[m.Name()] == nil {
			t.Errorf("nothing says why %s gives what it gives", m.Name())
		}
	}
}

func TestUnattributed(t *testing.T) {
	known := attribution.PublishedConversion{Person: "ann", Time: converted}
	const day = 24 * time.Hour
	touch := func(before time.Duration) *attribution.Touch {
		return &attribution.Touch{Channel: "Email", Time: converted.Add(-before)}
	}
	for _, tt := range []struct {
		c       attribution.PublishedConversion
		nearest *attribution.Touch
		want    string
	}{
		{attribution.PublishedConversion{Time: converted}, nil, "the event names neither user nor device, so nobody's touches can have led to it"},
		{attribution.PublishedConversion{Account: "acme", Time: converted}, nil, "no touch of this account is known up to the conversion"},
		{attribution.PublishedConversion{Account: "acme", Time: converted}, touch(91 * day), "no touch in the 90 d before; the nearest, Email, was 91 d before"},
		{known, nil, "no touch of this person is known up to the conversion"},
		{known, touch(90*day - time.Millisecond), "no touch since the conversion before; the nearest touch, Email, 90 d before, is older than that"},
		{known, touch(90 * day), "no touch in the 90 d before; the nearest, Email, was 90 d before"},
		{known, touch(2 * time.Hour), "no touch since the conversion before; the nearest touch, Email, 2 h before, is older than that"},
	} {
		if got := Unattributed(tt.c, 90*day, tt.nearest); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
