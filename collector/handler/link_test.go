package handler

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/link"
	"github.com/touchline-hq/touchline/event"
)

const linkSecret = "a secret of the shop"

func signed(t *testing.T, project, secret string, expires int64) string {
	t.Helper()
	token, err := link.Sign(&collector.Link{
		Project: project, Target: "https://shop.test/sale?size=9#top",
		Source: "news", Medium: "email", Campaign: "spring", Term: "shoes", Content: "a",
		UserID: "ada", AnonymousID: "dev-1", Label: `the "footer"`, Expires: time.UnixMilli(expires),
	}, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return "/r/" + token
}

func textOf(status int, text string) response {
	return response{status: status, body: text + "\n", headers: headers{
		"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "strict-origin-when-cross-origin",
	}}
}

// redirected is the answer that leads to a place.
func redirected(location string) response {
	return response{status: 302, headers: headers{
		"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "strict-origin-when-cross-origin",
	}}
}

// follow asks for a link and checks the answer.
func (f *fixture) follow(t *testing.T, method, uri string, h headers, want response) {
	t.Helper()
	var got response
	got.status, got.headers, got.body = f.do(method, uri, "", h)
	if got.body == "" {
		delete(got.headers, "Content-Type") // fasthttp's default, which the collector switches off
	}
	equal(t, got, want)
}

func TestLink(t *testing.T) {
	f := newFixture()
	uri := signed(t, "shop", linkSecret, now+1000)
	h := headers{"User-Agent": "Mozilla/5.0", "Referer": "https://mail.test/inbox\xff", "Sec-GPC": "1", "Sec-CH-UA-Mobile": "?1"}
	f.follow(t, "GET", uri, h, redirected("https://shop.test/sale?size=9&tl_touch=fresh-1#top"))
	f.follow(t, "GET", uri+"?utm_source=appended", h, redirected("https://shop.test/sale?size=9&tl_touch=fresh-2#top"))

	click := event.Event{
		Project: "shop", MessageID: "fresh-1", Type: event.Track, Name: "Link Clicked", UserID: "ada", AnonymousID: "dev-1",
		URL: "https://shop.test/sale?size=9#top", Referrer: "https://mail.test/inbox",
		Source: "news", Medium: "email", Campaign: "spring", Term: "shoes", Content: "a",
		Properties: `{"label":"the \"footer\""}`, Origin: event.OriginLink,
	}
	again := click
	again.MessageID = "fresh-2"
	equal(t, f.sink.events(t), []event.Event{stored(click), stored(again)})
	equal(t, f.enrich.clients[0], event.Client{
		IP: netip.MustParseAddr("192.0.2.44"), UserAgent: "Mozilla/5.0", Hints: event.Hints{Mobile: "?1"}, DoNotTrack: true,
	})
	equal(t, f.Snapshot(), Stats{Accepted: 2})
}

func TestLinksThatLeadNowhere(t *testing.T) {
	good := signed(t, "shop", linkSecret, now+1000)
	const invalid, expired = "this link is not valid: it was cut off, altered, or never was one of ours", "this link has expired"
	for name, c := range map[string]struct{ uri, reason string }{
		"no token":                 {"/r/", invalid},
		"a target":                 {"/r/https://evil.test/", invalid},
		"cut off":                  {good[:len(good)-1], invalid},
		"altered":                  {good[:20] + "A" + good[21:], invalid},
		"a project without secret": {signed(t, "open", linkSecret, now+1000), invalid},
		"an unknown project":       {signed(t, "other", linkSecret, now+1000), invalid},
		"another secret":           {signed(t, "shop", "a secret of somebody", now+1000), invalid},
		"expired":                  {signed(t, "shop", linkSecret, now), expired},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD"} {
				f := newFixture()
				f.follow(t, method, c.uri, nil, textOf(400, c.reason))
				equal(t, f.Snapshot(), Stats{Malformed: 1})
				equal(t, f.sink.appends, 0)
			}
		})
	}
}

// Whoever looks ahead has not clicked: a program that asks where the link leads, a browser that fetches in advance.
func TestLinkIsNotClicked(t *testing.T) {
	f := newFixture()
	uri := signed(t, "shop", linkSecret, now+1000)
	f.follow(t, "HEAD", uri, nil, redirected("https://shop.test/sale?size=9#top"))
	for _, h := range []headers{
		{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Purpose": "preview"}, {"X-Moz": "prefetch"},
	} {
		f.follow(t, "GET", uri, h, textOf(503, "this link counts clicks and cannot be fetched in advance"))
	}
	equal(t, f.sink.appends, 0)
	equal(t, f.Snapshot(), Stats{})
}

// Who clicks arrives, recorded or not.
func TestLinkWhileSinkFails(t *testing.T) {
	f := newFixture()
	uri := signed(t, "shop", linkSecret, now+1000)
	f.sink.err = errors.New("disk is full")
	f.follow(t, "GET", uri, nil, redirected("https://shop.test/sale?size=9#top"))
	f.sink.err = nil
	f.follow(t, "GET", uri, nil, redirected("https://shop.test/sale?size=9&tl_touch=fresh-2#top"))
	equal(t, len(f.sink.records), 1)
	equal(t, f.Snapshot(), Stats{Accepted: 1, Unavailable: 1})
	equal(t, f.log.String(), "level=ERROR msg=\"events cannot be stored, requests are answered with 503\" error=\"disk is full\"\n"+
		"level=INFO msg=\"events can be stored again\"\n")
}

// A link made for a device may have been sent on: whoever clicks on it does not become that device, nor it theirs.
func TestLinkAndVisitorCookie(t *testing.T) {
	f := newFixture()
	f.Cookie = Cookie{Name: "visitor", MaxAge: time.Hour}
	h := headers{"Sec-Fetch-Site": "same-site", "Cookie": "visitor=somebody"}
	f.follow(t, "GET", signed(t, "shop", linkSecret, now+1000), h, redirected("https://shop.test/sale?size=9&tl_touch=fresh-1#top"))
	if got := f.sink.events(t); len(got) != 1 || got[0].AnonymousID != "dev-1" {
		t.Errorf("got %+v", got)
	}
}
