// Package explain says in words why a model gives each touch of a conversion the credit that it gives.
package explain

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/attribution"
)

// Conversion is a journey that led to a conversion, and what there is to know beside it.
type Conversion struct {
	Converted time.Time
	Touches   []attribution.Touch // in order of time, at least one
	HalfLife  time.Duration       // of time_decay

	// Places of the last touch up to the milestone, from 1; 0: the journey has no such milestone.
	Lead, Opportunity int

	// Effects are the removal effects of the channels in markov's chain.
	Effects map[string]float64
}

// reasons are the models' rules in words. Shares are those of a model, for each touch.
var reasons = map[string]func(c *Conversion, shares []int64) []string{
	"first":           first,
	"last":            last,
	"last_non_direct": lastNonDirect,
	"linear":          linear,
	"position":        position,
	"w_shaped":        wShaped,
	"full_path":       fullPath,
	"time_decay":      timeDecay,
	"markov":          markov,
	"shapley":         shapley,
}

// Why says for each touch why the model gives it its share. Of a model that nobody has put into words it says nothing.
func (c *Conversion) Why(model string, shares []int64) []string {
	reason := reasons[model]
	if reason == nil || len(shares) != len(c.Touches) {
		return make([]string, len(c.Touches))
	}
	return reason(c, shares)
}

// each makes a reason of every touch, by its index.
func (c *Conversion) each(reason func(i int) string) []string {
	words := make([]string, len(c.Touches))
	for i := range words {
		words[i] = reason(i)
	}
	return words
}

func first(c *Conversion, _ []int64) []string {
	return c.each(func(i int) string {
		if i == 0 {
			return "the first touch"
		}
		return "not the first touch"
	})
}

func last(c *Conversion, _ []int64) []string {
	return c.each(func(i int) string {
		if i == len(c.Touches)-1 {
			return "the last touch"
		}
		return "not the last touch"
	})
}

func lastNonDirect(c *Conversion, _ []int64) []string {
	closing := -1
	for i, t := range c.Touches {
		if t.Channel != attribution.Direct {
			closing = i
		}
	}
	if closing < 0 {
		return c.each(func(i int) string {
			if i == len(c.Touches)-1 {
				return "the last touch; the channel of all is Direct"
			}
			return "not the last touch; the channel of all is Direct"
		})
	}
	return c.each(func(i int) string {
		switch {
		case i == closing:
			return "the last touch whose channel is not Direct"
		case i > closing:
			return "its channel is Direct"
		default:
			return "not the last touch whose channel is not Direct"
		}
	})
}

func linear(c *Conversion, _ []int64) []string {
	return c.each(func(int) string {
		if len(c.Touches) == 1 {
			return "the only touch"
		}
		return fmt.Sprintf("one of %d touches", len(c.Touches))
	})
}

func position(c *Conversion, shares []int64) []string {
	n := len(c.Touches)
	return c.each(func(i int) string {
		switch {
		case n == 1:
			return "the only touch"
		case i == 0:
			return "first: " + percent(shares[i])
		case i == n-1:
			return "last: " + percent(shares[i])
		case n == 3:
			return "between first and last: " + percent(shares[i])
		default:
			return fmt.Sprintf("one of %d between first and last, which share %s", n-2,
				percent(attribution.ShareUnit-shares[0]-shares[n-1]))
		}
	})
}

func wShaped(c *Conversion, shares []int64) []string { return c.milestones(shares, 0) }

func fullPath(c *Conversion, shares []int64) []string { return c.milestones(shares, len(c.Touches)) }

// milestones names what a touch is that gets more than the rest. closing is the place of the closing touch, 0 where that
// means nothing.
func (c *Conversion) milestones(shares []int64, closing int) []string {
	if c.Lead == 0 || c.Opportunity == 0 {
		words := position(c, shares)
		for i := range words {
			words[i] += "; without both milestones the rule is that of position"
		}
		return words
	}
	roles := make([][]string, len(c.Touches))
	for _, role := range []struct {
		name  string
		place int
	}{{"first", 1}, {"last up to the lead milestone", c.Lead}, {"last up to the opportunity milestone", c.Opportunity}, {"last", closing}} {
		if role.place > 0 && role.place <= len(roles) {
			roles[role.place-1] = append(roles[role.place-1], role.name)
		}
	}
	rest := 0
	for _, r := range roles {
		if len(r) == 0 {
			rest++
		}
	}
	return c.each(func(i int) string {
		if len(roles[i]) == 0 {
			return fmt.Sprintf("one of %d others", rest)
		}
		return strings.Join(roles[i], ", ") + ": " + percent(shares[i])
	})
}

func timeDecay(c *Conversion, _ []int64) []string {
	weight := func(i int) float64 { return math.Exp2(-float64(c.age(i)) / float64(c.HalfLife)) }
	sum := 0.0
	for i := range c.Touches {
		sum += weight(i)
	}
	return c.each(func(i int) string {
		return fmt.Sprintf("0.5^(%s ÷ %s) = %.3g of %.3g", Span(c.age(i)), Span(c.HalfLife), weight(i), sum)
	})
}

// age is how long before the conversion a touch was.
func (c *Conversion) age(i int) time.Duration { return c.Converted.Sub(c.Touches[i].Time) }

// markov's shares of one conversion are in proportion to the removal effects of the touches' channels.
func markov(c *Conversion, _ []int64) []string {
	sum := 0.0
	for _, t := range c.Touches {
		sum += c.Effects[t.Channel]
	}
	return c.each(func(i int) string {
		channel := c.Touches[i].Channel
		if sum == 0 {
			return "no channel of the journey has a removal effect: all touches alike"
		}
		return fmt.Sprintf("removal effect of %s: %.3g of the touches' %.3g", channel, c.Effects[channel], sum)
	})
}

func shapley(c *Conversion, _ []int64) []string {
	touched := map[string]int{}
	for _, t := range c.Touches {
		touched[t.Channel]++
	}
	return c.each(func(i int) string {
		channel := c.Touches[i].Channel
		words := "the only channel"
		if len(touched) > 1 {
			words = fmt.Sprintf("one of %d channels", len(touched))
		}
		if touched[channel] > 1 {
			words += fmt.Sprintf(", and one of %d touches of %s", touched[channel], channel)
		}
		return words
	})
}

// percent of a share, to two decimals at most.
func percent(share int64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", float64(share)/attribution.ShareUnit*100), "0"), ".") + " %"
}

// Span is a time in days, to a tenth; in hours or minutes where that says more.
func Span(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%.3g min", d.Minutes())
	case d < 24*time.Hour:
		return fmt.Sprintf("%.3g h", d.Hours())
	default:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Hours()/24), ".0") + " d"
	}
}

// Unattributed says why no touch led to a conversion. nearest is the last touch of whose journey it is up to the conversion,
// nil if there is none.
func Unattributed(c attribution.PublishedConversion, lookback time.Duration, nearest *attribution.Touch) string {
	if nearest == nil {
		switch {
		case c.Account != "":
			return "no touch of this account is known up to the conversion"
		case c.Person == "":
			return "the event names neither user nor device, so nobody's touches can have led to it"
		default:
			return "no touch of this person is known up to the conversion"
		}
	}
	age := c.Time.Sub(nearest.Time)
	if age < lookback {
		return fmt.Sprintf("no touch since the conversion before; the nearest touch, %s, %s before, is older than that", nearest.Channel, Span(age))
	}
	return fmt.Sprintf("no touch in the %s before; the nearest, %s, was %s before", Span(lookback), nearest.Channel, Span(age))
}
