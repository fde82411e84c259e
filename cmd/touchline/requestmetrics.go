package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector/handler"
)

// statusClasses are the label values of a status: its first digit and xx.
var statusClasses = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// endpointMetrics are resolved once: finding a metric by its labels costs more than answering a pixel's request may.
type endpointMetrics struct {
	requests [len(statusClasses)]prometheus.Counter
	seconds  prometheus.Observer
}

// requestMetrics counts requests without a lock and without allocating.
type requestMetrics struct {
	byName map[string]*endpointMetrics // of handler.Endpoints
	other  *endpointMetrics            // all other paths are one, because anybody can ask for anything
	early  *endpointMetrics            // refused before its path was known or its body was read
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
	m := &requestMetrics{byName: make(map[string]*endpointMetrics), other: resolve("other"), early: resolve("unread")}
	for _, e := range handler.Endpoints() {
		m.byName[e.Name] = resolve(e.Name)
	}
	return m
}

// count counts the requests that h answers.
func (m *requestMetrics) count(h fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		start := time.Now()
		h(ctx)
		m.observe(ctx, time.Since(start))
	}
}

func (m *requestMetrics) observe(ctx *fasthttp.RequestCtx, took time.Duration) {
	e := m.other
	if endpoint := handler.EndpointAt(ctx.Path()); endpoint != nil {
		e = m.byName[endpoint.Name]
	}
	e.answered(ctx.Response.StatusCode())
	e.seconds.Observe(took.Seconds())
}

// unread counts a request that was refused before its path was known or its body was read.
func (m *requestMetrics) unread(code int) { m.early.answered(code) }

func (e *endpointMetrics) answered(code int) {
	e.requests[min(max(code/100-1, 0), len(statusClasses)-1)].Inc()
}
