package enrich

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/event"
)

const (
	chromeWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
	chromeAndroid = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
	safariIPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1.2 Mobile/15E148 Safari/604.1"
)

// people are user agents of people, with what is read from them: browser, its version, system, its version, device.
var people = map[string][5]string{
	chromeWindows: {"Chrome", "120", "Windows", "10", "desktop"},
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0":                                                    {"Firefox", "121", "Windows", "10", "desktop"},
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91":   {"Edge", "120.0.2210.91", "Windows", "10", "desktop"},
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36 Edge/18.19042":   {"Edge", "18.19042", "Windows", "10", "desktop"},
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0":       {"Opera", "105", "Windows", "10", "desktop"},
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 YaBrowser/23.11.0.0 Safari/537.36": {"Yandex Browser", "23.11", "Windows", "10", "desktop"},
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Vivaldi/6.5.3206.39": {"Vivaldi", "6.5.3206.39", "Windows", "10", "desktop"},
	"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko":                                                               {"Internet Explorer", "11", "Windows", "10", "desktop"},
	"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0; .NET CLR 2.0.50727)":                                                 {"Internet Explorer", "8", "Windows", "XP", "desktop"},
	"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; http://toolbar.example)":                                                     {"Internet Explorer", "6", "Windows", "XP", "desktop"},
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15":               {"Safari", "17.2", "macOS", "10.15.7", "desktop"},
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36":               {"Chrome", "120", "macOS", "10.15.7", "desktop"},
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:121.0) Gecko/20100101 Firefox/121.0":                                                {"Firefox", "121", "macOS", "10.15", "desktop"},
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36":                               {"Chrome", "120", "Linux", "", "desktop"},
	"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0":                                                      {"Firefox", "121", "Linux", "", "desktop"},
	"Mozilla/5.0 (X11; FreeBSD amd64; rv:109.0) Gecko/20100101 Firefox/115.0":                                                             {"Firefox", "115", "FreeBSD", "", "desktop"},
	"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36":                      {"Chrome", "120", "ChromeOS", "", "desktop"},
	"Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16":                                                                        {"Opera", "12.16", "Linux", "", "desktop"},
	safariIPhone: {"Safari", "17.1.2", "iOS", "17.1.2", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0.6099.50 Mobile/15E148 Safari/604.1":                                                                                                                                           {"Chrome", "120.0.6099.50", "iOS", "17.1", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/121.0 Mobile/15E148 Safari/605.1.15":                                                                                                                                                {"Firefox", "121", "iOS", "17.1", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/120.0.2210.61 Mobile/15E148 Safari/605.1.15":                                                                                                                          {"Edge", "120.0.2210.61", "iOS", "17", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1 OPT/4.3.1":                                                                                                                                        {"Opera", "4.3.1", "iOS", "17.1", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/294.0.589674282 Mobile/15E148 Safari/604.1":                                                                                                                                           {"Google App", "294.0.589674282", "iOS", "17.1", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15":                                                                                                                                  {"DuckDuckGo", "7", "iOS", "17.1", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148":                                                                                                                                                                            {"iOS WebView", "", "iOS", "17.1", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21B91 [FBAN/FBIOS;FBAV/442.0.0.34.109;FBBV/540000000;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/17.1.1;FBSS/3;FBID/phone;FBLC/de_DE;FBOP/5]":                                      {"Facebook", "442.0.0.34.109", "iOS", "17.1.1", "mobile"},
	"Mozilla/5.0 (Linux; Android 13; SM-G991B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0.6045.193 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/442.0.0.44.114;]":                                                                                     {"Facebook", "442.0.0.44.114", "Android", "13", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21B91 Instagram 309.1.1.28.108 (iPhone15,2; iOS 17_1_1; de_DE; de; scale=3.00; 1179x2556; 541635890)":                                                                            {"Instagram", "309.1.1.28.108", "iOS", "17.1.1", "mobile"},
	"Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TQ3A.230901.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0.6045.163 Mobile Safari/537.36 Instagram 309.0.0.40.113 Android (33/13; 420dpi; 1080x2205; Google/google; Pixel 7; panther; panther; de_DE; 541635863)": {"Instagram", "309.0.0.40.113", "Android", "13", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 musical_ly_32.5.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/de Region/DE BytedanceWebview/d8a21c6":                                                                {"TikTok", "32.5", "iOS", "16.6", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.29.3241":                                                                                                                                                    {"LinkedIn", "", "iOS", "17.1", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 16_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.3 Mobile/15E148 Safari/604.1 [Pinterest/iOS]":                                                                                                                                  {"Pinterest", "", "iOS", "16.3", "mobile"},
	"Mozilla/5.0 (iPhone; CPU iPhone OS 16_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.42(0x18002a2f) NetType/WIFI Language/zh_CN":                                                                                                              {"WeChat", "8.0.42", "iOS", "16.3", "mobile"},
	"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1":                                                                                                                                                           {"Safari", "16.6", "iOS", "16.6", "tablet"},
	"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/119.0.6045.109 Mobile/15E148 Safari/604.1":                                                                                                                                                   {"Chrome", "119.0.6045.109", "iOS", "16.6", "tablet"},
	chromeAndroid: {"Chrome", "120", "Android", "10", "mobile"},
	"Mozilla/5.0 (Linux; Android 13; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36":                                              {"Samsung Internet", "23", "Android", "13", "mobile"},
	"Mozilla/5.0 (Linux; Android 13; SM-T870) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36":                                                                          {"Chrome", "120", "Android", "13", "tablet"},
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36 EdgA/120.0.2210.84":                                                      {"Edge", "120.0.2210.84", "Android", "10", "mobile"},
	"Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Mobile Safari/537.36 OPR/77.0.4095.74142":                                               {"Opera", "77.0.4095.74142", "Android", "13", "mobile"},
	"Mozilla/5.0 (Android 13; Mobile; rv:121.0) Gecko/121.0 Firefox/121.0":                                                                                                                    {"Firefox", "121", "Android", "13", "mobile"},
	"Mozilla/5.0 (Android 13; Tablet; rv:121.0) Gecko/121.0 Firefox/121.0":                                                                                                                    {"Firefox", "121", "Android", "13", "tablet"},
	"Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0.6045.193 Mobile Safari/537.36":                                        {"Android WebView", "119.0.6045.193", "Android", "12", "mobile"},
	"Mozilla/5.0 (Linux; Android 4.4.2; Nexus 5 Build/KOT49H) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/30.0.0.0 Mobile Safari/537.36":                                        {"Android WebView", "30", "Android", "4.4.2", "mobile"},
	"Mozilla/5.0 (Linux; U; Android 4.3; es-es; GT-I9300 Build/JSS15J) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30":                                               {"Android Browser", "4", "Android", "4.3", "mobile"},
	"Mozilla/5.0 (Linux; U; Android 12; de-DE; 2201117TY Build/SKQ1) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0.4896.127 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.7.2": {"Mi Browser", "14.7.2", "Android", "12", "mobile"},
	"Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/108.4.6 like Chrome/108.0.5359.160 Safari/537.36":                                                     {"Amazon Silk", "108.4.6", "Android", "9", "tablet"},
	"Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16":                                                                                                 {"Opera Mini", "36.2.2254", "Android", "", "mobile"},
	"Mozilla/5.0 (Linux; U; Android 10; en-US; RMX1911) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/78.0.3904.108 UCBrowser/13.4.0.1306 Mobile Safari/537.36":                   {"UC Browser", "13.4.0.1306", "Android", "10", "mobile"},
	"Mozilla/5.0 (Mobile; LYF/F320B/LYF-F320B-003-01-15-130718; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5":                                                                                   {"Firefox", "48", "KaiOS", "2.5", "mobile"},
	"Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0; ARM; Touch; NOKIA; Lumia 920)":                                                                        {"Internet Explorer Mobile", "10", "Windows Phone", "8", "mobile"},
	"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/4.0 Chrome/76.0.3809.146 TV Safari/537.36":                                                {"Samsung Internet", "4", "Tizen", "6", "tv"},
	"Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.88 Safari/537.36":                                                                             {"Chrome", "87.0.4280.88", "webOS", "", "tv"},
	"Mozilla/5.0 (Linux; Android 9; AFTKA Build/PS7653; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/112.0.5615.213 Mobile Safari/537.36":                                    {"Android WebView", "112.0.5615.213", "Android", "9", "tv"},
	"Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15":                                                                     {"Safari", "13", "PlayStation", "", "console"},
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0":                                           {"Edge", "120", "Windows", "10", "console"},
	"ShopApp/3.2 CFNetwork/1474 Darwin/23.0.0":                                                                                {"ShopApp", "3.2", "", "", ""},
	"Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.2309)":                                                            {"", "", "Android", "13", "mobile"},
	"Instagram 309.0.0.40.113 Android (33/13; 420dpi; 1080x2205; Google/google; Pixel 7; panther; panther; de_DE; 541635863)": {"Instagram", "309.0.0.40.113", "Android", "", "mobile"},
	"Nokia6230/2.0 (04.44) Profile/MIDP-2.0 Configuration/CLDC-1.1 Java/Sun":                                                  {"Nokia6230", "2", "", "", "mobile"},
	"okhttp/4.12.0": {"OkHttp", "4.12", "", "", ""},
	"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)":                            {"Firefox", "11", "Windows", "XP", "desktop"},
	"SAMSUNG-GT-E2232/1.0 Openwave/6.2.3 Profile/MIDP-2.0 Configuration/CLDC-1.1 UP.Browser/6.2.3.3.c.1.101 (GUI) MMP/2.0": {"SAMSUNG-GT-E2232", "1", "", "", "mobile"},
}

func TestUserAgent(t *testing.T) {
	readings := newReadings()
	for ua, want := range people {
		for range 2 { // the second answer comes from the cache
			var e event.Event
			UserAgent{readings}.Enrich(nil, &event.Client{UserAgent: ua}, &e)
			got := [5]string{e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.Device}
			if got != want {
				t.Errorf("%s\ngot  %q\nwant %q", ua, got, want)
			}
		}
	}
}

func TestClientHints(t *testing.T) {
	const wv = "Mozilla/5.0 (Linux; Android 13; Pixel 7; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0.6045.163 Mobile Safari/537.36 Instagram 309.0.0.40.113 Android"
	for name, c := range map[string]struct {
		ua    string
		hints event.Hints
		want  [5]string
	}{
		"same as the user agent": {
			chromeWindows, event.Hints{Brands: `"Not_A Brand";v="8", "Chromium";v="120", "Google Chrome";v="120"`, Platform: `"Windows"`, Mobile: "?0"},
			[5]string{"Chrome", "120", "Windows", "10", "desktop"},
		},
		"a browser that hides in its user agent": {
			chromeWindows, event.Hints{Brands: `"Chromium";v="120", "Brave";v="120", "Not(A:Brand";v="24"`, Platform: `"Windows"`, Mobile: "?0"},
			[5]string{"Brave", "120", "Windows", "10", "desktop"},
		},
		"whole version of the user agent": {
			chromeWindows + " Edg/120.0.2210.91", event.Hints{Brands: `"Microsoft Edge";v="120", "Chromium";v="120"`},
			[5]string{"Edge", "120.0.2210.91", "Windows", "10", "desktop"},
		},
		"Chromium only": {
			chromeWindows, event.Hints{Brands: `"Chromium";v="120", ";Not A Brand";v="99"`},
			[5]string{"Chrome", "120", "Windows", "10", "desktop"},
		},
		"an app": {
			wv, event.Hints{Brands: `"Android WebView";v="119", "Chromium";v="119"`, Platform: `"Android"`, Mobile: "?1"},
			[5]string{"Instagram", "309.0.0.40.113", "Android", "13", "mobile"},
		},
		"tablet": {
			chromeAndroid, event.Hints{Brands: `"Google Chrome";v="120"`, Platform: `"Android"`, Mobile: "?0"},
			[5]string{"Chrome", "120", "Android", "10", "tablet"},
		},
		"another platform": {
			"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
			event.Hints{Platform: `"Chrome OS"`, Mobile: "?0"},
			[5]string{"Chrome", "120", "ChromeOS", "", "desktop"},
		},
		"hints alone": {
			"", event.Hints{Brands: `"Opera";v="106", "Chromium";v="120"`, Platform: `"macOS"`, Mobile: "?0"},
			[5]string{"Opera", "106", "macOS", "", "desktop"},
		},
		"mobile alone": {"", event.Hints{Mobile: "?1"}, [5]string{"", "", "", "", "mobile"}},
		"nonsense":     {safariIPhone, event.Hints{Brands: `;;,",`, Platform: `"`, Mobile: "yes"}, [5]string{"Safari", "17.1.2", "iOS", "17.1.2", "mobile"}},
	} {
		t.Run(name, func(t *testing.T) {
			var e event.Event
			UserAgent{newReadings()}.Enrich(nil, &event.Client{UserAgent: c.ua, Hints: c.hints}, &e)
			if got := [5]string{e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.Device}; got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestUnknownClientChangesNothing(t *testing.T) {
	e := event.Event{Browser: "Lynx", OS: "VMS", Device: "desktop"}
	want := e
	UserAgent{newReadings()}.Enrich(nil, &event.Client{}, &e)
	if e != want {
		t.Errorf("got %+v", e)
	}
}

func FuzzUserAgent(f *testing.F) {
	for ua := range people {
		f.Add(ua, `"Chromium";v="120", "Brave";v="120"`, `"Windows"`)
	}
	f.Add("Mozilla/5.0 (", ";v=", `"`)
	f.Add("Opera/9.80 ()", "", "")
	f.Add("0", "\xdd", "\x97") // halves of a character
	f.Add("Mozilla/5.0 (Symbian) AppleWebKit/1 a b", "", "")
	f.Fuzz(func(t *testing.T, ua, brands, platform string) {
		r := read(ua, event.Hints{Brands: brands, Platform: platform, Mobile: "?0"})
		if !oneOf(r.device, "", "desktop", "mobile", "tablet", "tv", "console") {
			t.Fatalf("device %q", r.device)
		}
		sent := utf8.ValidString(ua) && utf8.ValidString(brands) && utf8.ValidString(platform)
		for _, s := range []string{r.browser, r.browserVersion, r.os, r.osVersion, r.bot} {
			if len(s) > maxUserAgent || sent && !utf8.ValidString(s) {
				t.Fatalf("%q", s)
			}
		}
	})
}

// What is kept of a user agent is text, also where it was cut within a character.
func TestReadingsAreText(t *testing.T) {
	for n := maxUserAgent - 4; n < maxUserAgent; n++ {
		ua := strings.Repeat("x", n) + "€€"
		if r := read(ua, event.Hints{}); !utf8.ValidString(fmt.Sprint(r)) {
			t.Errorf("%d: %q", n, fmt.Sprint(r))
		}
		if r := read(strings.Repeat("x", n-40)+" "+strings.Repeat("y", 39)+"€€", event.Hints{}); !utf8.ValidString(fmt.Sprint(r)) {
			t.Errorf("%d: %q", n, fmt.Sprint(r))
		}
	}
}
