package handler

import "github.com/valyala/fasthttp"

// health answers GET /healthz: the process lives.
func (h *Handler) health(ctx *fasthttp.RequestCtx) {
	if allow(ctx, fasthttp.MethodGet, fasthttp.MethodHead) {
		ctx.SetContentType("text/plain; charset=utf-8")
		ctx.SetBodyString("ok\n")
	}
}

// ready answers GET /readyz: events can be taken. The cause of the contrary is in the log, for it may name paths.
func (h *Handler) ready(ctx *fasthttp.RequestCtx) {
	if !allow(ctx, fasthttp.MethodGet, fasthttp.MethodHead) {
		return
	}
	ctx.SetContentType("text/plain; charset=utf-8")
	if h.Sink.Err() != nil {
		ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
		ctx.SetBodyString("not ready: events cannot be stored at present\n")
		return
	}
	ctx.SetBodyString("ready\n")
}
