package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/batch"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/collector/handler"
	"github.com/touchline-hq/touchline/collector/link"
	"github.com/touchline-hq/touchline/collector/listener"
	"github.com/touchline-hq/touchline/collector/spool"
	"github.com/touchline-hq/touchline/js"
	"github.com/touchline-hq/touchline/store/datadir"
)

// upCommand runs collector, engine, delivery and jobs in one process until it is interrupted.
type upCommand struct{}

func (c *upCommand) Run(ctx context.Context, g *globals) error {
	cfg, err := g.load()
	if err != nil {
		return err
	}
	return serve(ctx, g, cfg, func(context.Context, *server) error { return nil })
}

// server is a running instance.
type server struct {
	*installation
	listener *listener.Listener
	geo      *enrich.Geo  // nil when there is no geo file
	admin    net.Listener // nil when its address is taken
	spool    *spool.Spool
	handler  *handler.Handler
	metrics  *metrics
	projects atomic.Pointer[collector.Projects]
	settings atomic.Pointer[config] // as of the last reload
	loaded   atomic.Int64           // when settings were read; Unix time
	reloaded chan struct{}          // holds a value after a reload that changed something
}

// Deadlines of the shutdown: for requests under way, and then for what is left in the spool.
const (
	finishRequests = 5 * time.Second
	finishDelivery = 10 * time.Second
)

// serve starts an instance, calls then beside it, and keeps on until ctx is done or something fails.
func serve(ctx context.Context, g *globals, cfg *config, then func(context.Context, *server) error) error {
	s, err := startServer(ctx, g, cfg)
	if err != nil {
		return err
	}
	defer s.stop()
	s.announce(g.stderr)

	group, running := errgroup.WithContext(ctx)
	drain := make(chan struct{})
	delivery, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	group.Go(func() error { return s.deliver(delivery, drain) })
	group.Go(func() error { return s.administer(running) })
	group.Go(func() error { return s.expire(running) })
	group.Go(func() error { return s.reload(running, g) })
	group.Go(func() error { return s.refreshGeo(running) })
	group.Go(func() error { return s.runJobs(running) })
	group.Go(func() error { return then(running, s) })
	group.Go(func() error {
		// The delivery goes on while requests end, and then has a deadline of its own: not the context whose end
		// announced the shutdown.
		defer time.AfterFunc(finishDelivery, cancel)
		defer close(drain)
		return s.listen(running)
	})
	err = group.Wait()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// startServer opens everything in the order in which it is likely to fail, and closes it again when it does.
func startServer(ctx context.Context, g *globals, cfg *config) (s *server, err error) {
	s = &server{installation: &installation{dir: g.dataDir(cfg), cfg: cfg, log: g.logger()}, reloaded: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.lock, err = datadir.Acquire(s.dir); err != nil {
		return s, err
	}
	if s.listener, err = s.openListener(); err != nil {
		return s, err
	}
	if s.admin, err = s.listenAdmin(); err != nil {
		return s, err
	}
	if s.geo, err = s.openGeo(); err != nil {
		return s, err
	}
	if s.spool, err = openSpool(s.spoolDir(), cfg, s.log); err != nil {
		return s, err
	}
	if err = s.start(ctx); err != nil {
		return s, err
	}
	s.use(cfg)
	s.handler = handler.New(handler.Config{
		Projects: s.projects.Load, Decode: cfg.limits.decoder(), Enrich: enrich.New(s.geo), Filter: enrich.Privacy{}, Sink: s.spool, Log: s.log,
		MaxEvent: cfg.limits.event, MaxBatch: cfg.limits.batch,
		ReadLink: link.Read, Script: js.Script,
		Proxies: cfg.proxies, Paths: cfg.Collector.Paths, Cookie: cfg.cookie,
	})
	s.metrics = newMetrics()
	s.metrics.registry.MustRegister(gauges{s})
	instance := datadir.Instance{PID: os.Getpid(), Started: time.Now().UTC(), Config: cfg.file}
	if s.engine != nil {
		instance.Addr = s.engine.Addr()
	}
	if s.admin != nil {
		instance.Admin = s.admin.Addr().String()
	}
	return s, s.lock.WriteInstance(instance)
}

// openListener opens the collector's port, with bounds on its connections.
func (s *server) openListener() (*listener.Listener, error) {
	port, err := net.Listen("tcp", s.cfg.Collector.Listen)
	if err != nil {
		return nil, listenError(s.cfg.Collector.Listen, err)
	}
	return listener.New(port, listener.Options{
		Connections: s.cfg.limits.withinFiles(s.log), PerIP: s.cfg.limits.connectionsPerIP, Log: s.log,
	}), nil
}

func listenError(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("collector.listen: %s is in use by another program; stop that, or set another address in the configuration", address)
	}
	return fmt.Errorf("collector.listen: %w", err)
}

func openSpool(dir string, cfg *config, log *slog.Logger) (*spool.Spool, error) {
	durability := spool.Fsync
	if cfg.Collector.Durability == "os" {
		durability = spool.OS
	}
	return spool.Open(spool.Options{
		Dir: dir, Limit: cfg.spoolLimit, Durability: durability,
		OnDamage: func(e *spool.DamageError) {
			if errors.Is(e, spool.ErrTorn) {
				log.Info("an append that was never acknowledged was cut off", "at", e)
				return
			}
			log.Error("the spool is damaged", "error", e, "lost", e.Lost)
		},
	})
}

// stop closes what startServer opened.
func (s *server) stop() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	if s.admin != nil {
		_ = s.admin.Close()
	}
	if s.spool != nil {
		if err := s.spool.Close(); err != nil {
			s.log.Error("closing the spool", "error", err)
		}
	}
	s.close()
}

