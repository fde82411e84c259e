package simulate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"
)

// message is one message of a Segment client.
type message struct {
	Type        string         `json:"type"`
	MessageID   string         `json:"messageId"`
	Timestamp   string         `json:"timestamp"`
	AnonymousID string         `json:"anonymousId,omitempty"`
	UserID      string         `json:"userId,omitempty"`
	GroupID     string         `json:"groupId,omitempty"`
	Event       string         `json:"event,omitempty"`
	Name        string         `json:"name,omitempty"`
	Properties  map[string]any `json:"properties,omitempty"`
	Traits      map[string]any `json:"traits,omitempty"`
	Context     messageContext `json:"context"`
}

type messageContext struct {
	Page      *pageContext `json:"page,omitempty"`
	Campaign  *utm         `json:"campaign,omitempty"`
	UserAgent string       `json:"userAgent,omitempty"`
	IP        string       `json:"ip,omitempty"`
	Locale    string       `json:"locale,omitempty"`
	Timezone  string       `json:"timezone,omitempty"`
	GroupID   string       `json:"groupId,omitempty"`
	Library   library      `json:"library"`
}

type pageContext struct {
	Path     string `json:"path"`
	Referrer string `json:"referrer"`
	Search   string `json:"search"`
	Title    string `json:"title"`
	URL      string `json:"url"`
}

type utm struct {
	Source string `json:"source"`
	Medium string `json:"medium"`
	Name   string `json:"name,omitempty"`
}

type library struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// recorder collects the messages of one subject. Its random numbers must not decide what the subject does in live:
// they only dress it.
type recorder struct {
	w        *world
	r        *rand.Rand
	messages []Message
}

func (w *world) recorder(id uint64, kind string) *recorder {
	return &recorder{w: w, r: w.stream(id, kind, 0)}
}

// record adds a message at t, unless that is past the end. prefix is how the client begins its message ids.
func (rec *recorder) record(t time.Time, prefix string, m message) {
	m.MessageID = fmt.Sprintf("%s-%d-%s", prefix, t.UnixMilli(), uuid(rec.r))
	m.Timestamp = t.Format("2006-01-02T15:04:05.000Z")
	body, err := json.Marshal(m)
	if err != nil {
		panic(err) // only strings and numbers of our own are in a message
	}
	if t.Before(rec.w.end) {
		rec.messages = append(rec.messages, Message{Project: rec.w.project, Time: t, JSON: body})
	}
}

// server adds a message of the company's back end. context.groupId names the account, if any.
func (rec *recorder) server(t time.Time, account string, m message) {
	m.Context = messageContext{GroupID: account, Library: library{"analytics-node", "6.2.0"}}
	rec.record(t, "node", m)
}

// session is a browser on a site: a device, what it shows and the time.
type session struct {
	*recorder
	device   *device
	now      time.Time
	page     pageContext
	campaign *utm
}

// page is a page of a site.
type page struct{ name, path, title string }

// open begins a session on the landing page, where the channel's link leads.
func (rec *recorder) open(d *device, t time.Time, c channel, landing page) *session {
	s := &session{recorder: rec, device: d, now: t}
	link := url.URL{Scheme: "https", Host: rec.w.site, Path: landing.path}
	query := url.Values{}
	if c.source != "" {
		s.campaign = &utm{Source: c.source, Medium: c.medium, Name: one(rec.r, c.campaigns)}
		query.Set("utm_source", s.campaign.Source)
		query.Set("utm_medium", s.campaign.Medium)
		query.Set("utm_campaign", s.campaign.Name)
	}
	if c.clickID != "" {
		query.Set(c.clickID, fmt.Sprintf("%016x%016x", rec.r.Uint64(), rec.r.Uint64()))
	}
	link.RawQuery = query.Encode()
	if len(c.referrers) > 0 {
		s.page.Referrer = one(rec.r, c.referrers)
	}
	s.show(landing, link)
	return s
}

// follow goes on to another page of the site after a while; a browser tells the page before as referrer.
func (s *session) follow(p page) { s.arrive(p, s.page.URL) }

// arrive comes to a page of the site from elsewhere without the session being a new one, as from a payment provider.
func (s *session) arrive(p page, referrer string) {
	s.wait(5*time.Second, 4*time.Minute)
	s.campaign = nil
	s.page.Referrer = referrer
	s.show(p, url.URL{Scheme: "https", Host: s.w.site, Path: p.path})
}

func (s *session) show(p page, u url.URL) {
	s.page = pageContext{Path: p.path, Referrer: s.page.Referrer, Title: p.title, URL: u.String()}
	if u.RawQuery != "" {
		s.page.Search = "?" + u.RawQuery
	}
	s.send(message{Type: "page", Name: p.name, Properties: map[string]any{
		"name": p.name, "path": s.page.Path, "referrer": s.page.Referrer,
		"search": s.page.Search, "title": s.page.Title, "url": s.page.URL,
	}})
}

func (s *session) track(event string, properties map[string]any) {
	s.wait(time.Second, 20*time.Second)
	s.send(message{Type: "track", Event: event, Properties: properties})
}

// identify tells who uses the device: from now on it says so with each message.
func (s *session) identify(user string, traits map[string]any) {
	if s.device.user == user {
		return
	}
	s.device.user = user
	s.wait(time.Second, 20*time.Second)
	s.send(message{Type: "identify", Traits: traits})
}

func (s *session) group(account string, traits map[string]any) {
	s.wait(40*time.Millisecond, 400*time.Millisecond)
	s.send(message{Type: "group", GroupID: account, Traits: traits})
}

func (s *session) wait(from, to time.Duration) {
	s.now = s.now.Add(milliseconds(s.r, from, to))
}

func (s *session) send(m message) {
	p := s.page
	m.AnonymousID, m.UserID = s.device.anonymousID, s.device.user
	m.Context = messageContext{
		Page: &p, Campaign: s.campaign, UserAgent: s.device.userAgent, IP: s.device.ip,
		Locale: s.device.country.locale, Timezone: s.device.country.timezone,
		Library: library{"analytics.js", "npm:next-1.84.3"},
	}
	s.record(s.now, "ajs-next", m)
}

// uuid draws a version 4 UUID.
func uuid(r *rand.Rand) string {
	hi, lo := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
		hi>>32, hi>>16&0xffff, hi&0xfff, lo>>48&0x3fff|0x8000, lo&0xffffffffffff)
}
