package handler

import (
	"encoding/base64"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// withCookie makes a fixture whose visitors are new-1, new-2, …; messages without id get fresh ones from the same count.
func withCookie(t testing.TB, c Cookie) *fixture {
	f := newFixture().withProjects(shop, open, collector.Project{ID: "private", WriteKeys: []string{"wk_private"}, RespectGPC: true})
	f.Cookie = c
	f.Proxies = proxies(t, "192.0.2.44")
	ids := 0
	f.newID = func() string { ids++; return "new-" + strconv.Itoa(ids) }
	return f
}

const year = 365 * 24 * time.Hour

// setTo is the Set-Cookie of a visitor.
func setTo(visitor string) string {
	return "tl=" + visitor + "; max-age=31536000; path=/; HttpOnly; SameSite=Lax"
}

// visit is one stored event as far as the visitor matters.
type visit struct{ anonymousID, userID string }

func (f *fixture) visits(t *testing.T) []visit {
	t.Helper()
	var visits []visit
	for _, e := range f.sink.events(t) {
		visits = append(visits, visit{e.AnonymousID, e.UserID})
	}
	return visits
}

func TestVisitorCookie(t *testing.T) {
	const (
		nameless = `{"type":"page","messageId":"m","userId":"ada"}`
		device   = `{"type":"page","messageId":"m","anonymousId":"dev-1"}`
	)
	dataPixel := "/v1/pixel/page?data=" + base64.RawURLEncoding.EncodeToString([]byte(`{"writeKey":"wk_shop","messageId":"m"}`))
	for _, c := range []struct {
		about     string
		uri, body string
		sent      headers
		cookie    string // that the answer sets; empty: none
		visits    []visit
	}{
		{"first visit", "/v1/page", nameless, nil, setTo("new-1"), []visit{{"new-1", "ada"}}},
		{"known visitor", "/v1/page", nameless, headers{"Cookie": "tl=v-7"}, setTo("v-7"), []visit{{"v-7", "ada"}}},
		{"among other cookies", "/v1/page", nameless, headers{"Cookie": "a=b; tl=v-7; tl2=x"}, setTo("v-7"), []visit{{"v-7", "ada"}}},
		{"the script names its device first", "/v1/page", device, nil, setTo("dev-1"), []visit{{"dev-1", ""}}},
		{"the script names another device", "/v1/page", device, headers{"Cookie": "tl=v-7"}, setTo("dev-1"), []visit{{"dev-1", ""}}},
		{"a batch", "/v1/batch", `{"batch":[` + nameless + `,{"type":"page","anonymousId":"a"},{"type":"page","anonymousId":"b"},` + nameless + `]}`,
			headers{"Cookie": "tl=v-7"}, setTo("b"), []visit{{"b", "ada"}, {"a", ""}, {"b", ""}, {"b", "ada"}}},
		{"a server's message among them", "/v1/batch", `{"batch":[{"type":"page","channel":"server","anonymousId":"s"},{"type":"page","channel":"server"},` + nameless + `]}`,
			headers{"Cookie": "tl=v-7"}, setTo("v-7"), []visit{{"s", ""}, {"", ""}, {"v-7", "ada"}}},
		{"only servers' messages", "/v1/batch", `{"batch":[{"type":"page","channel":"server"}]}`, headers{"Cookie": "tl=v-7"}, "", []visit{{"", ""}}},
		{"nothing taken", "/v1/track", `{}`, nil, "", nil},
		{"a device that no cookie can hold", "/v1/page", `{"anonymousId":"a; b"}`, headers{"Cookie": "tl=v-7"}, "", []visit{{"a; b", ""}}},
		{"forged cookie", "/v1/page", nameless, headers{"Cookie": "tl=a b"}, setTo("new-1"), []visit{{"new-1", "ada"}}},
		{"long cookie", "/v1/page", nameless, headers{"Cookie": "tl=" + strings.Repeat("x", 513)}, setTo("new-1"), []visit{{"new-1", "ada"}}},
		{"empty cookie", "/v1/page", nameless, headers{"Cookie": "tl="}, setTo("new-1"), []visit{{"new-1", "ada"}}},

		{"objection, respected", "/v1/page", nameless, headers{"Sec-GPC": "1", "Cookie": "tl=v-7", "Authorization": basic("wk_private")}, "", []visit{{"", "ada"}}},
		{"objection of the other kind", "/v1/page", nameless, headers{"DNT": "1", "Authorization": basic("wk_private")}, "", []visit{{"", "ada"}}},
		{"objection, not respected", "/v1/page", nameless, headers{"Sec-GPC": "1"}, setTo("new-1"), []visit{{"new-1", "ada"}}},

		{"a server", "/v1/page", nameless, headers{"Sec-Fetch-Site": "", "Origin": ""}, "", []visit{{"", "ada"}}},
		{"same site", "/v1/page", nameless, headers{"Sec-Fetch-Site": "same-site"}, setTo("new-1"), []visit{{"new-1", "ada"}}},
		{"another site", "/v1/page", nameless, headers{"Sec-Fetch-Site": "cross-site", "Cookie": "tl=v-7"}, "", []visit{{"", "ada"}}},
		{"typed by hand", "/v1/page", nameless, headers{"Sec-Fetch-Site": "none"}, "", []visit{{"", "ada"}}},
		{"old browser", "/v1/page", nameless, headers{"Sec-Fetch-Site": ""}, setTo("new-1"), []visit{{"new-1", "ada"}}},
		{"old browser elsewhere", "/v1/page", nameless, headers{"Sec-Fetch-Site": "", "Authorization": basic("wk_open"), "Origin": "https://other.test"}, "", []visit{{"", "ada"}}},
		{"old browser in a sandbox", "/v1/page", nameless, headers{"Sec-Fetch-Site": "", "Authorization": basic("wk_open"), "Origin": "null"}, "", []visit{{"", "ada"}}},

		{"TLS ends at the proxy", "/v1/page", nameless, headers{"X-Forwarded-Proto": "https"},
			"tl=new-1; max-age=31536000; path=/; HttpOnly; secure; SameSite=Lax", []visit{{"new-1", "ada"}}},

		{"pixel", "/p.gif?k=wk_shop&e=page&mid=m", "", headers{"Cookie": "tl=v-7"}, setTo("v-7"), []visit{{"v-7", ""}}},
		{"pixel with a device", "/p.gif?k=wk_shop&e=page&aid=dev-1&mid=m", "", headers{"Cookie": "tl=v-7"}, setTo("dev-1"), []visit{{"dev-1", ""}}},
		{"pixel that is refused", "/p.gif?k=wk_shop", "", headers{"Cookie": "tl=v-7"}, "", nil},
		{"pixel of data", dataPixel, "", nil, setTo("new-1"), []visit{{"new-1", ""}}},
		{"pixel in an old browser", "/p.gif?k=wk_shop&e=page&mid=m", "", headers{"Sec-Fetch-Site": "", "Origin": "", "Referer": "https://www.shop.test/a"},
			setTo("new-1"), []visit{{"new-1", ""}}},
		{"pixel in webmail", "/p.gif?k=wk_shop&e=Email+Opened&uid=ada&mid=m", "", headers{"Sec-Fetch-Site": "cross-site"}, "", []visit{{"", "ada"}}},
		{"pixel in a mail program", "/p.gif?k=wk_shop&e=Email+Opened&uid=ada&mid=m", "", headers{"Sec-Fetch-Site": "", "Origin": ""}, "", []visit{{"", "ada"}}},
	} {
		t.Run(c.about, func(t *testing.T) {
			sent := headers{"Host": "collect.shop.test", "Origin": "https://shop.test", "Sec-Fetch-Site": "same-origin", "Authorization": basic("wk_shop")}
			method := "POST"
			if c.body == "" {
				method = "GET"
				delete(sent, "Origin")
			}
			maps.Copy(sent, c.sent)
			f := withCookie(t, Cookie{Name: "tl", MaxAge: year})
			_, got, _ := f.do(method, c.uri, c.body, sent)
			equal(t, got["Set-Cookie"], c.cookie)
			equal(t, f.visits(t), c.visits)

			want := map[bool]string{true: "no-store"}[c.cookie != "" || method == "GET"]
			equal(t, got["Cache-Control"], want)

			off := withCookie(t, Cookie{})
			_, without, _ := off.do(method, c.uri, c.body, sent)
			equal(t, without["Set-Cookie"], "")
			delete(got, "Set-Cookie")
			if method == "POST" {
				delete(got, "Cache-Control")
			}
			equal(t, got, without)
		})
	}
}

func TestCookieOfADomain(t *testing.T) {
	f := withCookie(t, Cookie{Name: "visitor", Domain: "shop.test", MaxAge: time.Hour})
	f.expect(t, "POST", "/v1/page", `{"messageId":"m"}`, headers{
		"Host": "collect.shop.test", "Origin": "https://www.shop.test", "Authorization": basic("wk_shop"), "X-Forwarded-Proto": "https",
	}, response{status: 200, body: success, headers: headers{
		"Access-Control-Allow-Origin": "https://www.shop.test", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin", "Cache-Control": "no-store",
		"Set-Cookie": "visitor=new-1; max-age=3600; domain=shop.test; path=/; HttpOnly; secure; SameSite=Lax",
	}})
}

// Two copies of a retry meet, whatever cookie either has: the place of a row comes only from what both carry.
func TestRetriesMeetWithAnyCookie(t *testing.T) {
	cookie := rapid.SampledFrom([]string{"", "tl=a", "tl=b", "tl=;", "tl=\x01"})
	bodies := []string{
		`{"type":"page","messageId":"m"}`, `{"type":"page"}`, `{"type":"page","userId":"ada"}`, `{"type":"page","anonymousId":"dev"}`,
		`{"type":"page","timestamp":"2027-01-15T07:59:58Z","sentAt":"2027-01-15T07:59:59Z"}`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		f := withCookie(t, Cookie{Name: "tl", MaxAge: year})
		body := rapid.SampledFrom(bodies).Draw(rt, "body")
		for range 2 {
			h := headers{"Host": "shop.test", "Origin": "https://shop.test", "Authorization": basic("wk_shop"), "Cookie": cookie.Draw(rt, "cookie")}
			if status, _, answer := f.do("POST", "/v1/page", body, h); status != 200 {
				rt.Fatal(answer)
			}
		}
		type place struct {
			id  string
			day int32
			key uint64
		}
		var places []place
		for _, e := range f.sink.events(t) {
			if e.AnonymousID == "" {
				rt.Fatalf("no visitor in %+v", e)
			}
			places = append(places, place{e.MessageID, e.ClientDay, e.ClientKey})
		}
		if len(places) != 2 || places[0] != places[1] {
			rt.Fatalf("got %+v", places)
		}
	})
}

// A cookie's value comes from outside: whatever it is, it becomes an id that holds nothing but itself, or none.
func FuzzCookie(f *testing.F) {
	for _, seed := range []string{"tl=v-7", `tl="v-7"`, "tl=a b", "tl", "=;;=", "a=b; tl=x=y", "tl=\x00", "tl=ü", "tl=x\r\nSet-Cookie: y=z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cookie string) {
		fix := withCookie(t, Cookie{Name: "tl", MaxAge: year})
		h := headers{"Host": "shop.test", "Origin": "https://shop.test", "Authorization": basic("wk_shop"), "Cookie": cookie}
		status, got, answer := fix.do("POST", "/v1/page", `{"messageId":"m"}`, h)
		events := fix.sink.events(t)
		if status != 200 || len(events) != 1 {
			t.Fatalf("%d %s", status, answer)
		}
		id := events[0].AnonymousID
		if id == "" || len(id) > event.MaxID || got["Set-Cookie"] != setTo(id) || strings.ContainsAny(id, " \";,\\\r\n\x00") {
			t.Errorf("visitor %q, Set-Cookie %q", id, got["Set-Cookie"])
		}
	})
}
