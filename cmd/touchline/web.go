package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector/handler"
	"github.com/touchline-hq/touchline/collector/listener"
)

// web is the collector's HTTP server. It takes bodies of any type as they are; those of forms, too.
func (s *server) web() *fasthttp.Server {
	l := &s.cfg.limits
	return &fasthttp.Server{
		Handler: s.whole(s.metrics.requests.count(s.handler.Handle)), ErrorHandler: s.refuse, HeaderReceived: distrust,
		StreamRequestBody: true, ExpectHandler: s.expect,
		Name: "touchline", NoDefaultServerHeader: true, NoDefaultContentType: true, DisablePreParseMultipartForm: true,
		ReadTimeout: l.read, WriteTimeout: l.write, IdleTimeout: l.idle,
		MaxRequestBodySize: l.body, ReadBufferSize: l.header,
		CloseOnShutdown: true, Logger: silent{},
	}
}

// distrust makes a request that says its length in two ways the last of its connection: a proxy in between may have
// believed the other one, and what it took for the next request would be somebody else's.
func distrust(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	const chunked = -1
	if header.ContentLength() == chunked && bytes.Contains(bytes.ToLower(header.RawHeaders()), []byte("content-length:")) {
		header.SetConnectionClose()
	}
	return fasthttp.RequestConfig{}
}

// whole lets h answer requests whose bodies have arrived. It reads them because the server itself would take memory for
// all that a header announces, at once: thousands of connections, a few bytes from each, would take gigabytes. This way a
// connection costs twice what it has sent at most.
func (s *server) whole(h fasthttp.RequestHandler) fasthttp.RequestHandler {
	const keep = 4 << 20 // bytes of a buffer that is used again
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	return func(ctx *fasthttp.RequestCtx) {
		if !ctx.Request.IsBodyStream() {
			h(ctx)
			return
		}
		body, _ := buffers.Get().(*bytes.Buffer) // the pool holds nothing else
		defer func() {
			if body.Cap() <= keep {
				buffers.Put(body)
			}
		}()
		if err := s.readBody(ctx, body); err != nil {
			s.refuse(ctx, err)
			ctx.SetConnectionClose()
			return
		}
		ctx.Request.SetBodyRaw(body.Bytes())
		h(ctx)
	}
}

// expect answers a client that asks before it sends a body.
func (s *server) expect(ctx *fasthttp.RequestCtx) int {
	if ctx.Request.Header.ContentLength() > s.cfg.limits.body {
		s.refuse(ctx, fasthttp.ErrBodyTooLarge)
		return fasthttp.StatusRequestEntityTooLarge
	}
	return fasthttp.StatusContinue
}

// readBody replaces body by that of a request. The server's limits are for what it reads itself, and it takes the end of
// a connection for the end of a body.
func (s *server) readBody(ctx *fasthttp.RequestCtx, body *bytes.Buffer) error {
	limit, announced := s.cfg.limits.body, ctx.Request.Header.ContentLength() // negative: in chunks
	if announced > limit {
		return fasthttp.ErrBodyTooLarge
	}
	body.Reset()
	_, err := body.ReadFrom(io.LimitReader(ctx.RequestBodyStream(), int64(limit)+1))
	switch {
	case err != nil:
		return err
	case body.Len() > limit:
		return fasthttp.ErrBodyTooLarge
	case body.Len() < announced:
		return io.ErrUnexpectedEOF
	default:
		return nil
	}
}

// refuse answers a request that is no HTTP, too slow or too large to be read, in the form of all other answers. The
// connection ends with it: where the next request would begin is not known.
func (s *server) refuse(ctx *fasthttp.RequestCtx, err error) {
	code, reason := refusal(&s.cfg.limits, err)
	handler.AnswerError(ctx, code, reason)
	s.metrics.requests.unread(code)
	if code != fasthttp.StatusRequestTimeout {
		listener.Linger(ctx.Conn())
	}
}

func refusal(l *limits, err error) (code int, reason string) {
	var header *fasthttp.ErrSmallBuffer
	var network net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return fasthttp.StatusRequestEntityTooLarge, fmt.Sprintf("body is too large; at most %d bytes are read", l.body)
	case errors.As(err, &header):
		return fasthttp.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("header is too large; at most %d bytes are read", l.header)
	case errors.As(err, &network) && network.Timeout():
		return fasthttp.StatusRequestTimeout, fmt.Sprintf("request did not arrive within %v", l.read)
	default:
		return fasthttp.StatusBadRequest, "request cannot be read as HTTP"
	}
}

// silent drops what the HTTP server says of connections that end in an error: it names clients' addresses, and refuse
// has counted them.
type silent struct{}

func (silent) Printf(string, ...any) {}
