package handler

import (
	"slices"
	"testing"

	"github.com/touchline-hq/touchline/collector"
)

// withProjects replaces the projects of a fixture.
func (f *fixture) withProjects(projects ...collector.Project) *fixture {
	p := collector.NewProjects(projects)
	f.Projects = func() *collector.Projects { return p }
	return f
}

var (
	shop  = collector.Project{ID: "shop", WriteKeys: []string{"wk_shop"}, Origins: []string{"https://shop.test", "https://*.shop.test"}}
	brand = collector.Project{ID: "brand", WriteKeys: []string{"wk_brand"}, Origins: []string{"https://brand.test"}}
	open  = collector.Project{ID: "open", WriteKeys: []string{"wk_open"}}
)

// corsOf is what every answer carries that a page may read; named is for origins that a project lists.
func corsOf(origin string, named bool) headers {
	h := headers{"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}
	if named {
		h["Access-Control-Allow-Credentials"] = "true"
	}
	return h
}

// What the clients ask for, each in the words of its browser.
const (
	askSegment    = "authorization,content-type"
	askRudder     = "anonymousid,authorization,content-type,sentat"
	askCompressed = "authorization,content-encoding,content-type,x-retry-count"
)

func TestPreflight(t *testing.T) {
	const refused = `{"success":false,"error":"origin is none of any project's; add it to origins, as scheme://host[:port]"}`
	for _, c := range []struct {
		about    string
		projects []collector.Project
		origin   string
		ask      string
		allowed  bool
		named    bool
	}{
		{"listed", []collector.Project{shop, brand}, "https://shop.test", askSegment, true, true},
		{"listed by the other project", []collector.Project{shop, brand}, "https://brand.test", askRudder, true, true},
		{"below a wildcard", []collector.Project{shop}, "https://www.shop.test", askCompressed, true, true},
		{"listed, beside an open project", []collector.Project{open, shop}, "https://shop.test", "", true, true},
		{"any", []collector.Project{open, shop}, "https://unknown.test", askRudder, true, false},
		{"a page without origin", []collector.Project{open}, "null", askSegment, true, false},
		{"unknown", []collector.Project{shop, brand}, "https://unknown.test", askSegment, false, false},
		{"null, and origins are listed", []collector.Project{shop}, "null", askSegment, false, false},
		{"looks alike", []collector.Project{shop}, "https://shop.test.evil.test", askSegment, false, false},
	} {
		t.Run(c.about, func(t *testing.T) {
			h := headers{
				"Origin": c.origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true",
			}
			if c.ask != "" {
				h["Access-Control-Request-Headers"] = c.ask
			}
			f := newFixture().withProjects(c.projects...)
			status, got, body := f.do("OPTIONS", "/v1/batch", "", h)
			if !c.allowed {
				equal(t, response{status, got, body}, response{403, headers{"Content-Type": "application/json", "Vary": "Origin"}, refused})
				equal(t, f.Snapshot(), Stats{Forbidden: 1})
				return
			}
			delete(got, "Content-Type") // fasthttp's default; no body is sent
			want := corsOf(c.origin, c.named)
			want["Allow"], want["Access-Control-Allow-Methods"], want["Access-Control-Max-Age"] = "POST, OPTIONS", "POST", "86400"
			want["Vary"] = "Origin, Access-Control-Request-Headers"
			if c.ask != "" {
				want["Access-Control-Allow-Headers"] = c.ask
			}
			equal(t, response{status, got, body}, response{status: 204, headers: want})
			equal(t, f.Snapshot(), Stats{})
		})
	}
}

func TestOptionsOfNoBrowser(t *testing.T) {
	status, got, body := newFixture().do("OPTIONS", "/v1/t", "", nil)
	delete(got, "Content-Type")
	equal(t, response{status, got, body}, response{status: 204, headers: headers{"Allow": "POST, OPTIONS"}})
}

func TestCrossOriginRequest(t *testing.T) {
	const (
		page    = `{"messageId":"m","writeKey":"wk_shop"}`
		refused = `{"success":false,"error":"origin is none of the project's; add it to origins, as scheme://host[:port]"}`
		unknown = `{"success":false,"error":"write key is unknown; compare it with write_keys of the project"}`
		noJSON  = `{"success":false,"error":"body is not JSON: unexpected end of JSON input at byte 1"}`
	)
	vary := headers{"Vary": "Origin"}
	for _, c := range []struct {
		about    string
		projects []collector.Project
		origin   string
		key      string // of Basic authentication; else it is in the body
		body     string
		want     response
	}{
		{"listed", []collector.Project{shop, brand}, "https://shop.test", "wk_shop", page, response{200, corsOf("https://shop.test", true), success}},
		{"listed, key in the body", []collector.Project{shop, brand}, "https://a.b.shop.test", "", page, response{200, corsOf("https://a.b.shop.test", true), success}},
		{"any", []collector.Project{open}, "https://unknown.test", "wk_open", page, response{200, corsOf("https://unknown.test", false), success}},
		{"null", []collector.Project{open}, "null", "wk_open", page, response{200, corsOf("null", false), success}},
		{"unknown", []collector.Project{shop}, "https://unknown.test", "wk_shop", page, response{403, vary, refused}},
		{"unknown, key in the body", []collector.Project{shop}, "https://unknown.test", "", page, response{403, vary, refused}},
		{"null is not listed", []collector.Project{shop}, "null", "wk_shop", page, response{403, vary, refused}},
		{"another project's", []collector.Project{shop, brand}, "https://brand.test", "wk_shop", page, response{403, corsOf("https://brand.test", true), refused}},
		{"errors can be read", []collector.Project{shop}, "https://shop.test", "wk_none", page, response{401, corsOf("https://shop.test", true), unknown}},
		{"before the key is known", []collector.Project{shop}, "https://shop.test", "", "{", response{400, corsOf("https://shop.test", true), noJSON}},
		{"not by strangers", []collector.Project{shop}, "https://unknown.test", "wk_none", page, response{401, vary, unknown}},
	} {
		t.Run(c.about, func(t *testing.T) {
			f := newFixture().withProjects(c.projects...)
			h := headers{"Origin": c.origin}
			if c.key != "" {
				h["Authorization"] = basic(c.key)
			}
			f.expect(t, "POST", "/v1/page", c.body, h, c.want)
			equal(t, len(f.sink.events(t)), map[bool]int{true: 1}[c.want.status == 200])
			forbidden := f.Snapshot().Forbidden
			equal(t, forbidden, map[bool]int64{true: 1}[c.want.status == 403])
		})
	}
}

// A pixel is no matter of origins: any page may show an image, and none can read it.
func TestPixelOfAnyOrigin(t *testing.T) {
	f := newFixture().withProjects(shop)
	f.expect(t, "GET", "/p.gif?k=wk_shop&e=page", "", headers{"Origin": "https://unknown.test"}, response{200, headers{
		"Content-Type": "image/gif", "Cache-Control": "no-store",
	}, gif})
	equal(t, len(f.sink.records), 1)
}

func TestProjectsSwappedByReload(t *testing.T) {
	f := newFixture().withProjects(shop)
	h := headers{"Origin": "https://brand.test", "Authorization": basic("wk_brand")}
	var statuses []int
	for range 2 {
		status, _, _ := f.do("OPTIONS", "/v1/page", "", h)
		post, _, _ := f.do("POST", "/v1/page", "{}", h)
		statuses = append(statuses, status, post)
		f.withProjects(shop, brand)
	}
	if want := []int{403, 401, 204, 200}; !slices.Equal(statuses, want) {
		t.Errorf("got %v, want %v", statuses, want)
	}
}
