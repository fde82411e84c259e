package enrich

import (
	_ "embed" // of the table
	"regexp"
	"strings"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Bot fills IsBot and BotReason. A bot is marked, never dropped: what is left out of identity and sessions can still be
// counted.
type Bot struct{ readings *readings }

// Enrich judges the user agent of the person's client. A message of a server need not have one; a browser's request, a
// pixel's or a line of an access log without one comes from a program. Other imports, of orders say, never had one.
func (b Bot) Enrich(_ *collector.Project, c *event.Client, e *event.Event) {
	reason := b.reason(c, e)
	if reason != "" {
		e.IsBot, e.BotReason = true, reason
	}
}

func (b Bot) reason(c *event.Client, e *event.Event) string {
	if c.UserAgent == "" || c.UserAgent == "-" { // "-" is how access logs write nothing
		if e.Origin == event.OriginServer || e.Origin == event.OriginImport && e.Library != event.LibraryAccessLog {
			return ""
		}
		return "no user agent"
	}
	r := b.readings.of(c)
	if r.bot == "" && r.browserless && e.Origin != event.OriginServer {
		return "user agent: no browser"
	}
	return r.bot
}

//go:embed bots.txt
var botsText string

var (
	knownBots = parseBots(botsText)
	// botWord finds programs that say what they are.
	botWord = regexp.MustCompile(`(?i)[\w.!-]*(?:bots?\b|crawl|spider|slurp|scrape|fetcher|validator|archiver)[\w.!-]*`)
	// contact finds the address that well-behaved programs leave for the owners of sites.
	contact = regexp.MustCompile(`https?://|[\w.]@[\w-]+\.[a-z]`)
	// foreign finds those whose user agent holds an address although a person looks at what they fetch: Internet
	// Explorer with a tool bar, and the proxies through which mail programs show pictures.
	foreign = regexp.MustCompile(`MSIE |MailProxy|ImageProxy`)
	// bareMozilla is what programs send that have only heard that everybody begins so.
	bareMozilla = regexp.MustCompile(`^Mozilla/\d\.\d+( \(compatible;?\))?$`)
	// platform finds the word that every browser, telephone and app says of what it is or runs on.
	platform = regexp.MustCompile(`(?i)^(mozilla|opera|links|elinks|lynx|w3m)|windows|macintosh|darwin|iphone|ipad|ios|android|linux|x11|okhttp|` +
		`dalvik|midp|cldc|wap|up\.browser|docomo|blackberry|nokia|samsung|symbian`)
)

// knownBot is an entry of bots.txt.
type knownBot struct {
	name  string // with its kind
	token string // in lower case
	start bool   // only at the beginning
}

func parseBots(text string) (known []knownBot) {
	for kind, line := range lines(text) {
		for name := range strings.SplitSeq(line, ", ") {
			token, start := strings.CutPrefix(name, "^")
			name = strings.TrimRight(token, "/ (")
			if kind != "crawler" {
				name = kind + " " + name
			}
			known = append(known, knownBot{name, strings.ToLower(token), start})
		}
	}
	return known
}

// botReason returns why a user agent, or its client hints, are a program's, or "".
func botReason(ua string, hints event.Hints) string {
	if strings.Contains(hints.Brands, "HeadlessChrome") {
		return "client hints: headless browser HeadlessChrome"
	}
	lower := strings.ToLower(ua)
	for _, bot := range knownBots {
		if i := strings.Index(lower, bot.token); i == 0 || i > 0 && !bot.start {
			return "user agent: " + bot.name
		}
	}
	for _, word := range botWord.FindAllString(ua, -1) {
		if !strings.EqualFold(word, "CUBOT") { // who make telephones
			return "user agent: " + clip(word, 64)
		}
	}
	if contact.MatchString(ua) && !foreign.MatchString(ua) {
		return "user agent: gives an address"
	}
	return ""
}

func isBrowserless(ua string) bool {
	return bareMozilla.MatchString(ua) || !platform.MatchString(ua)
}
