package handler

import (
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// keep completes the messages and makes them durable, all of them or, as far as the sender is told, none.
func (h *Handler) keep(ctx *fasthttp.RequestCtx, b *buffers, p *collector.Project, messages []collector.Message) error {
	if len(messages)+len(b.refused) == 0 {
		return nil
	}
	sender := h.senderOf(ctx)
	h.recognize(ctx, p, &sender, messages)
	b.encoded, b.ends, b.records = b.encoded[:0], b.ends[:0], b.records[:0]
	for i := range messages {
		c, e := &messages[i].Client, &messages[i].Event
		p.Adopt(e)
		complete(c, &sender, e.Origin)
		h.Enrich.Enrich(p, c, e)
		b.encoded = append(b.encoded, collector.RecordEvent)
		b.encoded, _ = e.AppendBinary(b.encoded) // never fails
		b.ends = append(b.ends, len(b.encoded))
	}
	start := 0
	for _, end := range b.ends { // only now: encoded does not move any more
		b.records = append(b.records, b.encoded[start:end])
		start = end
	}
	err := h.Sink.Append(append(b.records, b.refused...))
	h.noteSink(err)
	if err != nil {
		return &refusal{fasthttp.StatusServiceUnavailable, "events cannot be stored at present; send them again later"}
	}
	h.of(p).add(int64(len(messages)), b.reasons)
	return nil
}

// noteSink logs when the sink begins to fail and when it works again, and not each request in between.
func (h *Handler) noteSink(err error) {
	if failed := err != nil; h.failing.Load() != failed && h.failing.CompareAndSwap(!failed, failed) {
		if failed {
			h.Log.Error("events cannot be stored, requests are answered with 503", "error", err)
		} else {
			h.Log.Info("events can be stored again")
		}
	}
}

// complete adds to what a message says of its sender what the request says. A server's request tells nothing of the
// person. The address 0.0.0.0 is how Segment's clients ask for none to be used.
func complete(c, sender *event.Client, origin event.Origin) {
	c.DoNotTrack = sender.DoNotTrack
	device := origin != event.OriginServer
	switch {
	case c.IP.IsUnspecified():
		c.IP = netip.Addr{}
	case device:
		c.IP = sender.IP
	}
	if device && c.UserAgent == "" {
		c.UserAgent = sender.UserAgent
	}
	if device && c.Hints == (event.Hints{}) {
		c.Hints = sender.Hints
	}
}

// senderOf returns what the request itself says of its sender, copied.
func (h *Handler) senderOf(ctx *fasthttp.RequestCtx) event.Client {
	header := &ctx.Request.Header
	ip, _ := netip.AddrFromSlice(ctx.RemoteIP())
	if ip = ip.Unmap(); ip.IsUnspecified() {
		ip = netip.Addr{}
	}
	return event.Client{
		IP:        h.Proxies.client(header, ip),
		UserAgent: text(header.UserAgent()),
		Hints: event.Hints{
			Brands:   text(header.Peek("Sec-CH-UA")),
			Platform: text(header.Peek("Sec-CH-UA-Platform")),
			Mobile:   text(header.Peek("Sec-CH-UA-Mobile")),
		},
		DoNotTrack: string(header.Peek("Sec-GPC")) == "1" || string(header.Peek("DNT")) == "1",
	}
}

// text copies what is UTF-8 of a header's value, which may be any bytes.
func text(value []byte) string { return strings.ToValidUTF8(string(value), "") }

// fromBrowser reports whether the request carries a header that only browsers send.
func fromBrowser(ctx *fasthttp.RequestCtx) bool {
	header := &ctx.Request.Header
	return len(header.Peek("Origin")) > 0 || len(header.Referer()) > 0 || len(header.Peek("Sec-Fetch-Site")) > 0
}
