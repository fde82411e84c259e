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

// takeMessages makes the request's messages durable, the refused ones too. The error may be a *refusal. The messages
// themselves are gone when it returns; the result still says how many there were.
func (h *Handler) takeMessages(ctx *fasthttp.RequestCtx, limit int, decodeBody decodeFunc) (collector.Result, error) {
	defer h.large.enter(ctx)()
	b := h.acquire()
	defer h.release(b)
	p, body, result, err := h.readMessages(ctx, b, limit, decodeBody)
	if err != nil {
		h.refuseRequest(ctx, p, err)
		return collector.Result{}, err
	}
	h.refuse(ctx, b, p, body, result.Rejected)
	if err := h.keep(ctx, b, p, result.Messages); err != nil {
		return collector.Result{}, err
	}
	return result, nil
}

// readMessages decodes the request. With an error the project may be known or nil.
func (h *Handler) readMessages(ctx *fasthttp.RequestCtx, b *buffers, limit int, decodeBody decodeFunc) (p *collector.Project, body []byte, result collector.Result, err error) {
	key, named := basicUser(ctx)
	if named { // no work is done for a stranger
		if p, err = h.admit(ctx, key); err != nil {
			return p, nil, result, err
		}
	}
	if body, err = h.body(ctx, &b.body, limit); err != nil {
		return p, nil, result, err
	}
	result, err = decodeBody(body, collector.Request{
		ReceivedAt: h.Now().UnixMilli(), FromBrowser: fromBrowser(ctx), Into: b.messages,
	})
	if err != nil {
		return p, nil, result, err
	}
	b.messages = result.Messages
	if !named {
		if p, err = h.admit(ctx, result.WriteKey); err != nil {
			return p, nil, result, err
		}
	}
	return p, body, result, h.withinRate(p, len(result.Messages)+len(result.Rejected))
}

// admit finds the project of a request and checks whether the page it comes from may send to it. The project is known
// when that may not.
func (h *Handler) admit(ctx *fasthttp.RequestCtx, key string) (*collector.Project, error) {
	p, err := h.project(key)
	if err != nil {
		return nil, err
	}
	return p, crossOrigin(ctx, p)
}
