package handler

import (
	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// single answers POST /v1/{type}.
func single(typ event.Type) func(*Handler, *fasthttp.RequestCtx) {
	return func(h *Handler, ctx *fasthttp.RequestCtx) {
		h.messages(ctx, h.MaxEvent, func(body []byte, req collector.Request) (collector.Result, error) {
			return h.Decode.Single(body, typ, req)
		})
	}
}
