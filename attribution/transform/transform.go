// Package transform holds the transforms of paths, one file each. Those with a name that Google's Fractribution has, too,
// do as it does: of the path D A B B C D C C they make
//
//	unique     D A B B C D C C
//	exposure   D A B C D C
//	first      D A B C
//	frequency  D(2) A(1) B(2) C(3)
//	recency    A(7) B(5) D(3) C(1)
package transform

import "github.com/touchline-hq/touchline/attribution"

// All returns every transform that has a name to choose it by. Unique, which changes nothing, is the first.
func All() []attribution.Transform {
	return []attribution.Transform{Unique{}, Exposure{}, First{}, Frequency{}, Recency{}}
}

// Apply transforms paths by one transform after the other. It returns what models are to learn from, and what makes a
// model that has one that has learnt from the paths as they were; see attribution.Transformed.
func Apply(p *attribution.Paths, transforms ...attribution.Transform) (*attribution.Paths, func(attribution.Fitted) attribution.Fitted) {
	fold := func(f attribution.Fitted) attribution.Fitted { return f }
	for _, t := range transforms {
		transformed, outer := p.Transform(t), fold
		p, fold = transformed.Paths, func(f attribution.Fitted) attribution.Fitted { return outer(transformed.Fold(f)) }
	}
	return p, fold
}

// few is how many steps are looked through faster than a map.
const few = 32

// distinct collects steps, of which there is one for a channel at most.
type distinct struct {
	steps   []attribution.Step
	touches []attribution.Channel
	index   map[attribution.Channel]int // of each channel's step, once there are more than few
}

// find returns the step of the channel, nil if there is none.
func (d *distinct) find(c attribution.Channel) *attribution.Step {
	if d.index != nil {
		if i, ok := d.index[c]; ok {
			return &d.steps[i]
		}
		return nil
	}
	for i := range d.steps {
		if d.touches[d.steps[i].Touch] == c {
			return &d.steps[i]
		}
	}
	return nil
}

func (d *distinct) add(s attribution.Step) {
	d.steps = append(d.steps, s)
	if d.index != nil {
		d.index[d.touches[s.Touch]] = len(d.steps) - 1
	} else if len(d.steps) > few {
		d.index = make(map[attribution.Channel]int)
		for i, s := range d.steps {
			d.index[d.touches[s.Touch]] = i
		}
	}
}
