// Package collector is the edge: HTTP requests become events, enriched, made durable and delivered in batches. This
// file holds what its rooms share: the projects that events belong to.
package collector

import "crypto/sha256"

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
	RespectGPC bool   // de-identify events whose request carried Sec-GPC: 1 or DNT: 1
	LinkSecret []byte // signs links; empty: the project has none
}

// Projects finds projects by write key and by id. It is immutable, so a reload swaps the whole of it.
type Projects struct {
	byKey     map[[sha256.Size]byte]*Project
	byID      map[string]*Project
	origins   []string // of all projects
	anyOrigin bool     // some project takes events from pages of any origin
}

// NewProjects indexes projects by the hash of their keys, so that a lookup's time tells nothing about a key.
func NewProjects(projects []Project) *Projects {
	p := &Projects{byKey: make(map[[sha256.Size]byte]*Project), byID: make(map[string]*Project)}
	for i := range projects {
		p.byID[projects[i].ID] = &projects[i]
		p.origins = append(p.origins, projects[i].Origins...)
		p.anyOrigin = p.anyOrigin || len(projects[i].Origins) == 0
		for _, key := range projects[i].WriteKeys {
			p.byKey[sha256.Sum256([]byte(key))] = &projects[i]
		}
	}
	return p
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
