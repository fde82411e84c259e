package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/touchline-hq/touchline/attribution/model"
)

// modelFlags set the models that have settings.
type modelFlags struct {
	chainFlags
	Position string `help:"Per cent that position gives to the first touch, to those between, and to the last." default:"40/20/40"`
	HalfLife string `help:"Age at which a touch gets half the credit under time_decay." default:"7d"`
}

// chainFlags set markov's chain.
type chainFlags struct {
	Order    string `help:"Channels that a state of markov's chain holds, 1 to 4; or auto for as many as predict held-out journeys best." default:"1"`
	MaxSteps string `help:"Steps after which markov's walks stop: 0 for never, auto for those of the longest path, or a number." default:"0"`
}

func (f *chainFlags) markov() (m model.Markov, err error) {
	if m.Order, err = parseOrder(f.Order); err != nil {
		return m, err
	}
	m.MaxSteps, err = parseSteps(f.MaxSteps)
	return m, err
}

func (f *modelFlags) settings() (model.Settings, error) {
	var s model.Settings
	var err error
	if s.Markov, err = f.markov(); err != nil {
		return s, err
	}
	if s.Position, err = parsePosition(f.Position); err != nil {
		return s, err
	}
	halfLife, err := parseDuration(f.HalfLife)
	if err != nil {
		return s, fmt.Errorf("--half-life %w", err)
	}
	s.TimeDecay.HalfLife = halfLife.Hours()
	return s, nil
}

func parseOrder(s string) (int, error) {
	if s == "auto" {
		return model.AutoOrder, nil
	}
	order, err := strconv.Atoi(s)
	if err != nil || order < 1 || order > model.MaxOrder {
		return 0, fmt.Errorf("--order is %q; it must be from 1 to %d, or auto", s, model.MaxOrder)
	}
	return order, nil
}

func parseSteps(s string) (int, error) {
	if s == "auto" {
		return model.AutoSteps, nil
	}
	steps, err := strconv.Atoi(s)
	if err != nil || steps < 0 {
		return 0, fmt.Errorf("--max-steps is %q; it must be 0, auto or a whole number above", s)
	}
	return steps, nil
}

func parsePosition(s string) (model.Position, error) {
	wrong := fmt.Errorf("--position is %q; it must be three parts of 100 like 40/20/40, not all of it in between", s)
	var parts []float64
	sum := 0.0
	for field := range strings.SplitSeq(s, "/") {
		part, err := strconv.ParseFloat(field, 64)
		if err != nil || !(part >= 0 && part <= 100) {
			return model.Position{}, wrong
		}
		parts = append(parts, part)
		sum += part
	}
	if len(parts) != 3 || math.Abs(sum-100) > 1e-6 || parts[1] == sum {
		return model.Position{}, wrong
	}
	first := parts[0] / sum
	return model.Position{First: first, Last: min(parts[2]/sum, 1-first)}, nil // rounding does not make them more than 1
}
