package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/handler"
	"github.com/touchline-hq/touchline/collector/listener"
	"github.com/touchline-hq/touchline/collector/spool"
	"github.com/touchline-hq/touchline/store"
)

// metrics is what a running instance tells of itself. Counters begin anew with the process, but for those of the spool.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	booked   *prometheus.CounterVec
	batches  prometheus.Counter
	inserts  prometheus.Histogram
	failures prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "touchline_requests_total", Help: "Requests answered by the collector.",
		}, []string{"endpoint", "status"}),
		booked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "touchline_ledger_events_total", Help: "Events taken from the spool, as booked in the ledger.",
		}, []string{"project", "outcome", "reason"}),
		batches: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "touchline_batches_total", Help: "Batches delivered to the database.",
		}),
		inserts: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "touchline_insert_duration_seconds", Help: "How long inserts of events took, failed ones too.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14), // to 41 s
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "touchline_insert_failures_total", Help: "Inserts of events that failed.",
		}),
	}
	m.registry.MustRegister(m.requests, m.booked, m.batches, m.inserts, m.failures,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// endpoints are the paths that requests are counted by; all others are one, because anybody can ask for anything.
var endpoints = map[string]string{
	"/v1/batch": "batch", "/v1/b": "batch", "/v1/track": "track", "/v1/t": "track", "/v1/page": "page", "/v1/p": "page",
	"/v1/screen": "screen", "/v1/s": "screen", "/v1/identify": "identify", "/v1/i": "identify", "/v1/group": "group", "/v1/g": "group",
	"/v1/alias": "alias", "/v1/a": "alias", "/p.gif": "pixel", "/t.js": "script", "/healthz": "healthz", "/readyz": "readyz",
}

// count counts the requests that h answers.
func (m *metrics) count(h fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		h(ctx)
		endpoint, ok := endpoints[string(ctx.Path())]
		switch {
		case ok:
		case bytes.HasPrefix(ctx.Path(), []byte("/v1/pixel/")):
			endpoint = "pixel"
		case bytes.HasPrefix(ctx.Path(), []byte("/r/")):
			endpoint = "link"
		case bytes.HasPrefix(ctx.Path(), []byte("/t.")):
			endpoint = "script"
		default:
			endpoint = "other"
		}
		m.requests.WithLabelValues(endpoint, strconv.Itoa(ctx.Response.StatusCode())).Inc()
	}
}

// unread counts a request that was refused before its path was known or its body was read.
func (m *metrics) unread(code int) { m.requests.WithLabelValues("unread", strconv.Itoa(code)).Inc() }

// meteredInserter is the store's inserter with an eye on it.
type meteredInserter struct {
	*store.Inserter
	metrics *metrics
}

func (in *meteredInserter) Insert(ctx context.Context, token string, records [][]byte) error {
	start := time.Now()
	err := in.Inserter.Insert(ctx, token, records)
	in.metrics.inserts.Observe(time.Since(start).Seconds())
	if err != nil {
		in.metrics.failures.Inc()
	}
	return err
}

func (in *meteredInserter) Book(ctx context.Context, token string, entries []collector.Entry) error {
	err := in.Inserter.Book(ctx, token, entries)
	if err != nil {
		return err
	}
	in.metrics.batches.Inc()
	for _, e := range entries {
		in.metrics.booked.WithLabelValues(e.Project, string(e.Outcome), e.Reason).Add(float64(e.Events))
	}
	return nil
}

// gauges reads what spool, handler and listener count by themselves. The spool's values are of one instant.
type gauges struct {
	spool    *spool.Spool
	handler  *handler.Handler
	listener *listener.Listener
}

// Names that doctor reads.
const (
	metricSpool    = "touchline_spool_info"
	metricAccepted = "touchline_spool_accepted_events_total"
	metricPending  = "touchline_spool_pending_events"
	metricBatch    = "touchline_spool_batch_events"
	metricDisk     = "touchline_spool_disk_bytes"
	metricDamaged  = "touchline_spool_damaged_regions_total"
	metricLost     = "touchline_spool_lost_events_total"
)

