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
		"first,lats": `unknown model "lats"; known are first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, markov, shapley`,
		"":           `unknown model ""; known are first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, markov, shapley`,
		"First":      `unknown model "First"; known are first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, markov, shapley`,
		"last, last": "model last is named twice",
	} {
		if got, err := Parse(list); err == nil || err.Error() != want || got != nil {
			t.Errorf("Parse(%q) = %v, %v, want the error %s", list, got, err, want)
		}
	}
}

func TestSettings(t *testing.T) {
	s := Settings{Position{0.5, 0.25}, TimeDecay{24}, Markov{Order: 3, MaxSteps: AutoSteps}}
	got, err := s.Parse("markov,position,w_shaped,full_path,time_decay")
	want := []attribution.Model{
		Markov{Order: 3, MaxSteps: AutoSteps}, Position{0.5, 0.25}, WShaped{Position{0.5, 0.25}}, FullPath{Position{0.5, 0.25}}, TimeDecay{24},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestPlain(t *testing.T) {
	want := []attribution.Model{First{}, Last{}, LastNonDirect{}, Linear{}, Position{}, Markov{}, Shapley{}}
	if got := Plain(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNames(t *testing.T) {
	for _, m := range All() {
		if got, err := Parse(m.Name()); err != nil || !reflect.DeepEqual(got, []attribution.Model{m}) {
			t.Errorf("Parse(%q) = %v, %v", m.Name(), got, err)
		}
	}
}
