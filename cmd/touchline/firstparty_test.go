package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/collector/handler"
)

const firstPartySettings = `  trusted_proxies: [127.0.0.1, "2001:db8::/32"]
  paths: { "/img/logo.gif": /p.gif, "/px/": /v1/pixel/ }
  cookie: { name: tl, domain: Shop.Example, max_age: 30d }
`

// collectorSettings is a configuration whose collector has these settings, one a line from line 2 on.
func collectorSettings(lines string) string { return "collector:\n" + lines + oneProject }

func TestFirstPartySettings(t *testing.T) {
	load := func(text string) (*config, error) {
		name := filepath.Join(t.TempDir(), "touchline.yaml")
		writeFile(t, name, text)
		cfg, err := loadConfig(name)
		if err != nil {
			err = errors.New(strings.TrimPrefix(err.Error(), name))
		}
		return cfg, err
	}
	cfg, err := load(collectorSettings(firstPartySettings))
	if err != nil {
		t.Fatal(err)
	}
	wantProxies := handler.Proxies{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("2001:db8::/32")}
	wantPaths := map[string]string{"/img/logo.gif": "/p.gif", "/px/": "/v1/pixel/"}
	wantCookie := handler.Cookie{Name: "tl", Domain: "shop.example", MaxAge: 30 * 24 * time.Hour}
	if !reflect.DeepEqual(cfg.proxies, wantProxies) || !reflect.DeepEqual(cfg.Collector.Paths, wantPaths) || cfg.cookie != wantCookie {
		t.Errorf("got %v, %v, %+v", cfg.proxies, cfg.Collector.Paths, cfg.cookie)
	}
	cfg, err = load(collectorSettings("  cookie: { name: __Host-tl }\n"))
	if want := (handler.Cookie{Name: "__Host-tl", MaxAge: 395 * 24 * time.Hour}); err != nil || cfg.cookie != want {
		t.Errorf("got %+v, %v", cfg.cookie, err)
	}
	if cfg, err = load(oneProject); err != nil || cfg.proxies != nil || cfg.Collector.Paths != nil || cfg.cookie != (handler.Cookie{}) {
		t.Errorf("by default: %+v, %v", cfg, err)
	}

	for lines, want := range map[string]string{
		"  trusted_proxies: [10.0.0.0/8, proxy]\n": `:2:33: collector.trusted_proxies[1]: is "proxy"; want an address or a network, such as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32`,
		"  paths: { \"/v1/t\": /p.gif }\n":         `:2:21: collector.paths.'/v1/t': own path is one of endpoint track already, which stays`,
		"  paths:\n    /a: /p.gif\n    /px: /v1/pixel/\n": `:4:10: collector.paths.'/px': stands for "/v1/pixel/"; ` +
			`either both end in a slash, and all below is meant, or neither`,
		"  cookie: { domain: shop.example }\n":           `:2:13: collector.cookie.name: is missing; without a name there is no cookie`,
		"  cookie: { name: a b }\n":                      `:2:19: collector.cookie.name: is "a b"; want letters, digits, - and _`,
		"  cookie: { name: a, domain: .shop.example }\n": `:2:30: collector.cookie.domain: is ".shop.example"; want the site's domain, such as shop.example, without a dot in front`,
		"  cookie: { name: a, domain: 192.0.2.1 }\n":     `:2:30: collector.cookie.domain: is "192.0.2.1"; want the site's domain, such as shop.example, without a dot in front`,
		"  cookie: { name: a, domain: co.uk }\n":         `:2:30: collector.cookie.domain: is "co.uk", which is no one's own; browsers refuse cookies for it`,
		"  cookie: { name: __Host-a, domain: a.shop }\n": `:2:37: collector.cookie.domain: must be empty with a name that begins with __Host-`,
		"  cookie: { name: a, max_age: soon }\n":         `:2:31: collector.cookie.max_age: is "soon"; want a positive duration like 90d or 12h`,
		"  cookie: { name: a, max_age: 401d }\n":         `:2:31: collector.cookie.max_age: is "401d"; want between 1s and 400d, the longest that browsers keep a cookie`,
		"  cookie: { name: a, path: / }\n":               `:2:22: unknown key "path"`,
	} {
		if _, err := load(collectorSettings(lines)); err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", lines, err, want)
		}
	}
	_, err = load("projects:\n  - { id: shop, write_keys: [a], origins: [\"https://a.test\", \"https://b.test/\"], privacy: { mode: full } }\n")
	want := `:2:62: projects[0].origins[1]: is "https://b.test/"; want an origin as browsers send it, such as https://shop.example or https://*.shop.example, without a path`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// visitor is a browser as far as the collector can see: it keeps cookies.
