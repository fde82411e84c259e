package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/touchline-hq/touchline/bench/run"
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/event"
)

const (
	libraryProject = "library"
	blockBatches   = 1000 // batches whose events are the collector's largest insert
)

// library is what the client library came to alone: rows of the same kind, into the same table of the same engine, over
// one connection, without HTTP, decoding, enrichment and spool.
type library struct {
	rows           uint64
	duration       time.Duration // of the inserts
	client, engine run.Usage
}

func (l *library) rate() float64 { return run.Rate(l.rows, l.duration) }

// measureLibrary inserts the events again and again, with other ids, and fails when not all are stored.
func measureLibrary(ctx context.Context, c *run.Collector, events []event.Event, d time.Duration) (*library, error) {
	client, err := run.ReadUsage(os.Getpid())
	if err != nil {
		return nil, err
	}
	_, engine, err := c.Usage()
	if err != nil {
		return nil, err
	}
	inserter := c.DB.NewInserter()
	defer inserter.Close()
	l := &library{}
	for l.duration < d {
		token := "library-" + strconv.FormatUint(l.rows, 10)
		for i := range events {
			l.rows++
			events[i].MessageID = "ajs-next-9b1deb4d-3b7d-4bad-9bdd-" + strconv.FormatUint(l.rows, 16)
		}
		records := event.Records(events)
		start := time.Now()
		if err = inserter.Insert(ctx, token, records); err != nil {
			return nil, err
		}
		l.duration += time.Since(start)
	}
	stored, err := c.Stored(ctx, libraryProject)
	if err != nil {
		return nil, err
	}
	if stored != l.rows {
		return nil, fmt.Errorf("the client library has inserted %d rows, but %d are stored", l.rows, stored)
	}
	clientNow, err := run.ReadUsage(os.Getpid())
	if err != nil {
		return nil, err
	}
	_, engineNow, err := c.Usage()
	l.client, l.engine = clientNow.Since(client), engineNow.Since(engine)
	return l, err
}

// enriched makes of the generator's batches the events that the collector makes of them.
func enriched(program string, templates []*template, batches int) ([]event.Event, error) {
	geo, err := enrich.OpenGeo(filepath.Join(filepath.Dir(program), "dbip-country.mmdb"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // the collector does without it, too
		return nil, err
	}
	pipeline := enrich.New(geo)
	project := &collector.Project{ID: libraryProject, IP: collector.IPTruncate}
	var decoder decode.Decoder
	var events []event.Event
	for n := range batches {
		t, now := templates[n%len(templates)], time.Now()
		t.stamp(uint64(n), now) //nolint:gosec // not negative
		result, err := decoder.Batch(t.body, collector.Request{ReceivedAt: now.UnixMilli()})
		if err != nil {
			return nil, err
		}
		if len(result.Rejected) > 0 {
			return nil, fmt.Errorf("message %d is refused: %s", result.Rejected[0].Index, result.Rejected[0].Reason)
		}
		for i := range result.Messages {
			m := &result.Messages[i]
			m.Event.Project = project.ID
			pipeline.Enrich(project, &m.Client, &m.Event)
			events = append(events, m.Event)
		}
	}
	return events, nil
}
