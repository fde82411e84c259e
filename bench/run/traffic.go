package run

import (
	"fmt"
	"math/rand/v2"
	"net/url"
)

// UserAgents are those of twelve browsers, as they are common on a shop's site.
var UserAgents = [...]string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
	"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Linux; Android 13; SM-T733) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
}

// site is where all visits go.
const site = "https://shop.example"

var pages = [...]struct{ path, title string }{
	{"/", "Everything for the kitchen | Shop"},
	{"/collections/knives", "Knives | Shop"},
	{"/collections/pans", "Pans and pots | Shop"},
	{"/products/carbon-steel-pan-28", "Carbon steel pan, 28 cm | Shop"},
	{"/products/santoku-knife-18", "Santoku knife, 18 cm | Shop"},
	{"/blog/how-to-season-a-pan", "How to season a pan | Shop"},
	{"/cart", "Your cart | Shop"},
	{"/help/returns", "Returns | Shop"},
}

// campaigns are what half of the visits begin with.
var campaigns = [...]struct{ source, medium, name, referrer string }{
	{"google", "cpc", "pans-search", "https://www.google.com/"},
	{"newsletter", "email", "2026-45", ""},
	{"facebook", "paid_social", "autumn-sale", "https://l.facebook.com/"},
	{"instagram", "social", "recipes", "https://l.instagram.com/"},
	{"kitchenblog", "affiliate", "review", "https://kitchenblog.example/best-pans"},
}

var referrers = [...]string{"", "https://www.google.com/", "https://www.bing.com/", "https://duckduckgo.com/", site + "/"}

// View is a page as a browser shows it.
type View struct {
	URL, Path, Search, Title, Referrer string
	Source, Medium, Campaign           string // "" without a campaign
}

// NewView is a page that somebody might look at.
func NewView(rng *rand.Rand) View {
	page := pages[rng.IntN(len(pages))]
	v := View{Path: page.path, Title: page.title, Referrer: referrers[rng.IntN(len(referrers))]}
	if rng.IntN(2) == 0 {
		c := campaigns[rng.IntN(len(campaigns))]
		v.Source, v.Medium, v.Campaign, v.Referrer = c.source, c.medium, c.name, c.referrer
		v.Search = "?" + url.Values{"utm_source": {c.source}, "utm_medium": {c.medium}, "utm_campaign": {c.name}}.Encode()
	}
	v.URL = site + v.Path + v.Search
	return v
}

// UUID draws a version 4 UUID.
func UUID(rng *rand.Rand) string {
	hi, lo := rng.Uint64(), rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xfff, lo>>48&0x3fff|0x8000, lo&0xffffffffffff)
}
