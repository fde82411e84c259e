package main

import (
	"fmt"
	"strings"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/enrich"
)

// channelConfig is a project's own rule for a channel: all keys must hold, the first rule that matches decides.
type channelConfig struct {
	Channel  string `yaml:"channel"`
	Source   string `yaml:"source"`
	Medium   string `yaml:"medium"`
	Campaign string `yaml:"campaign"`
	Term     string `yaml:"term"`
	Content  string `yaml:"content"`
	Referrer string `yaml:"referrer"`
	ClickID  string `yaml:"click_id"`
}

const (
	maxChannelRules = 1000 // of a project: every event that brings evidence is held against them
	maxChannelText  = 100  // bytes of a channel's name or a pattern
)

func checkChannels(rules []channelConfig, path string) error {
	if len(rules) > maxChannelRules {
		return &configError{path, fmt.Sprintf("has %d rules; at most %d are taken", len(rules), maxChannelRules)}
	}
	for i, rule := range channelRules(rules) {
		at := fmt.Sprintf("%s[%d]", path, i)
		patterns := map[string]string{
			"source": rule.Source, "medium": rule.Medium, "campaign": rule.Campaign, "term": rule.Term, "content": rule.Content,
			"referrer": rule.Referrer, "click_id": rule.ClickID,
		}
		conditions := 0
		for key, pattern := range patterns {
			if len(pattern) > maxChannelText {
				return &configError{at + "." + key, fmt.Sprintf("is %d bytes long; at most %d are taken", len(pattern), maxChannelText)}
			}
			if pattern != "" {
				conditions++
			}
		}
		switch {
		case rule.Channel == "":
			return &configError{at + ".channel", "is missing; name the channel that the rule gives"}
		case len(rule.Channel) > maxChannelText:
			return &configError{at + ".channel", fmt.Sprintf("is %d bytes long; at most %d are taken", len(rule.Channel), maxChannelText)}
		case conditions == 0:
			return &configError{at, "has no condition; want at least one of source, medium, campaign, term, content, referrer, click_id"}
		case strings.ContainsAny(rule.Referrer, "/:"):
			return &configError{at + ".referrer", fmt.Sprintf("is %q; want a host like partner.example or *.partner.example", rule.Referrer)}
		case rule.ClickID != "" && !enrich.MatchesClickIDType(rule.ClickID):
			return &configError{at + ".click_id", fmt.Sprintf("is %q; want one of %s", rule.ClickID, strings.Join(enrich.ClickIDTypes(), ", "))}
		}
	}
	return nil
}

func channelRules(configured []channelConfig) []collector.ChannelRule {
	var rules []collector.ChannelRule
	for _, c := range configured {
		rules = append(rules, collector.ChannelRule{
			Channel: strings.TrimSpace(c.Channel), Source: strings.ToLower(c.Source), Medium: strings.ToLower(c.Medium),
			Campaign: strings.ToLower(c.Campaign), Term: strings.ToLower(c.Term), Content: strings.ToLower(c.Content),
			Referrer: strings.ToLower(c.Referrer), ClickID: strings.ToLower(c.ClickID),
		})
	}
	return rules
}
