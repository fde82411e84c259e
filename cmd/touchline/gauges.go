package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// gauges reads what the parts count by themselves when it is asked. The spool's values are of one instant.
type gauges struct{ *server }

// Names that doctor reads.
const (
	metricSpool    = "touchline_spool_info"
	metricAccepted = "touchline_spool_accepted_events_total"
	metricPending  = "touchline_spool_pending_events"
	metricBatch    = "touchline_spool_batch_events"
	metricDisk     = "touchline_spool_disk_bytes"
	metricDamaged  = "touchline_spool_damaged_regions_total"
	metricLost     = "touchline_spool_lost_events_total"
	metricFailing  = "touchline_spool_failing"
	metricLoaded   = "touchline_configuration_loaded_timestamp_seconds"
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	descSpool     = describe(metricSpool, "The spool's id, as in column collector of table ledger.", "id")
	descAccepted  = describe(metricAccepted, "Records made durable since the spool was made: events, and refused messages.")
	descPending   = describe(metricPending, "Records that wait for the database.")
	descBatch     = describe(metricBatch, "Of the pending records, those that are on their way.")
	descBytes     = describe("touchline_spool_pending_bytes", "Size of the pending records.")
	descDisk      = describe(metricDisk, "Size of the spool's files.")
	descLimit     = describe("touchline_spool_limit_bytes", "Size at which the collector answers 503.")
	descDamaged   = describe(metricDamaged, "Damaged regions of the spool, since the start.")
	descLost      = describe(metricLost, "Records that damage has taken, since the start.")
	descFailing   = describe(metricFailing, "1 while the spool takes nothing and requests are answered 503.")
	descOldest    = describe("touchline_spool_oldest_seconds", "Age of the first event of the batch under way to the database; 0 when none is.")
	descEvents    = describe("touchline_events_total", "Events by what was answered, since the start.", "project", "outcome", "reason")
	descUndecided = describe("touchline_requests_refused_total", "Requests of which nothing was taken, since the start.", "reason")
	descOpen      = describe("touchline_connections", "Connections of clients that are open.")
	descTurned    = describe("touchline_connections_refused_total", "Connections refused because there were too many, since the start.", "limit")
	descUp        = describe("touchline_database_up", "1 when the database answers within a second.")
	descMemory    = describe("touchline_database_memory_bytes", "Memory that the database uses.")
	descParts     = describe("touchline_database_active_parts", "Parts to be merged, in the partition of events that has most.")
	descRestarts  = describe("touchline_engine_restarts_total", "How often the embedded engine died and was started again, since the start.")
	descGeo       = describe("touchline_geo_file_modified_timestamp_seconds", "When the geo file in use was last changed; Unix time.")
	descLoaded    = describe(metricLoaded, "When the configuration in use was read; Unix time.")
)

// Describe makes gauges a prometheus.Collector. Nothing is said beforehand: what there is depends on the installation.
func (g gauges) Describe(chan<- *prometheus.Desc) {}

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
	gauge(descFailing, bit(g.handler.Failing()))
	gauge(descOldest, g.metrics.oldestAge(time.Now()).Seconds())
	projects := g.handler.ByProject()
	for _, id := range slices.Sorted(maps.Keys(projects)) {
		counter(descEvents, float64(projects[id].Accepted), id, "accepted", "")
		counter(descEvents, float64(projects[id].OverRate), id, "over_rate", "")
		for reason, n := range projects[id].Rejected {
			counter(descEvents, float64(n), id, "rejected", reason)
		}
	}
	h := g.handler.Snapshot()
	counter(descUndecided, float64(h.Malformed), "malformed")
	counter(descUndecided, float64(h.Unauthorized), "unauthorized")
	counter(descUndecided, float64(h.Forbidden), "forbidden")
	counter(descUndecided, float64(h.TooLarge), "too_large")
	counter(descUndecided, float64(h.OverRate), "over_rate")
	counter(descUndecided, float64(h.Unavailable), "unavailable")
	l := g.listener.Stats()
	gauge(descOpen, float64(l.Open))
	counter(descTurned, float64(l.Refused), "all")
	counter(descTurned, float64(l.RefusedPerIP), "per_ip")
	g.collectDatabase(gauge)
	if g.engine != nil {
		counter(descRestarts, float64(g.engine.Restarts()))
	}
	if g.geo != nil {
		gauge(descGeo, float64(g.geo.Modified().Unix()))
	}
	gauge(descLoaded, float64(g.loaded.Load()))
}

// databaseAnswers is how long a scrape waits for the database.
const databaseAnswers = time.Second

// collectDatabase asks the database. What it does not answer in time is left out.
func (g gauges) collectDatabase(gauge func(*prometheus.Desc, float64, ...string)) {
	ctx, cancel := context.WithTimeout(context.Background(), databaseAnswers)
	defer cancel()
	memory, err := g.db.Memory(ctx)
	gauge(descUp, bit(err == nil))
	if err != nil {
		return
	}
	gauge(descMemory, float64(memory))
	if parts, err := g.db.ActiveParts(ctx); err == nil {
		gauge(descParts, float64(parts))
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
