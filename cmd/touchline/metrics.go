package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
)

// metrics is what a running instance tells of itself. Counters begin anew with the process, but for those of the spool.
type metrics struct {
	registry *prometheus.Registry
	requests *requestMetrics
	runs     *runMetrics
	booked   *prometheus.CounterVec
	batches  prometheus.Counter
	rows     prometheus.Histogram
	bytes    prometheus.Histogram
	oldest   atomic.Int64 // ms, UTC: receipt of the first event of the batch under way; 0: none is
	inserts  prometheus.Histogram
	failures prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: newRegistry(),
		booked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "touchline_ledger_events_total", Help: "Events taken from the spool, as booked in the ledger.",
		}, []string{"project", "outcome", "reason"}),
		batches: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "touchline_batches_total", Help: "Batches delivered to the database.",
		}),
		rows: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "touchline_batch_records", Help: "Records of the batches taken from the spool.",
			Buckets: prometheus.ExponentialBuckets(1, 10, 6), // to 100,000
		}),
		bytes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "touchline_batch_bytes", Help: "Size of the batches taken from the spool.",
			Buckets: prometheus.ExponentialBuckets(1<<10, 4, 9), // to 64 MB
		}),
		inserts: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "touchline_insert_duration_seconds", Help: "How long inserts of events took, failed ones too.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14), // to 41 s
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "touchline_insert_failures_total", Help: "Inserts of events that failed.",
		}),
	}
	m.requests = newRequestMetrics(m.registry)
	m.runs = newRunMetrics(m.registry)
	m.registry.MustRegister(m.booked, m.batches, m.rows, m.bytes, m.inserts, m.failures)
	return m
}

// newRegistry has what every process tells of itself.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// taken notes a batch that was taken from the spool, a repeated one too.
func (m *metrics) taken(records [][]byte) {
	size := 0
	for _, r := range records {
		size += len(r)
	}
	m.rows.Observe(float64(len(records)))
	m.bytes.Observe(float64(size))
}

// oldestAge is the age of the first event of the batch under way, or 0.
func (m *metrics) oldestAge(now time.Time) time.Duration {
	oldest := m.oldest.Load()
	if oldest == 0 {
		return 0
	}
	return max(now.Sub(time.UnixMilli(oldest)), 0)
}

// meteredInserter is the store's inserter with an eye on it.
type meteredInserter struct {
	*store.Inserter
	metrics *metrics
}

func (in *meteredInserter) Insert(ctx context.Context, token string, records [][]byte) error {
	start := time.Now()
	var first event.Event
	if first.UnmarshalShared(records[0]) == nil {
		in.metrics.oldest.Store(first.ReceivedAt)
	}
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
	in.metrics.oldest.Store(0)
	for _, e := range entries {
		in.metrics.booked.WithLabelValues(e.Project, string(e.Outcome), e.Reason).Add(float64(e.Events))
	}
	return nil
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
	web := &http.Server{
		Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ReadTimeout: defaultArrival, WriteTimeout: defaultArrival, IdleTimeout: defaultIdle, MaxHeaderBytes: defaultHeader,
	}
	defer context.AfterFunc(ctx, func() { _ = web.Close() })()
	if err := web.Serve(s.admin); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("collector.admin: %w", err)
	}
	return nil
}