// listen answers requests until ctx is done.
func (s *server) listen(ctx context.Context) error {
	web := s.web()
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("collector: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishRequests)
	defer cancel()
	if err := web.ShutdownWithContext(ending); err != nil {
		s.log.Warn("requests were cut off", "error", err)
	}
	return nil
}

// deliver moves events from the spool into the database.
func (s *server) deliver(ctx context.Context, drain <-chan struct{}) error {
	inserter := s.db.NewInserter()
	inserter.Spool = s.spool.ID()
	defer inserter.Close()
	d := batch.Deliverer{Queue: &spoolQueue{spool: s.spool, metrics: s.metrics}, Inserter: &meteredInserter{inserter, s.metrics}, Log: s.log}
	return d.Run(ctx, drain)
}

// Limits of a batch. A batch takes several times its bytes while it is read, decoded and sent.
const (
	batchRecords = 100_000
	batchBytes   = 24 << 20
	batchLinger  = time.Second
)

// spoolQueue is the spool as the delivery sees it.
type spoolQueue struct {
	spool   *spool.Spool
	batch   spool.Batch
	metrics *metrics
}

func (q *spoolQueue) Next(ctx context.Context) ([][]byte, string, error) {
	b, err := q.spool.Next(ctx, batchRecords, batchBytes, batchLinger)
	if err != nil {
		return nil, "", err
	}
	q.batch = b
	q.metrics.taken(b.Records)
	token := fmt.Sprintf("%s:%d.%d-%d.%d", q.spool.ID(), b.From.Segment, b.From.Offset, b.To.Segment, b.To.Offset)
	return b.Records, token, nil
}

func (q *spoolQueue) Commit() error { return q.spool.Commit(q.batch) }

func (q *spoolQueue) Pending() uint64 { return q.spool.Stats().Records }

// expire deletes events that are older than their project keeps them, once a day and after each reload.
func (s *server) expire(ctx context.Context) error {
	for {
		projects := s.settings.Load().Projects
		for i := range projects {
			p := &projects[i]
			retention, err := parseDuration(p.Privacy.Retention)
			if err != nil {
				continue // none is set
			}
			if err := s.db.DeleteExpired(ctx, p.ID, time.Now().Add(-retention)); err != nil {
				s.log.Warn("events past their retention could not be deleted, trying again in a day", "project", p.ID, "error", err)
			}
		}
		select {
		case <-time.After(24 * time.Hour):
		case <-s.reloaded:
		case <-ctx.Done():
			return nil
		}
	}
}

// refreshGeo reads the geo file again when it has changed.
func (s *server) refreshGeo(ctx context.Context) error {
	if s.geo == nil {
		return nil
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := s.geo.Reload(); err != nil {
				s.log.Warn("the geo file could not be read again, the former one stays in use", "error", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// announce says where everything is.
func (s *server) announce(w io.Writer) {
	for _, warning := range s.cfg.warnings {
		fmt.Fprintln(w, "note:", warning)
	}
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	fmt.Fprintf(w, "collector  http://%s\n", net.JoinHostPort(host, port))
	if s.admin != nil {
		fmt.Fprintf(w, "metrics    http://%s/metrics\n", s.admin.Addr())
	}
	fmt.Fprintf(w, "data       %s\n", s.dir)
	if s.cfg.every > 0 {
		fmt.Fprintf(w, "jobs       attribution every %s\n", s.cfg.Jobs.Every)
	}
	if s.cfg.file == "" {
		fmt.Fprintln(w, "project    default, privacy mode full: there is no configuration file")
		fmt.Fprintf(w, "write key  %s\n", strings.Join(s.cfg.collecting[0].WriteKeys, ", "))
	} else {
		for i := range s.cfg.collecting {
			p := &s.cfg.collecting[i]
			fmt.Fprintf(w, "project    %s, write keys: %d\n", p.ID, len(p.WriteKeys))
		}
	}
}