type visitor struct {
	http.Client
	in     *instance.Installation
	header http.Header
}

func newVisitor(t *testing.T, in *instance.Installation, header http.Header) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{http.Client{Jar: jar, Timeout: time.Minute}, in, header}
}

// ask sends a request, a POST if there is a body, expects it to be taken, and returns the cookies it sets.
func (v *visitor) ask(t *testing.T, path, body string) []*http.Cookie {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+v.in.Addr+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = v.header.Clone()
	response, err := v.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close() // what it says is in the header
	if refused := response.Header.Get("X-Touchline-Rejected"); response.StatusCode != http.StatusOK || refused != "" {
		t.Fatalf("%s: %s %s", path, response.Status, refused)
	}
	return response.Cookies()
}

func (v *visitor) cookie(name string) string {
	for _, c := range v.Jar.Cookies(&url.URL{Scheme: "http", Host: v.in.Addr, Path: "/"}) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// From the browser to the table: the visitor's cookie, the address behind a proxy, an own path.
func TestFirstPartyCollecting(t *testing.T) {
	in := newInstallation(t, oneProject)
	settings := fmt.Sprintf("listen: %q, admin: \"127.0.0.1:0\", trusted_proxies: [127.0.0.1], cookie: { name: tl }, paths: { \"/logo.gif\": /p.gif }", in.Addr)
	writeFile(t, in.Config, "collector: { "+settings+" }\n"+
		"projects: [{ id: shop, write_keys: [wk_shop], origins: [\"http://"+in.Addr+"\"], privacy: { mode: full, ip: keep } }]\n")
	in.Up(t)

	browser := http.Header{"Origin": {"http://" + in.Addr}, "Sec-Fetch-Site": {"same-origin"}, "X-Forwarded-For": {"203.0.113.66, 203.0.113.5"}}
	anna, bert := newVisitor(t, in, browser), newVisitor(t, in, browser)
	cookie := anna.ask(t, "/logo.gif?k=wk_shop&e=page&mid=1", "")[0]
	if cookie.MaxAge != 395*24*3600 || !cookie.HttpOnly || cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("cookie %q", cookie.Raw)
	}
	first := anna.cookie("tl")
	anna.ask(t, "/v1/page", `{"writeKey":"wk_shop","messageId":"2"}`)
	bert.ask(t, "/v1/page", `{"writeKey":"wk_shop","messageId":"3","anonymousId":"berts-phone"}`)
	bert.ask(t, "/p.gif?k=wk_shop&e=page&mid=4", "")
	if again := anna.cookie("tl"); first == "" || again != first || bert.cookie("tl") != "berts-phone" {
		t.Errorf("cookies %q, then %q; bert's %q", first, again, bert.cookie("tl"))
	}
	mail := newVisitor(t, in, http.Header{"Forwarded": {`for="[2001:db8::5]:443"`}})
	mail.ask(t, "/p.gif?k=wk_shop&e=Email+Opened&uid=ada&mid=5", "")
	if c := mail.cookie("tl"); c != "" {
		t.Errorf("a mail program got cookie %q", c)
	}

	instance.Eventually(t, "events arrive", func() error {
		stdout, stderr, _ := in.Run(t, "sql", "SELECT message_id, anonymous_id, JSONExtractString(context, 'ip') AS ip FROM events ORDER BY message_id")
		want := strings.ReplaceAll("message_id,anonymous_id,ip\n1,ANNA,203.0.113.5\n2,ANNA,203.0.113.5\n"+
			"3,berts-phone,203.0.113.5\n4,berts-phone,203.0.113.5\n5,,2001:db8::5\n", "ANNA", first)
		if stdout != want {
			return fmt.Errorf("%q, %s; want %q", stdout, stderr, want)
		}
		return nil
	})
}
