package importer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/event"
)

const maxURL = 2000 // bytes kept of a URL and of a referrer

// AccessLog imports access logs of web servers, in the combined format. Page views become page events, files that
// are offered for download become events "File Downloaded"; both are visits that can open a session. A visitor is an
// address and a user agent.
type AccessLog struct {
	Import

	Host string // of the site: "shop.example"; its URLs are taken for https
	Key  []byte // secret, for visitor hashes; the same key gives the same visitors
}

// Run reads files, plain or compressed with gzip or zstd; "-" is stdin. A named file that is no access log is an
// error before anything is inserted. Importing a file again adds nothing: a line is known by its bytes and by how often it
// has occurred in its file. The ledger covers what was done, also beside an error; lines of a batch that was
// not inserted are not in it.
func (a *AccessLog) Run(ctx context.Context, files []string) (Ledger, error) {
	r, err := a.start()
	if err != nil {
		return Ledger{}, err
	}
	err = r.files(ctx, files, r.open)
	return r.ledger, err
}

// start fills in the defaults of a copy of a.
func (a *AccessLog) start() (*accessRun, error) {
	switch {
	case a.Host == "" || strings.ContainsAny(a.Host, "/:@?# "):
		return nil, fmt.Errorf("host of the site is %q; want one like shop.example", a.Host)
	case len(a.Key) == 0:
		return nil, errors.New("key for visitor hashes is empty")
	}
	r := &accessRun{run: a.Import.start(), host: strings.ToLower(a.Host), key: a.Key}
	r.counted = r.countKind
	return r, nil
}

// accessRun is one call of Run.
type accessRun struct {
	run
	host string
	key  []byte
}

// open makes sure that a file is a log.
func (r *accessRun) open(src *source) (lines, func([]byte), error) {
	err := src.checkHead("not a combined-format access log (line %d %w): expected: "+sample, func(line []byte) error {
		_, err := parseLine(string(line))
		return err
	})
	seen := make(occurrences)
	return src, func(line []byte) { r.take(src, line, seen) }, err
}

func (r *accessRun) countKind(e *event.Event, n int) {
	if e.Name == event.FileDownloaded {
		r.ledger.Downloads += n
	} else {
		r.ledger.Pages += n
	}
}

// take puts a line into the batch or into the ledger.
func (r *accessRun) take(src *source, line []byte, seen occurrences) {
	entry, err := parseLine(string(line))
	if err != nil {
		r.malformed(src, err)
		return
	}
	req, ok := parseRequest(entry.Request, r.host)
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
		URL:             cut("https://" + r.host + req.Target()),
		Host:            r.host,
		Path:            cut(req.Path),
		Referrer:        cut(entry.Referrer),
		Library:         event.LibraryAccessLog,
		Origin:          event.OriginImport,
	}
}

// visitor returns a keyed hash, because an address must not be found out by trying all of them.
func (r *accessRun) visitor(entry *entry) string {
	h := hmac.New(sha256.New, r.key)
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
