package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/touchline-hq/touchline/collector"
)

// reload reads the configuration again on SIGHUP: projects with their keys, origins and rules. A bad file changes
// nothing.
func (s *server) reload(ctx context.Context, g *globals) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			s.reloadOnce(g.stderr)
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *server) reloadOnce(w io.Writer) {
	if s.cfg.file == "" {
		fmt.Fprintln(w, "nothing to reload: there is no configuration file")
		return
	}
	cfg, err := loadConfig(s.cfg.file)
	if err != nil {
		fmt.Fprintln(w, "not reloaded:", err)
		return
	}
	before := s.settings.Load()
	s.use(cfg)
	select {
	case s.reloaded <- struct{}{}:
	default:
	}
	fmt.Fprintln(w, "reloaded projects, keys and rules from", s.cfg.file)
	for _, warning := range cfg.warnings {
		fmt.Fprintln(w, "note:", warning)
	}
	for _, id := range missing(before.collecting, cfg.collecting) {
		fmt.Fprintf(w, "note: project %s is no longer in the configuration: its keys are refused, its events stay\n", id)
	}
	if fixed := changed(s.cfg, cfg); len(fixed) > 0 { // against what the process began with
		fmt.Fprintf(w, "note: restart to apply what differs from what is in use: %s\n", strings.Join(fixed, ", "))
	}
}

// use makes a configuration's projects those that count from the next request on.
func (s *server) use(cfg *config) {
	s.settings.Store(cfg)
	s.loaded.Store(time.Now().Unix())
	projects := collector.NewProjects(cfg.collecting)
	if former := s.projects.Load(); former != nil {
		projects.Inherit(former)
	}
	s.projects.Store(projects)
}

// missing are the ids of projects that are there no longer.
func missing(before, after []collector.Project) (ids []string) {
	for _, p := range before {
		if !slices.ContainsFunc(after, func(q collector.Project) bool { return q.ID == p.ID }) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// changed are the settings outside of the projects that differ: they take a restart.
func changed(a, b *config) (paths []string) {
	va, vb := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range va.NumField() {
		if key := va.Type().Field(i).Tag.Get("yaml"); key != "" && key != "projects" {
			paths = append(paths, changedWithin(key, va.Field(i), vb.Field(i))...)
		}
	}
	return paths
}

func changedWithin(path string, a, b reflect.Value) (paths []string) {
	if a.Kind() != reflect.Struct {
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			paths = append(paths, path)
		}
		return paths
	}
	for i := range a.NumField() {
		if key := a.Type().Field(i).Tag.Get("yaml"); key != "" {
			paths = append(paths, changedWithin(path+"."+key, a.Field(i), b.Field(i))...)
		}
	}
	return paths
}
