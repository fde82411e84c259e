package model

import (
	"slices"
	"testing"

	"github.com/touchline-hq/touchline/attribution"
)

func TestLastNonDirect(t *testing.T) {
	const text = "Email > Direct > Direct,1,10,0\nDirect > Direct,1,1,0\nEmail > Display,1,100,0\ndirect > Direct,1,1000,0"
	p := build(t, parse(t, text)) // Direct, Display, Email, direct: a name is what it is to the letter
	f := fit(t, LastNonDirect{}, p)
	if got, want := f.Totals(), credits(1, 1, 1, 100, 1, 10, 1, 1000); !slices.Equal(got, want) {
		t.Errorf("%v of %v, want %v", got, p.Channels, want)
	}
	for i, want := range map[int]int{0: 1, 1: 0, 2: 1} {
		touches := [][]attribution.Channel{{0, 0}, {2, 0, 0}, {2, 1}}[i]
		if got := f.Shares(nil, attribution.Sequence{Channels: touches}); got[want] != attribution.ShareUnit {
			t.Errorf("%v: %v, want all at %d", touches, got, want)
		}
	}
}
