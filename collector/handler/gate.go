package handler

import "github.com/valyala/fasthttp"

// A body of a few kilobytes, or one compressed to less, can hold thousands of messages, which are megabytes while they are
// decoded and made durable. So of such requests only maxLarge are worked at together; the others wait with their bodies as
// they came. That is enough to share an fsync, and small requests never wait.
const (
	maxLarge  = 32
	smallBody = 2 << 10 // bytes
)

// gate is where large requests wait.
type gate chan struct{}

// enter waits for a place if the request needs one. The caller must call leave when it is done.
func (g gate) enter(ctx *fasthttp.RequestCtx) (leave func()) {
	if len(ctx.Request.Body()) <= smallBody && contentCoding(ctx) == "" {
		return func() {}
	}
	g <- struct{}{}
	return func() { <-g }
}
