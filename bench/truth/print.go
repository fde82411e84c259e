package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/touchline-hq/touchline/bench/run"
)

// print writes the models, the closest to the truth first, each with the channels that it is most wrong about.
func (r result) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s\n", r.generator, r.decision)
	fmt.Fprintf(w, "%s conversions; %s %% of them happen without any channel; switched off one at a time, channels lose %s %%\n\n",
		run.Number(float64(r.conversions)), r.percent(r.anyway), r.percent(r.lost))
	rows := [][]string{{"model", "distance", "least", "most", "too much to", "%", "true %", "too little to", "%", "true %"}}
	for _, s := range r.scores {
		over, under := r.extremes(s)
		rows = append(rows, slices.Concat([]string{
			s.model, fixed(s.distance(), 3), fixed(slices.Min(s.distances), 3), fixed(slices.Max(s.distances), 3),
		}, r.cells(s, over), r.cells(s, under)))
	}
	if err := run.Table(w, rows...); err != nil {
		return err
	}
	last := slices.IndexFunc(r.scores, func(s score) bool { return s.model == "last" })
	fmt.Fprintf(w, "closest: %s; farther from the truth than last: %s\n\n", r.scores[0].model, list(r.scores[last+1:]))
	return nil
}

// extremes returns the channels to which a model gives most too much and most too little.
func (r result) extremes(s score) (over, under int) {
	for c := range r.channels {
		if s.shares[c]-r.truth[c] > s.shares[over]-r.truth[over] {
			over = c
		}
		if s.shares[c]-r.truth[c] < s.shares[under]-r.truth[under] {
			under = c
		}
	}
	return over, under
}

// cells are a channel, what a model gives to it and what is true.
func (r result) cells(s score, channel int) []string {
	return []string{r.channels[channel], fixed(100*s.shares[channel], 1), fixed(100*r.truth[channel], 1)}
}

// percent is n as a part of the conversions.
func (r result) percent(n int) string { return fixed(100*float64(n)/float64(r.conversions), 0) }

func fixed(x float64, digits int) string { return strconv.FormatFloat(x, 'f', digits, 64) }

// list names the models.
func list(scores []score) string {
	if len(scores) == 0 {
		return "none"
	}
	var names []string
	for _, s := range scores {
		names = append(names, s.model)
	}
	return strings.Join(names, ", ")
}