var (
	descSpool     = prometheus.NewDesc(metricSpool, "The spool's id, as in column collector of table ledger.", []string{"id"}, nil)
	descAccepted  = prometheus.NewDesc(metricAccepted, "Events made durable since the spool was made.", nil, nil)
	descPending   = prometheus.NewDesc(metricPending, "Events that wait for the database.", nil, nil)
	descBatch     = prometheus.NewDesc(metricBatch, "Of the pending events, those that are on their way.", nil, nil)
	descBytes     = prometheus.NewDesc("touchline_spool_pending_bytes", "Size of the pending events.", nil, nil)
	descDisk      = prometheus.NewDesc(metricDisk, "Size of the spool's files.", nil, nil)
	descLimit     = prometheus.NewDesc("touchline_spool_limit_bytes", "Size at which the collector answers 503.", nil, nil)
	descDamaged   = prometheus.NewDesc(metricDamaged, "Damaged regions of the spool, since the start.", nil, nil)
	descLost      = prometheus.NewDesc(metricLost, "Events that damage has taken, since the start.", nil, nil)
	descEvents    = prometheus.NewDesc("touchline_events_total", "Events of requests that were understood, since the start.", []string{"outcome"}, nil)
	descUndecided = prometheus.NewDesc("touchline_requests_refused_total", "Requests of which nothing was taken, since the start.", []string{"reason"}, nil)
	descOverRate  = prometheus.NewDesc("touchline_over_rate_events_total", "Events refused because their write key was over its rate, since the start.", []string{"project"}, nil)

	descConnections = prometheus.NewDesc("touchline_connections", "Connections of clients that are open.", nil, nil)
	descRefused     = prometheus.NewDesc("touchline_connections_refused_total", "Connections refused because there were too many, since the start.", []string{"limit"}, nil)
)

// Describe makes gauges a prometheus.Collector.
func (g gauges) Describe(c chan<- *prometheus.Desc) { prometheus.DescribeByCollect(g, c) }

// Collect makes gauges a prometheus.Collector.
func (g gauges) Collect(c chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	counter := func(desc *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, v, labels...)
	}
	s := g.spool.Stats()
	gauge(descSpool, 1, g.spool.ID())
	counter(descAccepted, float64(s.Accepted))
	gauge(descPending, float64(s.Records))
	gauge(descBatch, float64(s.Batch))
	gauge(descBytes, float64(s.Bytes))
	gauge(descDisk, float64(s.Disk))
	gauge(descLimit, float64(s.Limit))
	counter(descDamaged, float64(s.Damaged))
	counter(descLost, float64(s.Lost))
	h := g.handler.Snapshot()
	counter(descEvents, float64(h.Accepted), "accepted")
	counter(descEvents, float64(h.Rejected), "rejected")
	counter(descUndecided, float64(h.Malformed), "malformed")
	counter(descUndecided, float64(h.Unauthorized), "unauthorized")
	counter(descUndecided, float64(h.Forbidden), "forbidden")
	counter(descUndecided, float64(h.TooLarge), "too_large")
	counter(descUndecided, float64(h.OverRate), "over_rate")
	counter(descUndecided, float64(h.Unavailable), "unavailable")
	for project, events := range g.handler.OverRate() {
		counter(descOverRate, float64(events), project)
	}
	l := g.listener.Stats()
	gauge(descConnections, float64(l.Open))
	counter(descRefused, float64(l.Refused), "all")
	counter(descRefused, float64(l.RefusedPerIP), "per_ip")
}

// listenAdmin opens the admin listener. It is nil when another program has the port: collecting does not depend on it.
func (s *server) listenAdmin() (net.Listener, error) {
	address := s.cfg.Collector.Admin
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		s.log.Warn("no metrics: the address is in use by another program; stop that, or set another one in the configuration", "collector.admin", address)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("collector.admin: %w", err)
	}
	return listener, nil
}

// administer answers on the admin listener until ctx is done.
func (s *server) administer(ctx context.Context) error {
	if s.admin == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	web := &http.Server{Handler: mux, ReadTimeout: defaultArrival, WriteTimeout: defaultArrival, IdleTimeout: defaultIdle, MaxHeaderBytes: defaultHeader}
	defer context.AfterFunc(ctx, func() { _ = web.Close() })()
	if err := web.Serve(s.admin); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("collector.admin: %w", err)
	}
	return nil
}
