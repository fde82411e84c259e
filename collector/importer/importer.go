package importer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

const (
	defaultBatch = 10_000
	checkEvery   = 4096 // lines between two looks at the context and two calls of Progress
)

// Sink stores events. Insert is idempotent by project and message id, and returns how many were new and which can never
// be stored. The slice is the caller's again when Insert returns; what was refused is valid until the next call.
type Sink interface {
	Insert(ctx context.Context, events []event.Event) (added int, refused []collector.RefusedEvent, err error)
}

// Enricher completes an event: country, user agent, bot, channel, clock, privacy. It is called in the order of lines.
type Enricher interface {
	Enrich(p *collector.Project, c *event.Client, e *event.Event)
}

// Import is what every import needs. The first three are required.
type Import struct {
	Project *collector.Project
	Enrich  Enricher
	Sink    Sink

	BatchSize int                   // events handed to Sink at once; 0: 10,000
	Progress  func(bytesRead int64) // total of all files, as stored, compressed or not; may be nil
	Stdin     io.Reader             // for the file "-"; nil: os.Stdin
	Now       func() time.Time      // nil: time.Now
}

// run is one import under way.
type run struct {
	Import
	ledger    Ledger
	file      string // that the batch is from
	batch     []event.Event
	bytesRead int64
	counted   func(e *event.Event, n int) // enters n events like e in the ledger; may be nil
}

// start fills in the defaults of a copy of im.
func (im *Import) start() run {
	r := run{Import: *im}
	if r.BatchSize <= 0 {
		r.BatchSize = defaultBatch
	}
	if r.Progress == nil {
		r.Progress = func(int64) {}
	}
	if r.Stdin == nil {
		r.Stdin = os.Stdin
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	return r
}

// openFunc makes sure that a file is what an import expects, and returns its lines and what is to be done with each:
// it goes into the batch or into the ledger.
type openFunc func(src *source) (lines, func(line []byte), error)

// files imports files. All are looked at before the first is read, save stdin, which can be read only once.
func (r *run) files(ctx context.Context, names []string, open openFunc) error {
	for _, name := range names {
		if name == "-" {
			continue
		}
		if err := check(name, open); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := r.read(ctx, name, open); err != nil {
			return err
		}
	}
	return nil
}

func check(name string, open openFunc) error {
	src, err := openSource(name, nil, func(int) {})
	if err != nil {
		return err
	}
	defer src.Close()
	_, _, err = open(src)
	return err
}

func (r *run) read(ctx context.Context, name string, open openFunc) error {
	src, err := openSource(name, r.Stdin, func(n int) { r.bytesRead += int64(n) })
	if err != nil {
		return err
	}
	defer src.Close()
	in, take, err := open(src)
	if err != nil {
		return err
	}
	r.file = src.name
	return r.each(ctx, in, take)
}

// lines are those of a file.
type lines interface {
	// Next returns the next line, valid until the next call, and io.EOF after the last. After a *lineError reading can
	// go on.
	Next() ([]byte, error)
	// Line is the number, from 1, of the line that Next returned.
	Line() int
}

// each hands the lines of a file to take.
func (r *run) each(ctx context.Context, in lines, take func(line []byte)) error {
	for n := 1; ; n++ {
		line, err := in.Next()
		var bad *lineError
		switch {
		case err == nil:
			take(line)
		case errors.As(err, &bad):
			r.malformed(in, bad)
		default:
			return r.finish(ctx, err)
		}
		if failed := r.pace(ctx, n); failed != nil {
			return failed
		}
	}
}

// malformed enters the line that in is at.
func (r *run) malformed(in lines, reason error) {
	r.ledger.malformed(Malformed{r.file, in.Line(), reason.Error()})
}

// pace flushes a full batch, shows progress and heeds the context from time to time.
func (r *run) pace(ctx context.Context, line int) error {
	if len(r.batch) == r.BatchSize {
		return r.flush(ctx)
	}
	if line%checkEvery == 0 {
		r.Progress(r.bytesRead)
		return ctx.Err()
	}
	return nil
}

// finish flushes what is left of a file whose reading ended with end. Damage makes the lines before it no worse.
func (r *run) finish(ctx context.Context, end error) error {
	err := r.flush(ctx)
	r.Progress(r.bytesRead)
	if err != nil || errors.Is(end, io.EOF) {
		return err
	}
	return end
}

// flush hands the batch to the sink and enters it in the ledger.
func (r *run) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(r.batch) == 0 {
		return nil
	}
	added, refused, err := r.Sink.Insert(ctx, r.batch)
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	r.ledger.Lines += len(r.batch)
	r.ledger.Imported += added
	r.ledger.AlreadyThere += len(r.batch) - added - len(refused)
	for _, e := range refused {
		r.ledger.rejected(Malformed{r.file, int(e.Event.Seq), e.Detail})
	}
	r.count(refused)
	r.batch = r.batch[:0]
	return nil
}

// count enters what the events of the batch are, but for those refused.
func (r *run) count(refused []collector.RefusedEvent) {
	if r.counted == nil {
		return
	}
	for i := range r.batch {
		r.counted(&r.batch[i], 1)
	}
	for _, e := range refused {
		r.counted(e.Event, -1)
	}
}

// occurrences counts the lines of a file by the start of their hash. A collision would only number a line higher, the
// same way each time.
type occurrences map[uint64]uint32

// messageID names a line by its bytes and by how often it has occurred.
func (o occurrences) messageID(line []byte) string {
	hash := sha256.Sum256(line)
	key := binary.BigEndian.Uint64(hash[:])
	o[key]++
	hash = sha256.Sum256(binary.BigEndian.AppendUint32(hash[:], o[key]))
	return hex.EncodeToString(hash[:16])
}
