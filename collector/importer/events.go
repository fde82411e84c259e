package importer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Format is how a file of events is written.
type Format string

// The formats: a message of the Segment spec a line, or a row an event under a header.
const (
	NDJSON Format = "ndjson"
	CSV    Format = "csv"
)

// Decoder turns lines into messages and keeps nothing of them. Its errors are for whoever wrote the file.
type Decoder interface {
	// Single decodes a message; with type "" it says its type itself.
	Single(line []byte, typ event.Type, req collector.Request) (collector.Result, error)
	// Row decodes a row whose cells are these fields.
	Row(m *collector.Message, fields, cells []string, req collector.Request) error
	// Restate sets again what enrichment finds out where a row says it itself.
	Restate(e *event.Event, fields, cells []string)
}

// Events imports files of events.
type Events struct {
	Import

	Decode   Decoder
	Fields   []string // that a row can have
	MaxEvent int      // bytes of a line

	Format Format            // of files whose name does not say it; may be empty
	Map    map[string]string // the column of a CSV file for a field; other fields have a column of their name
	Ignore []string          // columns of CSV files that are not taken

	rows rowRules
}

// Run reads files as AccessLog's Run does. The name says whether a file is NDJSON (.ndjson, .jsonl, .json) or CSV (.csv),
// before .gz or .zst. A message is known by its id; without one, by the bytes of its line and by how often that has
// occurred in its file.
func (v *Events) Run(ctx context.Context, files []string) (Ledger, error) {
	r := eventsRun{from: v, run: v.start()}
	csv := false
	for _, name := range files {
		format, err := v.formatOf(name)
		if err != nil {
			return Ledger{}, err
		}
		csv = csv || format == CSV
	}
	if !csv && len(v.Map)+len(v.Ignore) > 0 {
		return Ledger{}, errors.New("--map and --ignore are about columns, and none of the files is CSV")
	}
	err := r.files(ctx, files, r.open)
	return r.ledger, err
}

func (v *Events) formatOf(name string) (Format, error) {
	if len(v.rows.fields) > 0 {
		return CSV, nil
	}
	base := strings.ToLower(filepath.Base(name))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst")
	switch filepath.Ext(base) {
	case ".ndjson", ".jsonl", ".json":
		return NDJSON, nil
	case ".csv":
		return CSV, nil
	}
	if name == "-" {
		name = "stdin"
	}
	if v.Format == "" {
		return "", fmt.Errorf("%s: the name does not say what is in it; add --format ndjson or --format csv", name)
	}
	return v.Format, nil
}

// eventsRun is one call of Run.
type eventsRun struct {
	run
	from *Events
}

// open makes sure that a file is of its format.
func (r *eventsRun) open(src *source) (lines, func([]byte), error) {
	format, err := r.from.formatOf(src.name)
	if err != nil {
		return nil, nil, err
	}
	seen := make(occurrences)
	if format == NDJSON {
		err = src.checkHead("not NDJSON, a message of the Segment spec a line (line %d %w)", r.isMessage)
		return src, func(line []byte) { r.takeMessage(src, line, seen) }, err
	}
	in := &records{src: src}
	l, err := r.header(in)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", src.name, err)
	}
	return in, func(record []byte) { r.takeRow(in, record, l, seen) }, nil
}

// errEmpty is a line that says nothing, which is no mistake.
var errEmpty = errors.New("is empty")

func (r *eventsRun) isMessage(line []byte) error {
	_, err := r.message(line, make(occurrences))
	return err
}

// takeMessage puts a line of NDJSON into the batch or into the ledger.
func (r *eventsRun) takeMessage(src *source, line []byte, seen occurrences) {
	m, err := r.message(line, seen)
	if err != nil {
		r.refuse(src, err)
		return
	}
	r.keep(src, &m, func(*event.Event) {})
}

func (r *eventsRun) message(line []byte, seen occurrences) (collector.Message, error) {
	if err := r.bound(line); err != nil {
		return collector.Message{}, err
	}
	result, err := r.from.Decode.Single(line, "", r.request(line, seen))
	switch {
	case err != nil:
		return collector.Message{}, fmt.Errorf("is refused: %w", err)
	case len(result.Rejected) > 0:
		return collector.Message{}, errors.New("is refused: " + result.Rejected[0].Reason)
	}
	return result.Messages[0], nil
}

// bound refuses what is empty or too large.
func (r *eventsRun) bound(line []byte) error {
	if strings.TrimSpace(string(line)) == "" {
		return errEmpty
	}
	if len(line) > r.from.MaxEvent {
		return fmt.Errorf("is %d bytes long; at most %d are taken", len(line), r.from.MaxEvent)
	}
	return nil
}

func (r *eventsRun) request(line []byte, seen occurrences) collector.Request {
	return collector.Request{
		ReceivedAt: r.Now().UnixMilli(), Origin: event.OriginImport,
		NewID: func() string { return seen.messageID(line) },
	}
}

// refuse enters the line that in is at.
func (r *eventsRun) refuse(in lines, reason error) {
	if errors.Is(reason, errEmpty) {
		r.ledger.skip("empty")
		return
	}
	r.malformed(in, reason)
}

// keep completes a message like the collector does and puts it into the batch. Said sets what the file says where
// enrichment finds something else.
func (r *eventsRun) keep(in lines, m *collector.Message, said func(*event.Event)) {
	e := &m.Event
	r.Project.Adopt(e)
	e.Seq = uint32(in.Line())
	if m.Client.IP.IsUnspecified() { // how Segment's clients ask for none to be used
		m.Client.IP = netip.Addr{}
	}
	// It was sent long before it is received here, which says nothing of the client's clock.
	sentAt := e.SentAt
	e.SentAt = 0
	r.Enrich.Enrich(r.Project, &m.Client, e)
	e.SentAt = sentAt
	said(e)
	r.batch = append(r.batch, *e)
}
