package enrich

import (
	"maps"
	"slices"
	"strings"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// ownChannel returns the channel that the project's own rules give, or "". They judge what the built-in ones do: the
// source and medium that the evidence stands for. A self-referral stays one: it says nothing of where somebody came
// from. A payment provider's or a sign-in page is evidence where a rule names it.
func ownChannel(p *collector.Project, e *event.Event) string {
	if len(p.Channels) == 0 || e.ChannelReason == ReasonSelfReferral || e.ChannelReason == ReasonNone {
		return ""
	}
	referrer := splitURL(e.Referrer).host
	for i := range p.Channels {
		if !matchesRule(&p.Channels[i], e, referrer) {
			continue
		}
		if !IsEvidence(e.ChannelReason) {
			e.Source, e.Medium, e.ChannelReason = strings.TrimPrefix(referrer, "www."), "referral", ReasonReferrer
		}
		return p.Channels[i].Channel
	}
	return ""
}

func matchesRule(r *collector.ChannelRule, e *event.Event, referrer string) bool {
	return matchesPattern(r.Source, e.Source) && matchesPattern(r.Medium, e.Medium) && matchesPattern(r.Campaign, e.Campaign) &&
		matchesPattern(r.Term, e.Term) && matchesPattern(r.Content, e.Content) && matchesPattern(r.Referrer, referrer) &&
		matchesPattern(r.ClickID, e.ClickIDType)
}

// matchesPattern reports whether a value is there and matches, without regard to case. No pattern matches everything.
func matchesPattern(pattern, value string) bool {
	if pattern == "" {
		return true
	}
	value = strings.ToLower(value)
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return value == pattern
	}
	if value == "" || !strings.HasPrefix(value, first) {
		return false
	}
	value = value[len(first):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(value, part)
		}
		i := strings.Index(value, part)
		if i < 0 {
			return false
		}
		value, rest = value[i+len(part):], after
	}
}

// ClickIDTypes are the known types of click ids.
func ClickIDTypes() []string { return slices.Sorted(maps.Keys(knownClickIDs)) }

// MatchesClickIDType reports whether a rule's pattern matches a known type.
func MatchesClickIDType(pattern string) bool {
	return slices.ContainsFunc(ClickIDTypes(), func(name string) bool { return matchesPattern(pattern, name) })
}
