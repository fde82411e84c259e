package simulate

import (
	"fmt"
	"math/rand/v2"
)

// device is a browser with its cookie.
type device struct {
	anonymousID string
	user        string // who it is known to belong to; empty: unknown
	userAgent   string
	ip          string
	country     country
}

// country is where people live. networks are address ranges of its providers, each a /16.
type country struct {
	weight           float64
	locale, timezone string
	networks         []string
}

var countries = []country{
	{52, "de-DE", "Europe/Berlin", []string{"84.150", "84.160", "87.150", "91.10", "88.70", "95.90"}},
	{10, "de-AT", "Europe/Vienna", []string{"80.108", "62.178", "178.190", "91.113"}},
	{9, "de-CH", "Europe/Zurich", []string{"85.1", "178.195", "83.77"}},
	{7, "en-US", "America/New_York", []string{"73.20", "24.130", "99.50", "68.40"}},
	{6, "en-GB", "Europe/London", []string{"86.140", "82.10", "81.150"}},
	{5, "fr-FR", "Europe/Paris", []string{"90.20", "82.230", "86.200"}},
	{5, "nl-NL", "Europe/Amsterdam", []string{"77.165", "84.25", "80.60"}},
	{2, "it-IT", "Europe/Rome", []string{"79.20"}},
	{2, "es-ES", "Europe/Madrid", []string{"80.30", "81.40"}},
	{2, "pl-PL", "Europe/Warsaw", []string{"83.20"}},
}

var desktops = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
	"Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
	"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
}

var mobiles = []string{
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36 EdgA/142.0.0.0",
	"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
}

// crawlers run JavaScript and so look like visitors.
var crawlers = []struct{ userAgent, network string }{
	{"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/142.0.0.0 Safari/537.36", "66.249"},
	{"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.2; +https://openai.com/gptbot", "20.171"},
	{"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/142.0.0.0 Safari/537.36", "40.77"},
}

func home(r *rand.Rand) country {
	return countries[pick(r, len(countries), func(i int) float64 { return countries[i].weight })]
}

func newDevice(r *rand.Rand, c country, userAgents []string) *device {
	return &device{anonymousID: uuid(r), userAgent: one(r, userAgents), ip: address(r, one(r, c.networks)), country: c}
}

func address(r *rand.Rand, network string) string {
	return fmt.Sprintf("%s.%d.%d", network, r.IntN(256), 1+r.IntN(254))
}
