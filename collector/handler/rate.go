package handler

import (
	"errors"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
)

// overRate refuses the whole of a request whose key has sent too many events.
type overRate struct{ wait time.Duration }

func (o *overRate) Error() string {
	return "too many events for this write key's rate_limit; none was taken, send them again after " + o.seconds() + " s"
}

// seconds is the wait rounded up, as Retry-After has it.
func (o *overRate) seconds() string {
	return strconv.FormatInt(int64((o.wait+time.Second-1)/time.Second), 10)
}

// withinRate takes n events from what the project's key may send, or refuses the request.
func (h *Handler) withinRate(p *collector.Project, n int) error {
	wait := p.Admit(n, h.Now())
	if wait == 0 {
		return nil
	}
	h.of(p).overRate.Add(int64(n))
	return &overRate{wait}
}

// setRetryAfter tells a sender over its rate when the same request would pass.
func setRetryAfter(ctx *fasthttp.RequestCtx, err error) {
	var over *overRate
	if errors.As(err, &over) {
		ctx.Response.Header.Set("Retry-After", over.seconds())
	}
}
