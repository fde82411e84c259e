package main

import (
	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/transform"
)

// transformFlags say what models are to see of paths.
type transformFlags struct {
	Direct    string `help:"keep Direct touches; or ignore them, unless a path has nothing else." enum:"keep,ignore" default:"keep"`
	Transform string `help:"What models see of a path: unique (all touches), exposure (without repeats), first (of each channel), frequency or recency (of each channel one, by how many or how recent)." enum:"unique,exposure,first,frequency,recency" default:"unique"`
}

// transforms are those asked for, in the order in which they are applied.
func (f *transformFlags) transforms() []attribution.Transform {
	var all []attribution.Transform
	if f.Direct == (transform.IgnoreDirect{}).Name() {
		all = append(all, transform.IgnoreDirect{})
	}
	for _, t := range transform.All() {
		if t.Name() == f.Transform && t != (transform.Unique{}) { // which would only copy
			all = append(all, t)
		}
	}
	return all
}
