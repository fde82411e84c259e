package enrich

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

func TestOwnRulesComeBeforeTheBuiltInOnes(t *testing.T) {
	p := &collector.Project{Origins: []string{"https://shop.example"}, Channels: []collector.ChannelRule{
		{Channel: "Partner", Source: "acme-*", Medium: "referral"},
		{Channel: "Acme", Referrer: "*.acme.example"},
		{Channel: "Installments", Referrer: "*.klarna.com"},
		{Channel: "Brand Search", Medium: "cpc", Campaign: "*brand*"},
		{Channel: "Google Ads", ClickID: "g*"},
		{Channel: "Everything else", Medium: "newsletter"},
		{Channel: "Own", Referrer: "*shop.example"},
	}}
	for name, tt := range map[string]struct {
		url, referrer string
		want          string // channel reason source medium
	}{
		"source and medium":         {"https://shop.example/?utm_source=ACME-North&utm_medium=referral", "", "Partner utm ACME-North referral"},
		"only one of two holds":     {"https://shop.example/?utm_source=acme-x&utm_medium=email", "", "Email utm acme-x email"},
		"referrer":                  {"https://shop.example/", "https://www.acme.example/x", "Acme referrer acme.example referral"},
		"the first rule counts":     {"https://shop.example/?utm_source=acme-x&utm_medium=referral", "https://www.acme.example/x", "Partner utm acme-x referral"},
		"payment provider, named":   {"https://shop.example/", "https://pay.klarna.com/", "Installments referrer pay.klarna.com referral"},
		"payment provider, unnamed": {"https://shop.example/", "https://www.paypal.com/", "Direct payment  "},
		"campaign":                  {"https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=DE-Brand-Exact", "", "Brand Search utm google cpc"},
		"click id":                  {"https://shop.example/?gclid=x", "", "Google Ads click_id google cpc"},
		"another click id":          {"https://shop.example/?fbclid=x", "", "Organic Social click_id facebook social"},
		"self-referral":             {"https://shop.example/", "https://www.shop.example/", "Direct self_referral  "},
		"nothing":                   {"https://shop.example/", "", "Direct none  "},
		"no rule":                   {"https://shop.example/", "https://www.google.com/", "Organic Search referrer google organic"},
	} {
		t.Run(name, func(t *testing.T) {
			e := event.Event{Type: event.Page, URL: tt.url, Host: "shop.example", Referrer: tt.referrer}
			Channel{}.Enrich(p, &event.Client{}, &e)
			if got := strings.Join([]string{e.Channel, e.ChannelReason, e.Source, e.Medium}, " "); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	named := event.Event{Type: event.Track, Name: event.Touchpoint, Properties: `{"channel":"Radio"}`, Source: "acme", Medium: "referral"}
	Channel{}.Enrich(p, &event.Client{}, &named)
	if named.Channel != Radio {
		t.Errorf("what the sender names became %s", named.Channel)
	}
}

func TestPatternsMatchLikeRegularExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{1,6}`).Draw(t, "pattern")
		value := rapid.StringMatching(`[abA]{0,8}`).Draw(t, "value")
		re := regexp.MustCompile(`(?i)^` + strings.ReplaceAll(pattern, "*", ".*") + `$`)
		if want := value != "" && re.MatchString(value); matchesPattern(pattern, value) != want {
			t.Fatalf("%q matches %q: want %v", pattern, value, want)
		}
	})
}
