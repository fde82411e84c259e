package enrich

import (
	"testing"

	"github.com/touchline-hq/touchline/event"
)

// programs are user agents of programs, with the reason for which they are marked.
var programs = map[string]string{
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "user agent: Googlebot",
	"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.71 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "user agent: Googlebot",
	"Googlebot-Image/1.0": "user agent: Googlebot",
	"SAMSUNG-SGH-E250/1.0 Profile/MIDP-2.0 Configuration/CLDC-1.1 UP.Browser/6.2.3.3.c.1.101 (GUI) MMP/2.0 (compatible; Googlebot-Mobile/2.1; +http://www.google.com/bot.html)": "user agent: Googlebot",
	"AdsBot-Google (+http://www.google.com/adsbot.html)":                                  "user agent: AdsBot-Google",
	"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)":             "user agent: bingbot",
	"msnbot/2.0b (+http://search.msn.com/msnbot.htm)":                                     "user agent: msnbot",
	"Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)": "user agent: Baiduspider",
	"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)":                    "user agent: YandexBot",
	"Mozilla/5.0 (compatible; MJ12bot/v1.4.4; http://www.majestic12.co.uk/bot.php?+)":     "user agent: MJ12bot",
	"Mozilla/5.0 (compatible; AhrefsBot/5.0; +http://ahrefs.com/robot/)":                  "user agent: AhrefsBot",
	"Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)":             "user agent: Sogou web spider",
	"Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)": "user agent: Yahoo! Slurp",
	"ia_archiver (+http://www.alexa.com/site/help/webmasters; crawler@alexa.com)":         "user agent: ia_archiver",
	"Mozilla/5.0 (compatible; Ezooms/1.0; help@moz.com)":                                  "user agent: Ezooms",
	"LumiBot 2.0":                           "user agent: LumiBot",
	"Mozilla/5.0 (compatible; BeetleBot; )": "user agent: BeetleBot",
	"Mozilla/5.0 (compatible; Newcomer/1.0; +https://newcomer.example/about)":                                                 "user agent: gives an address",
	"Robosourcer/1.0 admin@crawl-me.example":                                                                                  "user agent: crawl-me.example",
	"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.0; +https://openai.com/gptbot)":                  "user agent: AI crawler GPTBot",
	"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)":                 "user agent: AI crawler ClaudeBot",
	"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)": "user agent: AI crawler PerplexityBot",
	"CCBot/2.0 (https://commoncrawl.org/faq/)":                                                                                "user agent: AI crawler CCBot",
	"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)":                                               "user agent: link preview facebookexternalhit",
	"Twitterbot/1.0": "user agent: link preview Twitterbot",
	"LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)":                             "user agent: link preview LinkedInBot",
	"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)":                                                        "user agent: link preview Slackbot",
	"TelegramBot (like TwitterBot)":                                                                                     "user agent: link preview Twitterbot",
	"WhatsApp/2.23.20.0 A":                                                                                              "user agent: link preview WhatsApp",
	"Feedfetcher-Google; (+http://www.google.com/feedfetcher.html; 22 subscribers; feed-id=8321906634162087507)":        "user agent: feed reader Feedfetcher-Google",
	"Tiny Tiny RSS/1.11 (http://tt-rss.org/)":                                                                           "user agent: feed reader Tiny Tiny RSS",
	"UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/":                                                       "user agent: feed reader UniversalFeedParser",
	"Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)":                                         "user agent: feed reader Feedfetcher-Google",
	"NewsBlur Page Fetcher - 12 subscribers - http://www.newsblur.com":                                                  "user agent: feed reader NewsBlur",
	"Liferea/1.8.3 (Linux; en_GB.UTF-8; http://liferea.sf.net/)":                                                        "user agent: feed reader Liferea",
	"Feedbin - 1 subscribers":                                                                                           "user agent: feed reader Feedbin",
	"Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)":                                                             "user agent: monitor Pingdom",
	"Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)":                                            "user agent: monitor UptimeRobot",
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.6099.71 Safari/537.36": "user agent: headless browser HeadlessChrome",
	"Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/534.34 (KHTML, like Gecko) PhantomJS/1.9.2 Safari/534.34":          "user agent: headless browser PhantomJS",
	"Wget/1.14 (linux-gnu)":     "user agent: http library Wget",
	"curl/8.4.0":                "user agent: http library curl",
	"python-requests/2.31.0":    "user agent: http library python-requests",
	"Java/1.6.0_04":             "user agent: http library Java",
	"libwww-perl/6.05":          "user agent: http library libwww-perl",
	"Go-http-client/1.1":        "user agent: http library Go-http-client",
	"Ruby":                      "user agent: http library Ruby",
	"distilator/0.1":            "user agent: no browser",
	"Mozilla/4.0 (compatible;)": "user agent: no browser",
	"Mozilla/5.0":               "user agent: no browser",
	"!":                         "user agent: no browser",
}

