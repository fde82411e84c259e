package handler

import (
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
)

// preflight answers a browser's question whether it may send. The key is not part of it, so every origin may; whether
// its project lets it is decided when the request itself comes.
func preflight(ctx *fasthttp.RequestCtx) {
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	header := &ctx.Response.Header
	header.Set("Allow", "POST, OPTIONS")
	origin := ctx.Request.Header.Peek("Origin")
	if len(origin) == 0 {
		return
	}
	header.SetBytesV("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Methods", "POST")
	if asked := ctx.Request.Header.Peek("Access-Control-Request-Headers"); len(asked) > 0 {
		header.SetBytesV("Access-Control-Allow-Headers", asked)
	}
	header.Set("Access-Control-Max-Age", "86400")
	header.Set("Vary", "Origin, Access-Control-Request-Headers")
}

// crossOrigin lets the page that sent the request read the answer, or refuses a page that is none of the project's.
func crossOrigin(ctx *fasthttp.RequestCtx, p *collector.Project) error {
	origin := ctx.Request.Header.Peek("Origin")
	if len(origin) == 0 {
		return nil
	}
	if len(p.Origins) > 0 && !slices.Contains(p.Origins, string(origin)) {
		return &refusal{fasthttp.StatusForbidden, "origin is none of the project's; add it to origins, as scheme://host[:port]"}
	}
	ctx.Response.Header.SetBytesV("Access-Control-Allow-Origin", origin)
	ctx.Response.Header.Set("Vary", "Origin")
	return nil
}
