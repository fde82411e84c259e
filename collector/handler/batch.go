package handler

import "github.com/valyala/fasthttp"

// batch answers POST /v1/batch.
func (h *Handler) batch(ctx *fasthttp.RequestCtx) {
	h.messages(ctx, h.MaxBatch, h.Decode.Batch)
}
