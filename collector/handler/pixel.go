package handler

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// gif is the smallest transparent image that every mail program shows: 1×1, 43 bytes.
const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00" +
	",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// pixel answers GET /p.gif?k=KEY&e=EVENT&….
func (h *Handler) pixel(ctx *fasthttp.RequestCtx) {
	if !allow(ctx, fasthttp.MethodGet) {
		return
	}
	result, err := h.takePixel(ctx)
	h.count(result, err)
	answerPixel(ctx, result, err)
}

func (h *Handler) takePixel(ctx *fasthttp.RequestCtx) (collector.Result, error) {
	args := ctx.QueryArgs()
	p, err := h.project(string(args.Peek("k")))
	if err != nil {
		return collector.Result{}, err
	}
	if err := h.withinRate(p, 1); err != nil {
		return collector.Result{}, err
	}
	b := h.acquire()
	defer h.release(b)
	b.messages = append(b.messages[:0], collector.Message{})
	if err := h.Decode.Pixel(&b.messages[0], args, h.pixelRequest()); err != nil {
		return h.refusePixel(ctx, b, p, err)
	}
	return collector.Result{Messages: b.messages}, h.keep(ctx, b, p, b.messages)
}

// pixelRequest gives each pixel without an id a new one. Nobody repeats a pixel's request, and two that are the same
// are two views: a hash would count them once.
func (h *Handler) pixelRequest() collector.Request {
	return collector.Request{ReceivedAt: h.Now().UnixMilli(), Origin: event.OriginPixel, NewID: h.newID}
}

// answerPixel always answers the image, lest a page show a broken one; a header says what was wrong.
func answerPixel(ctx *fasthttp.RequestCtx, result collector.Result, err error) {
	ctx.SetContentType("image/gif")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.SetBodyString(gif)
	switch {
	case err != nil:
		ctx.Response.Header.Set("X-Touchline-Rejected", headerText(err.Error()))
	case len(result.Rejected) > 0:
		ctx.Response.Header.Set("X-Touchline-Rejected", headerText(result.Rejected[0].Reason))
	}
}

// headerText leaves what every client and proxy takes in a header: printable ASCII.
func headerText(reason string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, reason)
}
