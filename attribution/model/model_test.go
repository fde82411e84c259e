package model

import (
	"reflect"
	"testing"

	"github.com/touchline-hq/touchline/attribution"
)

func TestParse(t *testing.T) {
	got, err := Parse("markov, first,shapley")
	if want := []attribution.Model{Markov{}, First{}, Shapley{}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for list, want := range map[string]string{
		"first,lats": `unknown model "lats"; known are first, last, last_non_direct, linear, position, time_decay, markov, shapley`,
		"":           `unknown model ""; known are first, last, last_non_direct, linear, position, time_decay, markov, shapley`,
		"First":      `unknown model "First"; known are first, last, last_non_direct, linear, position, time_decay, markov, shapley`,
		"last, last": "model last is named twice",
	} {
		if got, err := Parse(list); err == nil || err.Error() != want || got != nil {
			t.Errorf("Parse(%q) = %v, %v, want the error %s", list, got, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, m := range All() {
		if got, err := Parse(m.Name()); err != nil || !reflect.DeepEqual(got, []attribution.Model{m}) {
			t.Errorf("Parse(%q) = %v, %v", m.Name(), got, err)
		}
	}
}
