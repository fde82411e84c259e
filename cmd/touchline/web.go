package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector/handler"
	"github.com/touchline-hq/touchline/collector/listener"
)

// web is the collector's HTTP server. It reads bodies of any type as they are; those of forms, too.
func (s *server) web() *fasthttp.Server {
	l := &s.cfg.limits
	return &fasthttp.Server{
		Handler: s.metrics.requests.count(s.handler.Handle), ErrorHandler: s.refuse, HeaderReceived: distrust,
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
