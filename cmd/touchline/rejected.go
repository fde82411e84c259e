package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/collector/replay"
	"github.com/touchline-hq/touchline/event"
	"github.com/touchline-hq/touchline/store"
)

// rejectedCommand lists what was refused and brings it in once the cause is mended.
type rejectedCommand struct {
	List   rejectedList   `cmd:"" default:"withargs" help:"Messages that are refused still, newest first."`
	Replay rejectedReplay `cmd:"" help:"Decode, check and store them anew, as of when they were received."`
}

// rejectedFilter chooses refused messages.
type rejectedFilter struct {
	Project string `help:"Project they were sent to." required:""`
	Reason  string `help:"Only those refused for this reason, as the list names it."`
	Since   string `help:"Only those received since then: 24h, 7d, a day like 2026-01-31, or an instant like 2026-01-31T12:00:00Z."`
}

// resolve finds the project and reads the time.
func (f *rejectedFilter) resolve(cfg *config, now time.Time) (*collector.Project, store.RefusedFilter, error) {
	filter := store.RefusedFilter{Project: f.Project, Reason: f.Reason}
	attributed, project, err := cfg.project(f.Project)
	if err != nil {
		return nil, filter, usageError{err}
	}
	if ago, wrong := parseDuration(f.Since); wrong == nil {
		filter.Since = now.Add(-ago)
		return project, filter, nil
	}
	if filter.Since, err = parseDay("since", f.Since, attributed.Location, false); err != nil {
		return nil, filter, usageError{fmt.Errorf("%w, or a duration like 24h or 7d", err)}
	}
	return project, filter, nil
}

type rejectedList struct {
	rejectedFilter
	Limit  int    `help:"At most so many." default:"100"`
	Format format `help:"auto, table, csv or json. CSV and JSON have the payload, too." enum:"auto,table,csv,json" default:"auto"`
}

func (c *rejectedList) Run(ctx context.Context, g *globals) error {
	if c.Limit < 1 {
		return usageError{fmt.Errorf("--limit is %d; want at least 1", c.Limit)}
	}
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	_, filter, err := c.resolve(in.cfg, time.Now())
	if err != nil {
		return err
	}
	list, err := in.db.Refused(ctx, filter, c.Limit+1)
	if err != nil {
		return err
	}
	if len(list) > c.Limit {
		list = list[:c.Limit]
		fmt.Fprintf(g.stderr, "these are the newest %d; for more set --limit\n", c.Limit)
	}
	f := c.Format.resolve(os.Stdout)
	return rejectedTable(list, f != formatTable).write(os.Stdout, f)
}

// rejectedTable shows control characters as what they are not: what a stranger sent must not steer a terminal.
func rejectedTable(list []collector.Rejected, withPayload bool) *table {
	t := &table{header: []string{"received_at", "refused_by", "reason", "message_id", "size", "detail"}}
	if withPayload {
		t.header = append(t.header, "payload")
	}
	for i := range list {
		m := &list[i]
		row := []cell{
			text(time.UnixMilli(m.ReceivedAt).UTC().Format("2006-01-02 15:04:05.000")), text(string(m.RefusedBy)), text(m.Reason),
			text(printable(m.MessageID)), numberOrText(fmt.Sprint(m.Size)), text(printable(m.Detail)),
		}
		if withPayload {
			row = append(row, text(m.Payload))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

type rejectedReplay struct{ rejectedFilter }

func (c *rejectedReplay) Run(ctx context.Context, g *globals) error {
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	project, filter, err := c.resolve(in.cfg, time.Now())
	if err != nil {
		return err
	}
	geo, err := in.openGeo()
	if err != nil {
		return err
	}
	sink := in.db.NewImporter(project.ID)
	defer sink.Close()
	r := replay.Replayer{
		Project: project, Store: &replayStore{sink, in.db, filter}, Decode: in.cfg.limits.decoder(), Enrich: enrich.New(geo),
	}
	report, err := r.Run(ctx)
	writeReplay(os.Stdout, &report)
	return err
}

func writeReplay(w io.Writer, r *replay.Report) {
	counts := func(what string, by map[string]int) {
		sum := 0
		for _, n := range by {
			sum += n
		}
		fmt.Fprintf(w, "%-14s %d\n", what, sum)
		for _, reason := range slices.Sorted(maps.Keys(by)) {
			fmt.Fprintf(w, "  %-12d %s\n", by[reason], reason)
		}
	}
	counts("replayed", r.Replayed)
	counts("refused again", r.Refused)
	fmt.Fprintf(w, "%-14s %d\n", "not kept", r.Unkept)
}

// replayStore is the database as replaying sees it.
type replayStore struct {
	sink   *store.Importer
	db     *store.DB
	filter store.RefusedFilter
}

// replayChunk bounds the memory: a message has 128 KB at most.
const replayChunk = 500

func (s *replayStore) After(ctx context.Context, last *collector.Rejected) ([]collector.Rejected, error) {
	return s.db.RefusedAfter(ctx, s.filter, last, replayChunk)
}

func (s *replayStore) Insert(ctx context.Context, token string, events []event.Event) error {
	return s.sink.InsertAbsent(ctx, token, events)
}

func (s *replayStore) Unmarshal(payload string) (event.Event, error) {
	return store.UnmarshalRow(payload)
}

func (s *replayStore) MarkReplayed(ctx context.Context, token string, replayed []collector.Rejected) error {
	return s.db.MarkReplayed(ctx, token, replayed)
}
