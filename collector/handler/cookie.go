package handler

import (
	"net/url"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Cookie says how the visitor cookie is set. It holds an anonymousId, and no script can read it.
type Cookie struct {
	Name   string // empty: there is no such cookie
	Domain string // empty: only the collector's own host gets it back
	MaxAge time.Duration
}

// recognize gives messages without anonymousId that of their visitor, and renews the visitor's cookie.
//
// The visitor is whom the messages name, the last one if several; else whom the cookie names; else a new one. So cookie and
// script always agree, also when the script has begun anew because somebody else uses the browser now.
//
// Nothing here decides where a row is stored, for which SetStorageKey has run already: a retry may come with another
// cookie than the request it repeats, and the two must meet.
func (h *Handler) recognize(ctx *fasthttp.RequestCtx, p *collector.Project, sender *event.Client, messages []collector.Message) {
	if h.Cookie.Name == "" || p.RespectGPC && sender.DoNotTrack || !firstParty(ctx) {
		return
	}
	visitor, devices := named(messages)
	if devices == 0 {
		return
	}
	if visitor == "" {
		if visitor = string(ctx.Request.Header.Cookie(h.Cookie.Name)); !fitsCookie(visitor) {
			visitor = h.newID()
		}
	}
	for i := range messages {
		if e := &messages[i].Event; e.AnonymousID == "" && ofVisitor(e) {
			e.AnonymousID = visitor
		}
	}
	if fitsCookie(visitor) {
		h.setCookie(ctx, visitor)
	}
}

// named returns the last anonymousId in messages of a person's own device, and how many such messages there are.
func named(messages []collector.Message) (visitor string, devices int) {
	for i := range messages {
		e := &messages[i].Event
		if !ofVisitor(e) {
			continue
		}
		if devices++; e.AnonymousID != "" {
			visitor = e.AnonymousID
		}
	}
	return visitor, devices
}

// ofVisitor reports whether e tells of the device that has sent the request. A server's does not, and a click on a signed
// link tells of whom the link was made for: people send links on.
func ofVisitor(e *event.Event) bool {
	return e.Origin != event.OriginServer && e.Origin != event.OriginLink
}

func (h *Handler) setCookie(ctx *fasthttp.RequestCtx, visitor string) {
	cookie := fasthttp.AcquireCookie()
	defer fasthttp.ReleaseCookie(cookie)
	cookie.SetKey(h.Cookie.Name)
	cookie.SetValue(visitor)
	cookie.SetDomain(h.Cookie.Domain)
	cookie.SetPath("/")
	cookie.SetMaxAge(int(h.Cookie.MaxAge / time.Second))
	cookie.SetHTTPOnly(true)
	cookie.SetSecure(h.Proxies.https(ctx))
	cookie.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	ctx.Response.Header.SetCookie(cookie)
	ctx.Response.Header.Set("Cache-Control", "no-store")
}

// fitsCookie reports whether an anonymousId can be a cookie's value as it is (RFC 6265), and a cookie's value, which comes
// from outside, an anonymousId.
func fitsCookie(visitor string) bool {
	for i := range len(visitor) {
		if c := visitor[i]; c <= ' ' || c > '~' || c == '"' || c == ',' || c == ';' || c == '\\' {
			return false
		}
	}
	return visitor != "" && len(visitor) <= event.MaxID
}

// firstParty reports whether a page of the collector's own site has sent the request. Anywhere else, in a mail program
// above all, a browser would neither keep a SameSite cookie nor send it, and each request would make a new visitor.
//
// Old browsers, and pages without TLS, do not send Sec-Fetch-Site.
func firstParty(ctx *fasthttp.RequestCtx) bool {
	header := &ctx.Request.Header
	switch string(header.Peek("Sec-Fetch-Site")) {
	case "same-origin", "same-site":
		return true
	case "":
	default:
		return false
	}
	page := header.Peek("Origin")
	if len(page) == 0 {
		page = header.Referer()
	}
	from, err := url.Parse(string(page))
	own := url.URL{Host: string(ctx.Host())}
	return err == nil && collector.SameSite(from.Hostname(), own.Hostname())
}
