package enrich

import (
	"slices"
	"strings"
	"testing"
)

// Whoever edits a table shall be told of slips that would never be noticed in use.
func TestTablesAreWellFormed(t *testing.T) {
	categories := []string{
		"search", "social", "video", "shopping", "email", "ai", "forum", "review", "press", "webinar", "support", "chat",
		"payment", "login",
	}
	seen := map[string]string{}
	for section, line := range lines(sourcesText) {
		name, patterns, _ := strings.Cut(line, ":")
		if !slices.Contains(categories, section) {
			t.Errorf("sources.txt: unknown category %q", section)
		}
		if patterns == "" || line != strings.ToLower(line) {
			t.Errorf("sources.txt: %q: want lower-case \"name: pattern pattern\"", line)
		}
		for _, pattern := range append(strings.Fields(patterns), name) {
			if other, ok := seen[pattern]; ok && other != name {
				t.Errorf("sources.txt: %q is both %s and %s", pattern, other, name)
			}
			seen[pattern] = name
		}
	}
	channels := Channels()
	words := map[string]bool{}
	for section, line := range lines(mediumsText) {
		if !slices.Contains(channels, section) {
			t.Errorf("mediums.txt: unknown channel %q", section)
		}
		for word := range strings.FieldsSeq(line) {
			if words[word] || word != hyphenated(strings.ToLower(word)) || namesPayment(word) {
				t.Errorf("mediums.txt: %q is listed twice, not spelled with \"-\", or a paid medium", word)
			}
			words[word] = true
		}
	}
	for parameter, id := range knownClickIDs {
		if parameter != strings.ToLower(parameter) || knownSources.named(id.source).name == "" && id.medium == "social" {
			t.Errorf("clickids.txt: %+v", id)
		}
		if got := classify(id.source, id.medium, ""); got == Unassigned {
			t.Errorf("clickids.txt: %s has no channel", parameter)
		}
	}
	for _, bot := range knownBots {
		if bot.token == "" || strings.TrimSpace(bot.token) != bot.token {
			t.Errorf("bots.txt: %+v", bot)
		}
	}
}

func TestSourceOfHost(t *testing.T) {
	for host, want := range map[string]string{
		"google.com":              "google",
		"www.google.co.uk":        "google",
		"www.google.de":           "google",
		"images.google.com.br":    "google",
		"mail.google.com":         "gmail",
		"gemini.google.com":       "gemini",
		"accounts.google.com":     "google-login",
		"google.evil.example":     "",
		"google.com.evil.example": "",
		"notgoogle.com":           "",
		"de.search.yahoo.com":     "yahoo",
		"search.yahoo.co.jp":      "yahoo",
		"yandex.com.tr":           "yandex",
		"yandex.ru":               "yandex",
		"m.baidu.com":             "baidu",
		"l.facebook.com":          "facebook",
		"lm.facebook.com":         "facebook",
		"out.reddit.com":          "reddit",
		"t.co":                    "twitter",
		"x.com":                   "twitter",
		"netflix.com":             "netflix",
		"xbox.com":                "",
		"www.amazon.co.jp":        "amazon",
		"s3.amazonaws.com":        "",
		"checkout.stripe.com":     "stripe",
		"chatgpt.com":             "chatgpt",
		"www.perplexity.ai":       "perplexity",
		"en.wikipedia.org":        "",
		"com":                     "",
		"":                        "",
		"...":                     "",
		"com.google.android.gm":   "gmail",
		"about.google":            "",
	} {
		if got := knownSources.host(host).name; got != want {
			t.Errorf("%q: got %q, want %q", host, got, want)
		}
	}
}
