package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/link"
	"github.com/touchline-hq/touchline/js"
)

// Clicks happen when the server sees them, so the times here are minutes from now instead of days in January.

// click follows a link without going to its target, as a person with this user agent, and returns where it leads.
func (s *server) click(t *testing.T, project, userAgent string, c linkCommand) string {
	t.Helper()
	c.Project, c.Expires = project, "1h"
	token, err := c.token(s.cfg, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodGet, "http://"+s.listener.Addr().String()+"/r/"+token, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", userAgent)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	location, err := response.Location()
	if err != nil || response.StatusCode != http.StatusFound || location.Query().Get(collector.TouchParameter) == "" {
		t.Fatalf("answer %d, location %v, %v", response.StatusCode, location, err)
	}
	return location.String()
}

// landed is the view of the page that a click led to.
func landed(t *testing.T, when time.Time, device, location, ref string) map[string]any {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return page(when, device, u.RequestURI(), ref)
}

// linkHistory is what follows a click, and the journeys that attribution must make of it.
type linkHistory struct {
	about    string
	link     linkCommand
	agent    string
	follows  func(t *testing.T, start time.Time, location string) []map[string]any
	journeys []string
	touches  []string // "kind person channel source campaign path", sorted
}

func linkHistories() []linkHistory {
	news := linkCommand{To: "https://shop.example/sale?size=9#top", Source: "news", Medium: "email", Campaign: "spring", UID: "ann"}
	anonymous := news
	anonymous.UID = ""
	labelled := linkCommand{To: "https://shop.example/sale?utm_source=letter&utm_medium=direct_mail", UID: "ann"}
	const webmail = "https://mail.google.com/mail/u/0/"
	buys := func(start time.Time) map[string]any {
		return reported(start.Add(5*time.Minute), "ann", "Order Completed", map[string]any{"order_id": "o", "revenue": 9, "currency": "EUR"})
	}
	return []linkHistory{
		{
			about: "no session follows: the click is the touch", link: news, agent: desktop,
			follows: func(_ *testing.T, start time.Time, _ string) []map[string]any {
				return []map[string]any{buys(start)}
			},
			journeys: []string{"converted: Email (9)"},
			touches:  []string{"link ann Email news spring /sale"},
		},
		{
			about: "the session that follows is the touch, with what the link says", link: news, agent: desktop,
			follows: func(t *testing.T, start time.Time, location string) []map[string]any {
				return []map[string]any{
					landed(t, start, "d", location, webmail),
					page(start.Add(time.Minute), "d", "/sale/red", webmail), // an application: the referrer stays
					landed(t, start.Add(2*time.Minute), "d", location, webmail),
					identify(start.Add(3*time.Minute), "d", "ann"), buys(start),
				}
			},
			journeys: []string{"converted: Email (9)"},
			touches:  []string{"session ann Email news spring /sale"},
		},
		{
			about: "a click within the session of the same campaign is no other touch", link: news, agent: desktop,
			follows: func(t *testing.T, start time.Time, location string) []map[string]any {
				return []map[string]any{
					page(start.Add(-time.Minute), "d", "/?utm_source=news&utm_medium=email&utm_campaign=spring", ""),
					landed(t, start, "d", location, ""),
					identify(start.Add(time.Minute), "d", "ann"), buys(start),
				}
			},
			journeys: []string{"converted: Email (9)"},
			touches:  []string{"session ann Email news spring /"},
		},
		{
			about: "another campaign's click ends the session", link: news, agent: desktop,
			follows: func(t *testing.T, start time.Time, location string) []map[string]any {
				return []map[string]any{
					page(start.Add(-time.Minute), "d", "/", google),
					landed(t, start, "d", location, ""),
					identify(start.Add(time.Minute), "d", "ann"), buys(start),
				}
			},
			journeys: []string{"converted: Organic Search > Email (9)"},
			touches:  []string{"session ann Email news spring /sale", "session ann Organic Search google  /"},
		},
		{
			about: "a session of somebody else leaves the click to whom the link was made for", link: news, agent: desktop,
			follows: func(t *testing.T, start time.Time, location string) []map[string]any {
				return []map[string]any{landed(t, start, "friend", location, ""), buys(start)}
			},
			journeys: []string{"converted: Email (9)", "pending: Email (0)"},
			touches:  []string{"link ann Email news spring /sale", "session friend Email news spring /sale"},
		},
		{
			about: "a link made for nobody: the session alone", link: anonymous, agent: desktop,
			follows: func(t *testing.T, start time.Time, location string) []map[string]any {
				return []map[string]any{landed(t, start, "d", location, "")}
			},
			journeys: []string{"pending: Email (0)"},
			touches:  []string{"session d Email news spring /sale"},
		},
		{
			about: "the campaign of the target's own URL", link: labelled, agent: desktop,
			follows: func(t *testing.T, start time.Time, location string) []map[string]any {
				return []map[string]any{landed(t, start, "d", location, webmail), buys(start)}
			},
			journeys: []string{"converted: Direct Mail (9)", "pending: Direct Mail (0)"},
			touches:  []string{"link ann Direct Mail letter  /sale", "session d Direct Mail letter  /sale"},
		},
		{
			about: "a scanner's click is nobody's touch", link: news, agent: "python-requests/2.32",
			follows: func(_ *testing.T, start time.Time, _ string) []map[string]any {
				return []map[string]any{buys(start)}
			},
			journeys: []string{"converted:  (9)"},
		},
	}
}

func TestLinkTouches(t *testing.T) {
	all := linkHistories()
	var configuration strings.Builder
	configuration.WriteString("projects:\n")
	for i := range all {
		fmt.Fprintf(&configuration, "  - { id: l%d, write_keys: [k%d], link_secret: a secret of project %d, privacy: { mode: full } }\n", i, i, i)
	}
	withServer(t, configuration.String(), func(ctx context.Context, s *server) {
		for i, h := range all {
			location := s.click(t, fmt.Sprintf("l%d", i), h.agent, h.link)
			s.post(t, fmt.Sprintf("k%d", i), h.follows(t, time.Now().Add(time.Second), location))
		}
		if err := s.delivered(ctx); err != nil {
			t.Error(err)
			return
		}
		for i, h := range all {
			t.Run(h.about, func(t *testing.T) { checkLinkHistory(t, s, fmt.Sprintf("l%d", i), h) })
		}
	})
}

func checkLinkHistory(t *testing.T, s *server, project string, h linkHistory) {
	if _, err := attributeAll(t.Context(), s.installation, project); err != nil {
		t.Fatal(err)
	}
	got := s.column(t, "SELECT concat(state, ': ', arrayStringConcat(touches.channel, ' > '), ' (', toString(value), ')') AS j"+
		" FROM journeys WHERE project = '"+project+"' AND level = 'person' ORDER BY j")
	if !slices.Equal(got, h.journeys) {
		t.Errorf("journeys\n got  %q\n want %q", got, h.journeys)
	}
	got = s.column(t, "SELECT concat(kind, ' ', person, ' ', channel, ' ', source, ' ', campaign, ' ', landing_page) AS touch"+
		" FROM touchpoints WHERE project = '"+project+"' ORDER BY touch")
	if !slices.Equal(got, h.touches) {
		t.Errorf("touches\n got  %q\n want %q", got, h.touches)
	}
}

const linkSettings = `projects:
  - id: shop
    write_keys: [a]
    link_secret: sixteen bytes ok
    privacy: { mode: full }
  - { id: bare, write_keys: [b], privacy: { mode: full } }
`

func TestLinkCommand(t *testing.T) {
	in := newInstallation(t, linkSettings)
	stdout, stderr, code := in.Run(t, "link", "--project", "shop", "--to", "https://shop.example/a?b=c#d", "--source", "news", "--medium", "email",
		"--campaign", "spring", "--term", "x", "--content", "y", "--uid", "ann", "--aid", "d", "--label", "footer", "--expires", "90d",
		"--base", "https://t.shop.example/")
	token, ours := strings.CutPrefix(strings.TrimSpace(stdout), "https://t.shop.example/r/")
	if code != 0 || stderr != "" || !ours {
		t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
	}
	secret := func(string) []byte { return []byte("sixteen bytes ok") }
	got, err := link.Read(token, secret, time.Now())
	valid := time.Until(got.Expires)
	if got.Expires = (time.Time{}); err != nil || valid > 90*24*time.Hour || valid < 89*24*time.Hour || got != (collector.Link{
		Project: "shop", Target: "https://shop.example/a?b=c#d", Source: "news", Medium: "email", Campaign: "spring", Term: "x", Content: "y",
		UserID: "ann", AnonymousID: "d", Label: "footer",
	}) {
		t.Errorf("valid for %v: %+v, %v", valid, got, err)
	}

	to := []string{"--to", "https://shop.example/"}
	for want, args := range map[string][]string{
		`unknown project "other"; this installation has shop, bare`:                                         append(to, "--project", "other"),
		"project bare has no link_secret; set one in the configuration, such as openssl rand -hex 24 makes": append(to, "--project", "bare"),
		"target is no http or https URL; want one like https://shop.example/sale, without a user":           {"--project", "shop", "--to", "/sale"},
		`--expires is "soon"; want a positive duration like 90d or 12h`:                                     append(to, "--project", "shop", "--expires", "soon"),
		`--base is "t.shop.example"; want an address like https://t.shop.example`:                           append(to, "--project", "shop", "--base", "t.shop.example"),
	} {
		stdout, stderr, code := in.Run(t, append([]string{"link"}, args...)...)
		if line, _, _ := strings.Cut(stderr, "\n"); code == 0 || stdout != "" || line != "touchline: "+want {
			t.Errorf("%q: exit code %d, %s%s", args, code, stdout, stderr)
		}
	}
}

func TestShortLinkSecret(t *testing.T) {
	in := newInstallation(t, strings.Replace(linkSettings, "sixteen bytes ok", "fifteen bytes..", 1))
	_, err := loadConfig(in.Config)
	want := in.Config + ":5:18: projects[0].link_secret: has 15 bytes; want at least 16, such as openssl rand -hex 24 makes"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// What browsers are served is the script that the repository holds.
func TestScriptIsServed(t *testing.T) {
	withServer(t, linkSettings, func(_ context.Context, s *server) {
		response, err := http.Get("http://" + s.listener.Addr().String() + "/t.js")
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || !bytes.Equal(body, js.Script) || !bytes.Contains(body, []byte("touchline.js")) {
			t.Errorf("answer %d, %d bytes, %v", response.StatusCode, len(body), err)
		}
	})
}
