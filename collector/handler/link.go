package handler

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// link answers GET /r/{token}: it records the click and sends whoever clicked to the target, with the click's id.
//
// A person must arrive. So when the click cannot be recorded, or the project's links are over its rate, the redirect goes
// without an id: it is no acknowledgement, the metrics count why, and the log says when events cannot be stored. A token
// that is not ours leads nowhere, whatever the method.
func (h *Handler) link(ctx *fasthttp.RequestCtx) {
	if !allow(ctx, fasthttp.MethodGet, fasthttp.MethodHead) {
		return
	}
	header := &ctx.Response.Header
	header.Set("Cache-Control", "no-store")
	// The target learns which site the click came from, as from a link without a detour, and never the whole address.
	header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	projects := h.Projects()
	token := strings.TrimPrefix(string(ctx.Path()), linkPath)
	l, err := h.ReadLink(token, projects.LinkSecret, h.Now())
	if err != nil {
		h.count(collector.Result{}, err)
		answerText(ctx, fasthttp.StatusBadRequest, err.Error())
		return
	}
	location := l.Target
	switch {
	case ctx.IsHead(): // programs look where a link leads; nobody has clicked
	case isPrefetch(ctx):
		// Nobody has clicked yet, and a redirect fetched now would be used for the click that may follow. A failure
		// makes the browser ask again then.
		answerText(ctx, fasthttp.StatusServiceUnavailable, "this link counts clicks and cannot be fetched in advance")
		return
	default:
		id := h.newID()
		result, err := h.takeClick(ctx, projects.ByID(l.Project), &l, id)
		h.count(result, err)
		if err == nil {
			location = l.WithTouch(id)
		}
	}
	ctx.SetStatusCode(fasthttp.StatusFound)
	header.Set("Location", location)
}

// takeClick makes the click durable. It happened at the target: a campaign in the target's own URL counts if the link
// has none.
func (h *Handler) takeClick(ctx *fasthttp.RequestCtx, p *collector.Project, l *collector.Link, id string) (collector.Result, error) {
	if err := h.withinRate(p, 1); err != nil {
		return collector.Result{}, err
	}
	b := h.acquire()
	defer h.release(b)
	now := h.Now().UnixMilli()
	e := event.Event{
		MessageID: id, Type: event.Track, Name: event.LinkClicked, Origin: event.OriginLink,
		UserID: l.UserID, AnonymousID: l.AnonymousID,
		Timestamp: now, ReceivedAt: now, URL: l.Target, Referrer: text(ctx.Referer()),
		Source: l.Source, Medium: l.Medium, Campaign: l.Campaign, Term: l.Term, Content: l.Content,
		Properties: linkProperties(l),
	}
	e.SetStorageKey()
	b.messages = append(b.messages[:0], collector.Message{Event: e})
	return collector.Result{Messages: b.messages}, h.keep(ctx, b, p, b.messages)
}

func linkProperties(l *collector.Link) string {
	if l.Label == "" {
		return ""
	}
	text, _ := json.Marshal(map[string]string{"label": l.Label}) // strings cannot fail
	return string(text)
}

// isPrefetch reports whether a browser, or a program that makes previews, fetches a page before anybody asked for it.
func isPrefetch(ctx *fasthttp.RequestCtx) bool {
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		purpose := ctx.Request.Header.Peek(name)
		if bytes.Contains(purpose, []byte("prefetch")) || bytes.Contains(purpose, []byte("preview")) {
			return true
		}
	}
	return false
}

// answerText answers a person.
func answerText(ctx *fasthttp.RequestCtx, code int, text string) {
	ctx.SetStatusCode(code)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(text + "\n")
}
