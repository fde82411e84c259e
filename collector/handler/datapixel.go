package handler

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// dataPixel answers GET /v1/pixel/{type}?data=BASE64, whose data is a message with its writeKey.
func (h *Handler) dataPixel(ctx *fasthttp.RequestCtx) {
	if !allow(ctx, fasthttp.MethodGet) {
		return
	}
	typ := strings.TrimPrefix(string(ctx.Path()), dataPixelPath)
	result, err := h.takeDataPixel(ctx, event.Type(typ))
	h.count(result, err)
	answerPixel(ctx, result, err)
}

func (h *Handler) takeDataPixel(ctx *fasthttp.RequestCtx, typ event.Type) (collector.Result, error) {
	body, err := pixelData(ctx)
	if err != nil {
		return collector.Result{}, err
	}
	if len(body) > h.MaxEvent {
		return collector.Result{}, tooLarge(h.MaxEvent)
	}
	result, err := h.Decode.Single(body, typ, h.pixelRequest())
	if err != nil {
		return collector.Result{}, err
	}
	p, err := h.project(result.WriteKey)
	if err != nil {
		return collector.Result{}, err
	}
	if err := h.withinRate(p, 1); err != nil {
		return collector.Result{}, err
	}
	b := h.acquire()
	defer h.release(b)
	h.refuse(ctx, b, p, body, result.Rejected)
	return result, h.keep(ctx, b, p, result.Messages)
}

// pixelData decodes either alphabet of base64, padded or not. A plus that was not escaped in the URL has become a
// space.
func pixelData(ctx *fasthttp.RequestCtx) ([]byte, error) {
	data := strings.NewReplacer("+", "-", " ", "-", "/", "_", "=", "").Replace(string(ctx.QueryArgs().Peek("data")))
	if data == "" {
		return nil, fmt.Errorf("data is missing; want a message as base64 of JSON")
	}
	body, err := base64.RawURLEncoding.DecodeString(data)
	if err != nil {
		return nil, fmt.Errorf("data is not base64: %w", err)
	}
	return body, nil
}
