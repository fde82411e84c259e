package enrich

import (
	"slices"
	"strings"

	"github.com/maypok86/otter/v2"
	"github.com/mssola/useragent"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

const (
	maxReadings  = 10_000 // user agents that are remembered
	maxUserAgent = 1024   // bytes of one that are read
)

// UserAgent fills Browser, BrowserVersion, OS, OSVersion and Device from the user agent and its client hints. Versions
// end without ".0": a browser's frozen "120.0.0.0" and the "120" of its hints are one.
type UserAgent struct{ readings *readings }

// Enrich does nothing when the client is unknown, as with messages of a server.
func (u UserAgent) Enrich(_ *collector.Project, c *event.Client, e *event.Event) {
	if c.UserAgent == "" && c.Hints == (event.Hints{}) {
		return
	}
	r := u.readings.of(c)
	e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.Device = r.browser, r.browserVersion, r.os, r.osVersion, r.device
}

// reading is what a user agent tells. Parsing one costs far more than finding it again.
type reading struct {
	browser, browserVersion, os, osVersion string
	device                                 string // as event.Event.Device
	bot                                    string // why it is one, or ""
	browserless                            bool   // has nothing of what every browser sends
}

type readings struct {
	cache *otter.Cache[agentKey, reading]
}

type agentKey struct {
	userAgent string
	hints     event.Hints
}

func newReadings() *readings {
	return &readings{otter.Must(&otter.Options[agentKey, reading]{MaximumSize: maxReadings})}
}

func (r *readings) of(c *event.Client) reading {
	key := agentKey{c.UserAgent, c.Hints}
	if known, ok := r.cache.GetIfPresent(key); ok {
		return known
	}
	key = agentKey{
		strings.Clone(c.UserAgent),
		event.Hints{
			Brands: strings.Clone(c.Hints.Brands), Platform: strings.Clone(c.Hints.Platform), Mobile: strings.Clone(c.Hints.Mobile),
		},
	}
	result := read(key.userAgent, key.hints)
	if len(key.userAgent)+len(key.hints.Brands)+len(key.hints.Platform)+len(key.hints.Mobile) <= 2*maxUserAgent {
		r.cache.Set(key, result)
	}
	return result
}

func read(ua string, hints event.Hints) reading {
	ua = clip(ua, maxUserAgent)
	parsed := useragent.New(ua)
	var r reading
	r.browser, r.browserVersion = browserOf(ua, parsed)
	r.os, r.osVersion = osOf(ua)
	r.device = deviceOf(ua, r.os)
	r.applyHints(hints)
	r.browserVersion, r.osVersion = trimVersion(r.browserVersion), trimVersion(r.osVersion)
	r.bot = botReason(ua, hints)
	r.browserless = isBrowserless(ua)
	return r
}

// browserTokens name what the parser takes for something else: a browser that ends with the tokens of those it descends
// from, or an app's built-in one. The first that occurs counts, so an app stands before the browser it embeds.
var browserTokens = []struct{ token, browser string }{
	{"Instagram ", "Instagram"},
	{"FB_IAB/", "Facebook"}, {"FBAN/", "Facebook"}, {"FBAV/", "Facebook"},
	{"musical_ly_", "TikTok"}, {"BytedanceWebview/", "TikTok"}, {"TikTok ", "TikTok"}, {"trill_", "TikTok"},
	{"Snapchat/", "Snapchat"}, {"Snapchat ", "Snapchat"}, {"[Pinterest/", "Pinterest"}, {"LinkedInApp", "LinkedIn"},
	{"Twitter for ", "Twitter"}, {"TwitterAndroid", "Twitter"}, {"MicroMessenger/", "WeChat"}, {" Line/", "Line"},
	{"KAKAOTALK", "KakaoTalk"}, {"NAVER(", "Naver"}, {"GSA/", "Google App"},
	{"SamsungBrowser/", "Samsung Internet"},
	{"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"Edg/", "Edge"}, {"Edge/", "Edge"},
	{"Opera Mini/", "Opera Mini"}, {"OPiOS/", "Opera Mini"}, {"Opera Mobi/", "Opera"}, {"OPRGX/", "Opera GX"},
	{"OPX/", "Opera GX"}, {"OPT/", "Opera"}, {"OPR/", "Opera"},
	{"YaBrowser/", "Yandex Browser"}, {"UCBrowser/", "UC Browser"}, {"UCWEB/", "UC Browser"},
	{"MQQBrowser/", "QQ Browser"}, {"QQBrowser/", "QQ Browser"}, {"MiuiBrowser/", "Mi Browser"},
	{"HuaweiBrowser/", "Huawei Browser"}, {"VivoBrowser/", "Vivo Browser"}, {"HeyTapBrowser/", "HeyTap Browser"},
	{"Vivaldi/", "Vivaldi"}, {"Whale/", "Whale"}, {"Brave/", "Brave"}, {"DuckDuckGo/", "DuckDuckGo"}, {"Ddg/", "DuckDuckGo"},
	{"coc_coc_browser/", "Coc Coc"}, {"Silk/", "Amazon Silk"}, {"Puffin/", "Puffin"}, {"PaleMoon/", "Pale Moon"},
	{"SeaMonkey/", "SeaMonkey"}, {"Waterfox/", "Waterfox"}, {"Focus/", "Firefox Focus"}, {"Klar/", "Firefox Focus"},
	{"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"HeadlessChrome/", "Headless Chrome"}, {"Electron/", "Electron"},
	{"IEMobile/", "Internet Explorer Mobile"}, {" Iron/", "Iron"}, {"Maxthon/", "Maxthon"}, {"Epiphany/", "Epiphany"},
	{"Midori/", "Midori"}, {"Konqueror/", "Konqueror"}, {"PhantomJS/", "PhantomJS"}, {"; wv)", "Android WebView"},
	{"Version/4.0 Chrome/", "Android WebView"},
	{"Chromium/", "Chromium"}, {"Opera/9.80", "Opera"}, {"Firefox/", "Firefox"},
}

func browserOf(ua string, parsed *useragent.UserAgent) (name, version string) {
	for _, known := range browserTokens {
		if _, after, ok := strings.Cut(ua, known.token); ok {
			return known.browser, versionOf(ua, known.browser, after)
		}
	}
	name, version = parsed.Browser()
	switch name {
	case "Mobile App":
		return "iOS WebView", "" // an app that shows pages without saying which it is
	case "Android":
		return "Android Browser", version
	case "Mozilla":
		if _, after, ok := strings.Cut(ua, "MSIE "); ok {
			return "Internet Explorer", leadingVersion(after)
		}
		return "", ""
	}
	return clip(name, 64), leadingVersion(version)
}

// versionOf returns the version behind a browser's token.
func versionOf(ua, browser, after string) string {
	switch browser {
	case "Facebook":
		_, after, _ = strings.Cut(ua, "FBAV/")
	case "Android WebView":
		_, after, _ = strings.Cut(ua, "Chrome/")
	case "Opera":
		if strings.HasPrefix(ua, "Opera/9.80") { // for sites that read one digit; the true one is "Version/12.16"
			_, after, _ = strings.Cut(ua, "Version/")
		}
	}
	return leadingVersion(after)
}

// leadingVersion returns the digits and dots (or underscores) that s begins with.
func leadingVersion(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '_' })
	if end >= 0 {
		s = s[:end]
	}
	return strings.ReplaceAll(strings.Trim(s, "._"), "_", ".")
}

// trimVersion cuts what follows a version's number and the ".0" at its end.
func trimVersion(version string) string {
	for strings.HasSuffix(version, ".0") {
		version = strings.TrimSuffix(version, ".0")
	}
	return version
}

// osTokens name operating systems; the first that occurs counts. Version says what stands before its number.
var osTokens = []struct{ token, os, version string }{
	{"Windows Phone", "Windows Phone", "Windows Phone "},
	{"PlayStation", "PlayStation", ""},
	{"Nintendo", "Nintendo", ""},
	{"CrOS ", "ChromeOS", ""},
	{"KAIOS/", "KaiOS", "KAIOS/"},
	{"Tizen", "Tizen", "Tizen "},
	{"Web0S", "webOS", ""},
	{"AppleTV", "tvOS", ""},
	{"OpenHarmony", "HarmonyOS", "OpenHarmony "},
	{"HarmonyOS", "HarmonyOS", ""},
	{"Android", "Android", "Android "},
	{"iPhone", "iOS", "OS "}, {"iPad", "iOS", "OS "}, {"iPod", "iOS", "OS "},
	{"BB10", "BlackBerry", "Version/"}, {"BlackBerry", "BlackBerry", "Version/"}, {"PlayBook", "BlackBerry", "Tablet OS "},
	{"Symbian", "Symbian", "SymbianOS/"},
	{"Windows NT", "Windows", "Windows NT "}, {"Windows", "Windows", ""},
	{"Mac OS X", "macOS", "Mac OS X "}, {"Macintosh", "macOS", ""},
	{"Linux", "Linux", ""}, {"X11; Ubuntu", "Linux", ""},
	{"FreeBSD", "FreeBSD", ""}, {"OpenBSD", "OpenBSD", ""}, {"NetBSD", "NetBSD", ""}, {"SunOS", "Solaris", ""},
}

// windowsVersions are the names that people know for versions of Windows NT.
var windowsVersions = map[string]string{
	"5.0": "2000", "5.1": "XP", "5.2": "XP", "6.0": "Vista", "6.1": "7", "6.2": "8", "6.3": "8.1", "10.0": "10",
}

func osOf(ua string) (name, version string) {
	for _, known := range osTokens {
		if !strings.Contains(ua, known.token) {
			continue
		}
		if _, after, ok := strings.Cut(ua, known.version); ok && known.version != "" {
			version = leadingVersion(strings.TrimPrefix(after, "OS "))
		}
		if known.os == "Windows" {
			version = windowsVersions[version]
		}
		return known.os, version
	}
	return "", ""
}

var (
	consoleTokens = []string{"PlayStation", "Xbox", "Nintendo"}
	tvTokens      = []string{
		"SMART-TV", "SmartTV", "Smart-TV", "Smart TV", "Web0S", "AppleTV", "GoogleTV", "Google TV", "Android TV", "BRAVIA",
		"HbbTV", "NetCast", "CrKey", "Roku", "; AFT", "VIERA", "AQUOS TV", "MiTV",
	}
	tabletTokens = []string{"iPad", "Tablet;", "Tablet OS", "PlayBook", "Kindle", "; KF", "; SM-T", "; SM-X", "; SM-P"}
	mobileTokens = []string{
		"Mobi", "iPhone", "iPod", "Windows Phone", "BlackBerry", "BB10", "Opera Mini", "MIDP", "UP.Browser", "Symbian",
		"KAIOS", "DoCoMo", "WAP Browser", "Dalvik",
	}
)

func deviceOf(ua, os string) string {
	switch {
	case containsAny(ua, consoleTokens):
		return "console"
	case containsAny(ua, tvTokens) || os == "Tizen" && strings.Contains(ua, "TV"):
		return "tv"
	case containsAny(ua, tabletTokens):
		return "tablet"
	case containsAny(ua, mobileTokens):
		return "mobile"
	case os == "Android" && strings.HasPrefix(ua, "Mozilla/"): // a browser on a phone says "Mobile", on a tablet it does not
		return "tablet"
	case os == "Android":
		return "mobile"
	case isDesktop(os):
		return "desktop"
	}
	return ""
}

func isDesktop(os string) bool {
	return oneOf(os, "Windows", "macOS", "Linux", "ChromeOS", "FreeBSD", "OpenBSD", "NetBSD", "Solaris")
}

func containsAny(s string, tokens []string) bool {
	return slices.ContainsFunc(tokens, func(token string) bool { return strings.Contains(s, token) })
}

// hintNames translate what Sec-CH-UA and Sec-CH-UA-Platform say where this package says something else. An empty name
// is one that tells less than the user agent.
var hintNames = map[string]string{
	"Google Chrome": "Chrome", "Microsoft Edge": "Edge", "YaBrowser": "Yandex Browser", "HeadlessChrome": "Headless Chrome",
	"Chromium": "", "Android WebView": "", "Microsoft Edge WebView2": "", "Yowser": "",
	"Chrome OS": "ChromeOS", "Chromium OS": "ChromeOS", "Unknown": "",
}

// applyHints corrects a reading by client hints. They are made to be read, while a user agent is made to be taken for
// another; but only it knows the whole version, and which app has a browser built in: hints say "Android WebView" then.
func (r *reading) applyHints(hints event.Hints) {
	if name, version := hintedBrand(hints.Brands); name != "" && name != r.browser {
		r.browser, r.browserVersion = name, version
	}
	if os := hintName(unquote(hints.Platform)); os != "" && os != r.os {
		r.os, r.osVersion = os, ""
	}
	switch {
	case hints.Mobile == "?1" && (r.device == "" || r.device == "desktop"):
		r.device = "mobile"
	case hints.Mobile == "?0" && r.device == "mobile" && r.os == "Android":
		r.device = "tablet"
	case hints.Mobile == "?0" && isDesktop(r.os) && r.device != "console" && r.device != "tv":
		r.device = "desktop"
	}
}

// hintedBrand returns the most telling of the brands in Sec-CH-UA, a list like
// "Chromium";v="120", "Google Chrome";v="120", "Not_A Brand";v="8", whose order is random.
func hintedBrand(brands string) (name, version string) {
	for item := range strings.SplitSeq(brands, ", ") {
		brand, number, ok := strings.Cut(item, ";v=")
		if known := hintName(unquote(brand)); ok && known != "" && !isGrease(known) {
			return known, leadingVersion(unquote(number))
		}
	}
	return "", ""
}

// isGrease reports whether a brand is the made-up one that browsers add so that nobody relies on a fixed list: "Not A
// Brand" with any punctuation.
func isGrease(brand string) bool {
	return strings.Contains(brand, "Not") && strings.Contains(brand, "Brand")
}

func hintName(name string) string {
	if known, ok := hintNames[name]; ok {
		return known
	}
	return clip(name, 64)
}

func unquote(s string) string { return strings.Trim(strings.TrimSpace(s), `"`) }
