package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/event"
)

// milestonesConfig is projects[].milestones: names of events.
type milestonesConfig struct {
	Lead        string `yaml:"lead"`
	Opportunity string `yaml:"opportunity"`
}

// traitsConfig is projects[].traits: names of traits.
type traitsConfig struct {
	Role     string `yaml:"role"`
	Interest string `yaml:"interest"`
}

// modelsConfig is projects[].models.
type modelsConfig struct {
	Position []wholeNumber `yaml:"position"` // per cent
	HalfLife string        `yaml:"half_life"`
}

const (
	maxTouchEvents  = 100
	maxName         = 200 // bytes of an event's or a trait's name
	defaultHalfLife = 7 * 24 * time.Hour
)

// attributionParts sets what says how the project's touches, people and models are read.
func (p *projectConfig) attributionParts(project *attribution.Project, path string) error {
	for _, check := range [...]func(string) error{p.checkMilestones, p.checkTouches, p.checkTraits, p.Models.check} {
		if err := check(path); err != nil {
			return err
		}
	}
	project.Milestones = attribution.Milestones(p.Milestones)
	project.Touches = p.Touches
	project.RoleTrait, project.InterestTrait = p.Traits.Role, p.Traits.Interest
	project.Position, project.HalfLife = p.Models.values()
	return nil
}

func (p *projectConfig) checkMilestones(path string) error {
	path += ".milestones"
	if err := checkName(path+".lead", p.Milestones.Lead); err != nil {
		return err
	}
	if err := checkName(path+".opportunity", p.Milestones.Opportunity); err != nil {
		return err
	}
	if m := p.Milestones; m.Lead != "" && m.Lead == m.Opportunity {
		return &configError{path + ".opportunity", fmt.Sprintf("%q is the lead, too; want another event", m.Lead)}
	}
	return nil
}

// checkTouches refuses an event that is a touch or a conversion already: it would count twice, or lead to itself.
func (p *projectConfig) checkTouches(path string) error {
	path += ".touches"
	if len(p.Touches) > maxTouchEvents {
		return &configError{path, fmt.Sprintf("has %d events; at most %d are taken", len(p.Touches), maxTouchEvents)}
	}
	for i, name := range p.Touches {
		at := fmt.Sprintf("%s[%d]", path, i)
		if err := checkName(at, name); err != nil {
			return err
		}
		switch {
		case name == "":
			return &configError{at, "is empty; name an event, such as Email Opened"}
		case name == event.Touchpoint:
			return &configError{at, fmt.Sprintf("%q is a touch in any case; leave it out", name)}
		case slices.Contains(p.Touches[:i], name):
			return &configError{at, fmt.Sprintf("%q is there twice", name)}
		case slices.ContainsFunc(p.Conversions, func(c conversionConfig) bool { return c.Event == name }):
			return &configError{at, fmt.Sprintf("%q is a conversion, which cannot lead to itself", name)}
		}
	}
	return nil
}

func (p *projectConfig) checkTraits(path string) error {
	if err := checkName(path+".traits.role", p.Traits.Role); err != nil {
		return err
	}
	return checkName(path+".traits.interest", p.Traits.Interest)
}

// checkName bounds the name of an event or trait, which may be missing.
func checkName(path, name string) error {
	if len(name) > maxName {
		return &configError{path, fmt.Sprintf("is %d bytes long; at most %d are taken", len(name), maxName)}
	}
	if strings.TrimSpace(name) != name {
		return &configError{path, fmt.Sprintf("%q has spaces around it; names are compared as they are", name)}
	}
	return nil
}

func (m *modelsConfig) check(path string) error {
	if m.HalfLife != "" {
		if _, err := parseDuration(m.HalfLife); err != nil {
			return &configError{path + ".models.half_life", err.Error()}
		}
	}
	if m.Position == nil {
		return nil
	}
	at := path + ".models.position"
	var sum wholeNumber
	for i, percent := range m.Position {
		if percent < 0 || percent > 100 {
			return &configError{fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf("is %d; want per cent from 0 to 100", percent)}
		}
		sum += percent
	}
	switch {
	case len(m.Position) != 3:
		return &configError{at, fmt.Sprintf("has %d numbers; want three: first, in between, last, as in [40, 20, 40]", len(m.Position))}
	case sum != 100:
		return &configError{at, fmt.Sprintf("adds up to %d per cent; want 100, as in [40, 20, 40]", sum)}
	case m.Position[1] == 100:
		return &configError{at, "leaves nothing for the first and the last touch; two touches would have no credit"}
	}
	return nil
}

// values returns the checked settings, or the defaults.
func (m *modelsConfig) values() (position [3]float64, halfLife time.Duration) {
	position, halfLife = [3]float64{0.4, 0.2, 0.4}, defaultHalfLife
	for i, percent := range m.Position {
		position[i] = float64(percent) / 100
	}
	if d, err := parseDuration(m.HalfLife); err == nil {
		halfLife = d
	}
	return position, halfLife
}
