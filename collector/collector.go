// Package collector is the edge: HTTP requests become events, enriched, made durable and delivered in batches. This
// file holds what its rooms share: the projects that events belong to.
package collector

import (
	"crypto/sha256"
	"time"

	"github.com/touchline-hq/touchline/event"
)

// IPMode says what is kept of a person's address.
type IPMode string

// What can be kept of an address. Truncated is to /24 for IPv4 and /48 for IPv6.
const (
	IPDrop     IPMode = "drop"
	IPTruncate IPMode = "truncate"
	IPKeep     IPMode = "keep"
)

// Project is what the collector must know of a project.
type Project struct {
	ID         string
	WriteKeys  []string
	Origins    []string // of browsers that may send, from ParseOrigin; empty: any
	Currency   string   // of events that name none
	IP         IPMode
	Channels   []ChannelRule // the first that matches decides, before the built-in rules
	RespectGPC bool          // de-identify events whose request carried Sec-GPC: 1 or DNT: 1
	LinkSecret []byte        // signs links; empty: the project has none
	RateLimit  RateLimit     // of each write key, and of all links together

	bucket *bucket // of the key, or the link, that found this project; nil: no limit
}

// Admit takes n events from what the key that found the project may send, or none of them and says how long to
// wait before these would pass.
func (p *Project) Admit(n int, now time.Time) (wait time.Duration) {
	if p.bucket == nil {
		return 0
	}
	return p.bucket.take(n, now)
}

// Adopt makes an event one of the project's. A value without a currency is in the project's.
func (p *Project) Adopt(e *event.Event) {
	e.Project = p.ID
	if e.Value != 0 && e.Currency == "" {
		e.Currency = p.Currency
	}
}

// Projects finds projects by write key and by id. It is immutable, so a reload swaps the whole of it.
type Projects struct {
	byKey     map[[sha256.Size]byte]*Project
	byID      map[string]*Project
	origins   []string // of all projects
	anyOrigin bool     // some project takes events from pages of any origin
}

// NewProjects indexes projects by the hash of their keys. A lookup compares hashes, not keys: how far two of them agree
// can be timed, and tells nothing of how far the keys do.
func NewProjects(projects []Project) *Projects {
	p := &Projects{byKey: make(map[[sha256.Size]byte]*Project), byID: make(map[string]*Project)}
	for _, project := range projects {
		p.origins = append(p.origins, project.Origins...)
		p.anyOrigin = p.anyOrigin || len(project.Origins) == 0
		linked := project
		linked.bucket = newBucket(project.RateLimit)
		p.byID[project.ID] = &linked
		for _, key := range project.WriteKeys {
			keyed := project
			keyed.bucket = newBucket(project.RateLimit)
			p.byKey[sha256.Sum256([]byte(key))] = &keyed
		}
	}
	return p
}

// Inherit makes keys whose limit is what it was go on with the bucket they have, so that a reload does not fill it. It
// must be called before p is in use.
func (p *Projects) Inherit(former *Projects) {
	for hash, project := range p.byKey {
		project.inherit(former.byKey[hash])
	}
	for id, project := range p.byID {
		project.inherit(former.byID[id])
	}
}

func (p *Project) inherit(was *Project) {
	if was != nil && was.RateLimit == p.RateLimit {
		p.bucket = was.bucket
	}
}

// ByWriteKey returns the project of a write key, or nil.
func (p *Projects) ByWriteKey(key string) *Project {
	return p.byKey[sha256.Sum256([]byte(key))]
}

// ByID returns the project with an id, or nil. An id is no secret and gives nobody leave to send.
func (p *Projects) ByID(id string) *Project { return p.byID[id] }

// LinkSecret returns the secret that signs a project's links, or nil when it has none.
func (p *Projects) LinkSecret(id string) []byte {
	if project := p.byID[id]; project != nil {
		return project.LinkSecret
	}
	return nil
}
