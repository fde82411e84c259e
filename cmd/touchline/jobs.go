package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/datadir"
)

// jobsCommand keeps the tables of attribution up to date, as up does, and nothing else.
type jobsCommand struct{}

func (c *jobsCommand) Run(ctx context.Context, g *globals) error {
	s, err := c.start(ctx, g)
	if err != nil {
		return err
	}
	defer s.stop()
	for _, warning := range s.cfg.warnings {
		fmt.Fprintln(g.stderr, "note:", warning)
	}
	fmt.Fprintf(g.stderr, "jobs       attribution every %s, projects: %d\n", s.cfg.Jobs.Every, len(s.cfg.attributed))
	if s.admin != nil {
		fmt.Fprintf(g.stderr, "metrics    http://%s/metrics\n", s.admin.Addr())
	}
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return s.administer(running) })
	group.Go(func() error { return s.reload(running, g) })
	group.Go(func() error { return s.runJobs(running) })
	return group.Wait()
}

// start connects to a database that is there already: the engine is up's.
func (c *jobsCommand) start(ctx context.Context, g *globals) (*server, error) {
	cfg, err := g.load()
	if err != nil {
		return nil, err
	}
	dir := g.dataDir(cfg)
	_, running, err := datadir.FindInstance(dir)
	switch {
	case err != nil:
		return nil, err
	case cfg.every == 0:
		return nil, fmt.Errorf("jobs.every is %s: there is nothing to do; set a time like 15m", cfg.Jobs.Every)
	case cfg.ClickHouse.DSN == "" && !running:
		return nil, fmt.Errorf("no instance runs in %s, and clickhouse.dsn names no server: start touchline up, which runs jobs by itself, or set clickhouse.dsn", dir)
	}
	in, err := g.open(ctx)
	if err != nil {
		return nil, err
	}
	registry := newRegistry()
	s := &server{installation: in, reloaded: make(chan struct{}, 1), metrics: &metrics{registry: registry, runs: newRunMetrics(registry)}}
	s.use(in.cfg)
	if s.admin, err = s.listenAdmin(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// jobsConfig is jobs.
type jobsConfig struct {
	Every string `yaml:"every"`
}

// leastEvery is how often jobs may run at most.
const leastEvery = time.Minute

// complete returns the time between runs; 0: there are none.
func (c *jobsConfig) complete() (time.Duration, error) {
	setDefault(&c.Every, "15m")
	if c.Every == "off" || c.Every == "0" {
		return 0, nil
	}
	every, err := parseDuration(c.Every)
	if err != nil || every < leastEvery {
		return 0, &configError{"jobs.every", fmt.Sprintf("is %q; want a time like 15m, at least 1m, or off", c.Every)}
	}
	return every, nil
}

// runMetrics are of scheduled runs.
type runMetrics struct {
	runs          *prometheus.CounterVec
	seconds, asOf *prometheus.GaugeVec
}

func newRunMetrics(registry prometheus.Registerer) *runMetrics {
	m := &runMetrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "touchline_attribution_runs_total", Help: "Scheduled runs of attribution that ended, since the start.",
		}, []string{"project", "result"}),
		seconds: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "touchline_attribution_duration_seconds", Help: "How long the last scheduled run took, a failed one too.",
		}, []string{"project"}),
		asOf: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "touchline_attribution_as_of_timestamp_seconds", Help: "Time of the newest event that the last good scheduled run has seen; Unix time.",
		}, []string{"project"}),
	}
	registry.MustRegister(m.runs, m.seconds, m.asOf)
	return m
}

func (m *runMetrics) ended(r *store.Run) {
	m.seconds.WithLabelValues(r.Project).Set(r.Ended.Sub(r.Started).Seconds())
	if r.Error != "" {
		m.failed(r.Project)
		return
	}
	m.runs.WithLabelValues(r.Project, "done").Inc()
	m.asOf.WithLabelValues(r.Project).Set(float64(r.AsOf.UnixMilli()) / 1000)
}

