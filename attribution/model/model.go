// Package model holds the models of attribution, one file each. They are pure: paths in, credit out, the same bytes for
// the same paths on any number of cores.
package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/touchline-hq/touchline/attribution"
)

// Settings are those models that can be set. The zero Settings are the defaults.
type Settings struct {
	Position  Position // w_shaped and full_path follow it where a milestone is missing
	TimeDecay TimeDecay
	Markov    Markov
}

// All returns every model, in the order in which reports list them.
func (s Settings) All() []attribution.Model {
	return []attribution.Model{
		First{}, Last{}, LastNonDirect{}, Linear{},
		s.Position, WShaped{s.Position}, FullPath{s.Position}, s.TimeDecay, s.Markov, Shapley{},
	}
}

// All returns every model with its defaults.
func All() []attribution.Model { return Settings{}.All() }

// Plain returns the models, with their defaults, that need to know no more of a touch than its channel.
func Plain() []attribution.Model {
	return slices.DeleteFunc(All(), func(m attribution.Model) bool {
		_, timed := m.(attribution.Timed)
		_, milestoned := m.(attribution.Milestoned)
		return timed || milestoned
	})
}

// Parse returns the models that a list of names like "first,markov" asks for, in its order and with their defaults.
func Parse(list string) ([]attribution.Model, error) { return Settings{}.Parse(list) }

// Parse returns the models that a list of names like "first,markov" asks for, in its order.
func (s Settings) Parse(list string) ([]attribution.Model, error) {
	var models []attribution.Model
	seen := make(map[string]bool)
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		model := s.byName(name)
		if model == nil {
			return nil, fmt.Errorf("unknown model %q; known are %s", name, strings.Join(names(), ", "))
		}
		if seen[name] {
			return nil, fmt.Errorf("model %s is named twice", name)
		}
		seen[name] = true
		models = append(models, model)
	}
	return models, nil
}

func (s Settings) byName(name string) attribution.Model {
	for _, m := range s.All() {
		if m.Name() == name {
			return m
		}
	}
	return nil
}

func names() []string {
	var names []string
	for _, m := range All() {
		names = append(names, m.Name())
	}
	return names
}

// totals is the credit of each channel, for the models to build theirs on.
type totals []attribution.Credit

func (t totals) Totals() []attribution.Credit { return t }

func (t totals) add(c attribution.Channel, conversions, value float64) {
	t[c].Conversions += conversions
	t[c].Value += value
}

// resize returns n zero shares in dst's memory if it is large enough.
func resize(dst []int64, n int) []int64 {
	if cap(dst) < n {
		return make([]int64, n)
	}
	dst = dst[:n]
	clear(dst)
	return dst
}

// settle puts what rounding has left over, a few units more or less, on the largest share; among equals the last.
func settle(shares []int64) []int64 {
	rest, largest := int64(attribution.ShareUnit), 0
	for i, share := range shares {
		rest -= share
		if share >= shares[largest] {
			largest = i
		}
	}
	shares[largest] += rest
	return shares
}
