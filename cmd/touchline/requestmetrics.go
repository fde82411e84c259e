package main

import (
	"bytes"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
)

// endpoints are the paths that requests are counted by; all others are one, because anybody can ask for anything.
var endpoints = map[string]string{
	"/v1/batch": "batch", "/v1/b": "batch", "/v1/track": "track", "/v1/t": "track", "/v1/page": "page", "/v1/p": "page",
	"/v1/screen": "screen", "/v1/s": "screen", "/v1/identify": "identify", "/v1/i": "identify", "/v1/group": "group", "/v1/g": "group",
	"/v1/alias": "alias", "/v1/a": "alias", "/p.gif": "pixel", "/t.js": "script", "/healthz": "healthz", "/readyz": "readyz",
}

// statusClasses are the label values of a status: its first digit and xx.
var statusClasses = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// endpointMetrics are resolved once: finding a metric by its labels costs more than answering a pixel's request may.
type endpointMetrics struct {
	requests [len(statusClasses)]prometheus.Counter
	seconds  prometheus.Observer
}

// requestMetrics counts requests without a lock and without allocating.
type requestMetrics struct {
	byPath      map[string]*endpointMetrics
	pixel, link *endpointMetrics // by the beginning of the path
	script      *endpointMetrics // as well
	other       *endpointMetrics
	early       *endpointMetrics // refused before its path was known or its body was read
}

func newRequestMetrics(registry prometheus.Registerer) *requestMetrics {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "touchline_requests_total", Help: "Requests answered by the collector.",
	}, []string{"endpoint", "status"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "touchline_request_duration_seconds", Help: "How long requests took from their arrival to their answer, the spool's fsync included.",
		Buckets: prometheus.ExponentialBuckets(0.000_25, 2, 15), // to 4 s
	}, []string{"endpoint"})
	registry.MustRegister(requests, seconds)
	resolve := func(name string) *endpointMetrics {
		e := &endpointMetrics{seconds: seconds.WithLabelValues(name)}
		for i, class := range statusClasses {
			e.requests[i] = requests.WithLabelValues(name, class)
		}
		return e
	}
	m := &requestMetrics{byPath: make(map[string]*endpointMetrics), pixel: resolve("pixel"), link: resolve("link"), other: resolve("other"), early: resolve("unread")}
	byName := map[string]*endpointMetrics{"pixel": m.pixel}
	for path, name := range endpoints {
		if byName[name] == nil {
			byName[name] = resolve(name)
		}
		m.byPath[path] = byName[name]
	}
	m.script = byName["script"]
	return m
}

// count counts the requests that h answers.
func (m *requestMetrics) count(h fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		h(ctx)
		m.observe(ctx, time.Since(ctx.Time()))
	}
}

func (m *requestMetrics) observe(ctx *fasthttp.RequestCtx, took time.Duration) {
	path := ctx.Path()
	e := m.byPath[string(path)]
	switch {
	case e != nil:
	case bytes.HasPrefix(path, []byte("/v1/pixel/")):
		e = m.pixel
	case bytes.HasPrefix(path, []byte("/r/")):
		e = m.link
	case bytes.HasPrefix(path, []byte("/t.")):
		e = m.script
	default:
		e = m.other
	}
	e.answered(ctx.Response.StatusCode())
	e.seconds.Observe(took.Seconds())
}

// unread counts a request that was refused before its path was known or its body was read.
func (m *requestMetrics) unread(code int) { m.early.answered(code) }

func (e *endpointMetrics) answered(code int) {
	e.requests[min(max(code/100-1, 0), len(statusClasses)-1)].Inc()
}
