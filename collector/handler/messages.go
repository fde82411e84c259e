package handler

import (
	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
)

// decodeFunc turns a body into messages. It keeps nothing of body.
type decodeFunc func(body []byte, req collector.Request) (collector.Result, error)

// messages answers a POST of messages whose decompressed body has at most limit bytes.
func (h *Handler) messages(ctx *fasthttp.RequestCtx, limit int, decodeBody decodeFunc) {
	if ctx.IsOptions() {
		h.preflight(ctx)
		return
	}
	h.allowOrigin(ctx)
	if !allow(ctx, fasthttp.MethodPost, fasthttp.MethodOptions) {
		return
	}
	result, err := h.takeMessages(ctx, limit, decodeBody)
	h.count(result, err)
	answer(ctx, result, err)
}

// takeMessages makes the request's messages durable. The error may be a *refusal. The messages themselves are gone when it
// returns; the result still says how many there were.
func (h *Handler) takeMessages(ctx *fasthttp.RequestCtx, limit int, decodeBody decodeFunc) (collector.Result, error) {
	b := h.acquire()
	defer h.release(b)
	var p *collector.Project
	var err error
	key, named := basicUser(ctx)
	if named { // no work is done for a stranger
		if p, err = h.admit(ctx, key); err != nil {
			return collector.Result{}, err
		}
	}
	body, err := h.body(ctx, &b.body, limit)
	if err != nil {
		return collector.Result{}, err
	}
	result, err := decodeBody(body, collector.Request{
		ReceivedAt: h.Now().UnixMilli(), FromBrowser: fromBrowser(ctx), Into: b.messages,
	})
	if err != nil {
		return collector.Result{}, err
	}
	b.messages = result.Messages
	if !named {
		if p, err = h.admit(ctx, result.WriteKey); err != nil {
			return collector.Result{}, err
		}
	}
	if err := h.withinRate(p, len(result.Messages)+len(result.Rejected)); err != nil {
		return collector.Result{}, err
	}
	if err := h.keep(ctx, b, p, result.Messages); err != nil {
		return collector.Result{}, err
	}
	return result, nil
}

// admit finds the project of a request and checks whether the page it comes from may send to it.
func (h *Handler) admit(ctx *fasthttp.RequestCtx, key string) (*collector.Project, error) {
	p, err := h.project(key)
	if err != nil {
		return nil, err
	}
	return p, crossOrigin(ctx, p)
}
