package handler

import (
	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
)

// allowOrigin lets the page that sent the request read the answer, whatever it will be, if any project takes events from
// its origin: which one is meant is often only known from the body. It reports whether there is such a project.
//
// Only an origin that some project lists may send cookies. This has to be allowed whether or not there is a cookie:
// sendBeacon always asks for it, and its message would be lost.
func (h *Handler) allowOrigin(ctx *fasthttp.RequestCtx) bool {
	origin := ctx.Request.Header.Peek("Origin")
	if len(origin) == 0 {
		return true
	}
	header := &ctx.Response.Header
	header.Set("Vary", "Origin")
	takes, named := h.Projects().TakesFrom(origin)
	if takes {
		header.SetBytesV("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Expose-Headers", "Retry-After")
	}
	if named {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	return takes
}

// preflight answers a browser's question whether it may send. The key is no part of it, so it is enough that any project
// takes events from the origin; whether the right one does is decided when the request itself comes. Every header may be
// sent: clients have their own, and none means anything here that a stranger could not send without asking.
func (h *Handler) preflight(ctx *fasthttp.RequestCtx) {
	if !h.allowOrigin(ctx) {
		h.stats.forbidden.Add(1)
		AnswerError(ctx, fasthttp.StatusForbidden, "origin is none of any project's; add it to origins, as scheme://host[:port]")
		return
	}
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	header := &ctx.Response.Header
	header.Set("Allow", "POST, OPTIONS")
	if len(ctx.Request.Header.Peek("Origin")) == 0 {
		return
	}
	header.Set("Access-Control-Allow-Methods", "POST")
	if asked := ctx.Request.Header.Peek("Access-Control-Request-Headers"); len(asked) > 0 {
		header.SetBytesV("Access-Control-Allow-Headers", asked)
	}
	header.Set("Access-Control-Max-Age", "86400")
	header.Set("Vary", "Origin, Access-Control-Request-Headers")
}

// crossOrigin refuses a page that is none of the project's.
func crossOrigin(ctx *fasthttp.RequestCtx, p *collector.Project) error {
	if origin := ctx.Request.Header.Peek("Origin"); len(origin) > 0 && !p.TakesFrom(origin) {
		return &refusal{fasthttp.StatusForbidden, "origin is none of the project's; add it to origins, as scheme://host[:port]"}
	}
	return nil
}