// failed counts a run that failed or could not even begin.
func (m *runMetrics) failed(project string) { m.runs.WithLabelValues(project, "failed").Inc() }

// runJobs keeps the tables up to date until ctx is done.
func (s *server) runJobs(ctx context.Context) error {
	if s.cfg.every == 0 {
		return nil
	}
	return schedule(ctx, s.cfg.every, s.turn, s.log)
}

// schedule calls turn at once and then every so often, never two at a time, until ctx is done. A turn that panics costs
// itself alone: collecting goes on.
func schedule(ctx context.Context, every time.Duration, turn func(context.Context), log *slog.Logger) error {
	scheduler, err := gocron.NewScheduler(gocron.WithStopTimeout(finishRequests))
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	_, err = scheduler.NewJob(gocron.DurationJob(every), gocron.NewTask(func() { turn(ctx) }),
		gocron.WithSingletonMode(gocron.LimitModeReschedule),
		gocron.WithStartAt(gocron.WithStartImmediately()),
		gocron.WithEventListeners(gocron.AfterJobRunsWithPanic(func(uuid.UUID, string, any) {
			log.Error("a scheduled run of attribution has panicked: please report it", "stack", string(debug.Stack()))
		})),
	)
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	scheduler.Start()
	<-ctx.Done()
	if err := scheduler.Shutdown(); err != nil {
		log.Warn("a scheduled run of attribution was cut off", "error", err)
	}
	return nil
}

// turn brings every project up to date that is due. What fails is tried again at the next turn.
func (s *server) turn(ctx context.Context) {
	err := s.updateDue(ctx)
	if err == nil || ctx.Err() != nil {
		return
	}
	s.log.Warn("no scheduled run of attribution was possible, trying again at the next turn", "error", collector.WithoutValues(err))
	projects := s.settings.Load().attributed
	for i := range projects {
		s.metrics.runs.failed(projects[i].ID)
	}
}

// updateDue is a turn. Its error is of all projects.
func (s *server) updateDue(ctx context.Context) error {
	if err := s.rejoin(ctx); err != nil {
		return err
	}
	held, release, err := s.lockAttribution(ctx, s.logHolder)
	if err != nil {
		return err
	}
	defer release()
	last, err := s.db.LastRuns(held)
	if err != nil {
		return err
	}
	projects := s.settings.Load().attributed
	for i := range projects {
		// Of a fleet's processes one finds it due; who is started again goes on where it was.
		p := &projects[i]
		if time.Since(last[p.ID].Good) < s.cfg.every/2 {
			s.log.Info("attribution has run lately", "project", p.ID)
			continue
		}
		s.update(held, p)
	}
	return context.Cause(held)
}

// update brings a project up to date and tells what became of it. A run that is interrupted leaves no trace, so it is
// due again.
func (s *server) update(ctx context.Context, p *attribution.Project) {
	run := store.Run{Project: p.ID, Started: time.Now()}
	var err error
	run.AsOf, err = updateProject(ctx, s.installation, p)
	if ctx.Err() != nil || err == nil && run.AsOf.IsZero() {
		return
	}
	run.Ended = time.Now()
	duration := run.Ended.Sub(run.Started).Round(time.Millisecond)
	if err != nil {
		run.Error = oneLine(errors.New(collector.WithoutValues(err)))
		s.log.Warn("a scheduled run of attribution failed, trying again at the next turn", "project", p.ID, "duration", duration, "error", run.Error)
	} else {
		s.log.Info("scheduled run of attribution", "project", p.ID, "duration", duration, "as_of", run.AsOf.UTC())
	}
	s.metrics.runs.ended(&run)
	if err := s.db.RecordRun(ctx, run); err != nil {
		s.log.Warn("a run of attribution could not be recorded", "project", p.ID, "error", collector.WithoutValues(err))
	}
}