func judged(ua string, origin event.Origin, change func(*event.Client, *event.Event)) event.Event {
	c, e := event.Client{UserAgent: ua}, event.Event{Type: event.Page, Origin: origin}
	change(&c, &e)
	Bot{newReadings()}.Enrich(nil, &c, &e)
	return event.Event{IsBot: e.IsBot, BotReason: e.BotReason}
}

func asIs(*event.Client, *event.Event) {}

func TestBots(t *testing.T) {
	for ua, reason := range programs {
		want := event.Event{IsBot: true, BotReason: reason}
		for _, origin := range []event.Origin{event.OriginBrowser, event.OriginPixel, event.OriginLink, event.OriginImport} {
			if got := judged(ua, origin, asIs); got != want {
				t.Errorf("%s by %s: got %v %q, want %q", ua, origin, got.IsBot, got.BotReason, reason)
			}
		}
	}
}

func TestPeopleAreNoBots(t *testing.T) {
	for ua := range people {
		if got := judged(ua, event.OriginBrowser, asIs); got != (event.Event{}) {
			t.Errorf("%s: %s", ua, got.BotReason)
		}
	}
}

func TestBotByOrigin(t *testing.T) {
	logLine := func(_ *event.Client, e *event.Event) { e.Library = event.LibraryAccessLog }
	download := func(_ *event.Client, e *event.Event) { e.Library, e.Type = event.LibraryAccessLog, event.Track }
	for name, c := range map[string]struct {
		ua     string
		origin event.Origin
		change func(*event.Client, *event.Event)
		want   string
	}{
		"a server says nothing of the person": {"", event.OriginServer, logLine, ""},
		"a server's person":                   {safariIPhone, event.OriginServer, asIs, ""},
		"a server's program as person":        {"my-backend", event.OriginServer, asIs, ""},
		"a server's crawler":                  {"Twitterbot/1.0", event.OriginServer, asIs, "user agent: link preview Twitterbot"},
		"browser":                             {"", event.OriginBrowser, asIs, "no user agent"},
		"pixel":                               {"", event.OriginPixel, asIs, "no user agent"},
		"link":                                {"-", event.OriginLink, asIs, "no user agent"},
		"line of an access log":               {"", event.OriginImport, logLine, "no user agent"},
		"line of an access log, as written":   {"-", event.OriginImport, logLine, "no user agent"},
		"download in an access log":           {"", event.OriginImport, download, "no user agent"},
		"imported from elsewhere":             {"", event.OriginImport, asIs, ""},
		"text browser":                        {"Links (2.7; Linux 3.5.0 x86_64; GNU C 4.7.1; text)", event.OriginBrowser, asIs, ""},
		"hints": {
			chromeWindows, event.OriginBrowser,
			func(c *event.Client, _ *event.Event) { c.Hints.Brands = `"HeadlessChrome";v="120"` },
			"client hints: headless browser HeadlessChrome",
		},
	} {
		got := judged(c.ua, c.origin, c.change)
		if got.IsBot != (c.want != "") || got.BotReason != c.want {
			t.Errorf("%s: got %q, want %q", name, got.BotReason, c.want)
		}
	}
}
