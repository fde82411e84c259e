package importer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

const (
	defaultBatch = 10_000
	checkEvery   = 4096 // lines between two looks at the context and two calls of Progress
	maxURL       = 2000 // bytes kept of a URL and of a referrer
)

// Sink stores events. Insert is idempotent by project and message id, and returns how many were new. The slice is the
// caller's again when Insert returns.
type Sink interface {
	Insert(ctx context.Context, events []event.Event) (added int, err error)
}

// Enricher completes an event: country, user agent, bot, channel, clock, privacy. It is called in the order of lines.
type Enricher interface {
	Enrich(p *collector.Project, c *event.Client, e *event.Event)
}

// AccessLog imports access logs of web servers, in the combined format. Page views become page events, files that
// are offered for download become events "File Downloaded"; both are visits that can open a session. A visitor is an
// address and a user agent.
type AccessLog struct {
	Project *collector.Project
	Host    string // of the site: "shop.example"
	Scheme  string // of the site's URLs; empty: https
	Key     []byte // secret, for visitor hashes; the same key gives the same visitors
	Enrich  Enricher
	Sink    Sink

	BatchSize int                   // events handed to Sink at once; 0: 10,000
	Progress  func(bytesRead int64) // total of all files, as stored, compressed or not; may be nil
	Stdin     io.Reader             // for the file "-"; nil: os.Stdin
	Now       func() time.Time      // nil: time.Now
}

// Import reads files, plain or compressed with gzip or zstd; "-" is stdin. A named file that is no access log is an
// error before anything is inserted. Importing a file again adds nothing: a line is known by its bytes and by how often it
// has occurred in its file. The ledger covers what was done, also beside an error; lines of a batch that was
// not inserted are not in it.
func (a *AccessLog) Import(ctx context.Context, files []string) (Ledger, error) {
	run, err := a.start()
	if err != nil {
		return Ledger{}, err
	}
	for _, name := range files {
		if err := check(name); err != nil {
			return Ledger{}, err
		}
	}
	for _, name := range files {
		if err := run.file(ctx, name); err != nil {
			return run.ledger, err
		}
	}
	return run.ledger, nil
}

// start fills in the defaults of a copy of a.
func (a *AccessLog) start() (*accessRun, error) {
	run := &accessRun{AccessLog: *a}
	run.Host = strings.ToLower(a.Host)
	switch {
	case a.Host == "" || strings.ContainsAny(a.Host, "/:@?# "):
		return nil, fmt.Errorf("host of the site is %q; want one like shop.example", a.Host)
	case len(a.Key) == 0:
		return nil, errors.New("key for visitor hashes is empty")
	}
	if run.Scheme == "" {
		run.Scheme = "https"
	}
	if run.BatchSize <= 0 {
		run.BatchSize = defaultBatch
	}
	if run.Progress == nil {
		run.Progress = func(int64) {}
	}
	if run.Stdin == nil {
		run.Stdin = os.Stdin
	}
	if run.Now == nil {
		run.Now = time.Now
	}
	return run, nil
}

// check opens a file, which tells whether it is a log. Stdin is left alone, as it can be read only once.
func check(name string) error {
	if name == "-" {
		return nil
	}
	src, err := openSource(name, nil, func(int) {})
	if err != nil {
		return err
	}
	src.Close()
	return nil
}

// accessRun is one call of Import.
type accessRun struct {
	AccessLog
	ledger    Ledger
	batch     []event.Event
	downloads int // in batch
	bytesRead int64
}

func (r *accessRun) file(ctx context.Context, name string) error {
	src, err := openSource(name, r.Stdin, func(n int) { r.bytesRead += int64(n) })
	if err != nil {
		return err
	}
	defer src.Close()
	err = r.lines(ctx, src)
	r.Progress(r.bytesRead)
	return err
}

func (r *accessRun) lines(ctx context.Context, src *source) error {
	seen := make(occurrences)
	for {
		line, err := src.Next()
		switch {
		case err == nil:
			r.take(src, line, seen)
		case errors.Is(err, errLongLine):
			r.ledger.malformed(Malformed{src.name, src.line, err.Error()})
		default:
			return r.finish(ctx, err)
		}
		if failed := r.pace(ctx, src.line); failed != nil {
			return failed
		}
	}
}

// pace flushes a full batch, shows progress and heeds the context from time to time.
func (r *accessRun) pace(ctx context.Context, line int) error {
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
func (r *accessRun) finish(ctx context.Context, end error) error {
	if err := r.flush(ctx); err != nil || errors.Is(end, io.EOF) {
		return err
	}
	return end
}

// take puts a line into the batch or into the ledger.
func (r *accessRun) take(src *source, line []byte, seen occurrences) {
	entry, err := parseLine(string(line))
	if err != nil {
		r.ledger.malformed(Malformed{src.name, src.line, err.Error()})
		return
	}
	req, ok := parseRequest(entry.Request, r.Host)
	if !ok {
		r.ledger.skip(skipRequest)
		return
	}
	skip, extension := classify(req, entry.Status)
	if skip != "" {
		r.ledger.skip(skip)
		return
	}
	e := r.event(&entry, &req)
	e.MessageID = seen.messageID(line)
	e.Seq = uint32(src.line)
	if extension != "" {
		r.downloads++
		setDownload(&e, extension)
	}
	e.SetStorageKey()
	r.Enrich.Enrich(r.Project, &event.Client{IP: entry.IP(), UserAgent: entry.UserAgent}, &e)
	r.batch = append(r.batch, e)
}

func (r *accessRun) event(entry *entry, req *request) event.Event {
	ms := entry.Time.UnixMilli()
	return event.Event{
		Project:         r.Project.ID,
		Type:            event.Page,
		AnonymousID:     r.visitor(entry),
		Timestamp:       ms,
		ClientTimestamp: ms,
		ReceivedAt:      r.Now().UnixMilli(),
		URL:             cut(r.Scheme + "://" + r.Host + req.Target()),
		Host:            r.Host,
		Path:            cut(req.Path),
		Referrer:        cut(entry.Referrer),
		Library:         event.LibraryAccessLog,
		Origin:          event.OriginImport,
	}
}

// visitor returns a keyed hash, because an address must not be found out by trying all of them.
func (r *accessRun) visitor(entry *entry) string {
	h := hmac.New(sha256.New, r.Key)
	fmt.Fprintf(h, "%s\n%s", entry.Addr, entry.UserAgent)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// setDownload makes a page event of a file the event that says it was downloaded.
func setDownload(e *event.Event, extension string) {
	file := path.Base(e.Path)
	if name, err := url.PathUnescape(file); err == nil {
		file = name
	}
	properties, _ := json.Marshal(map[string]string{"file": file, "extension": extension, "url": e.URL}) // strings never fail
	e.Type, e.Name, e.Properties = event.Track, event.FileDownloaded, string(properties)
}

// flush hands the batch to the sink and enters it in the ledger.
func (r *accessRun) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(r.batch) == 0 {
		return nil
	}
	added, err := r.Sink.Insert(ctx, r.batch)
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	r.ledger.Lines += len(r.batch)
	r.ledger.Imported += added
	r.ledger.AlreadyThere += len(r.batch) - added
	r.ledger.Downloads += r.downloads
	r.ledger.Pages += len(r.batch) - r.downloads
	r.batch, r.downloads = r.batch[:0], 0
	return nil
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

// cut bounds foreign text at the end of a character. It copies, so that an event does not hold on to its whole line.
func cut(s string) string {
	if len(s) > maxURL {
		n := maxURL
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.Clone(s)
}
