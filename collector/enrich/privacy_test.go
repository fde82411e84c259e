package enrich

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

func TestPrivacyIP(t *testing.T) {
	const v4, v6 = "203.0.113.77", "2001:db8:1:2::77"
	for name, c := range map[string]struct {
		mode    collector.IPMode
		ip      string
		context string
		want    string
	}{
		"keep":                   {collector.IPKeep, v4, `{"a":1}`, `{"ip":"203.0.113.77","a":1}`},
		"truncate":               {collector.IPTruncate, v4, `{"a":1}`, `{"ip":"203.0.113.0","a":1}`},
		"truncate IPv6":          {collector.IPTruncate, v6, ``, `{"ip":"2001:db8:1::"}`},
		"truncate mapped":        {collector.IPTruncate, "::ffff:" + v4, `{}`, `{"ip":"203.0.113.0"}`},
		"truncate with a zone":   {collector.IPTruncate, "fe80::1%eth0", ``, `{"ip":"fe80::"}`},
		"keep without its zone":  {collector.IPKeep, `fe80::1%"`, ``, `{"ip":"fe80::1"}`},
		"no mode truncates":      {"", v4, `{ }`, `{"ip":"203.0.113.0"}`},
		"drop":                   {collector.IPDrop, v4, `{"a":1}`, `{"a":1}`},
		"drop leaves nothing":    {collector.IPDrop, v4, `{"ip":"198.51.100.1"}`, ``},
		"client's is dropped":    {collector.IPDrop, "", `{"ip":"198.51.100.1","a":"ip"}`, `{"a":"ip"}`},
		"client's is replaced":   {collector.IPTruncate, v4, `{"a":1,"ip":"198.51.100.1"}`, `{"ip":"203.0.113.0","a":1}`},
		"client's twice":         {collector.IPTruncate, "", `{"ip":"1.1.1.1","a":1,"ip":"2.2.2.2"}`, `{"a":1}`},
		"client's in disguise":   {collector.IPDrop, "", `{"\u0069p":"198.51.100.1","a":1}`, `{"a":1}`},
		"one further down stays": {collector.IPDrop, "", `{"a":{"ip":"x"}}`, `{"a":{"ip":"x"}}`},
		"no JSON":                {collector.IPDrop, "", `"ip": 198.51.100.1`, ``},
		"cut":                    {collector.IPKeep, v4, `{"ip":"198.51`, `{"ip":"203.0.113.77"}`},
		"nothing at all":         {collector.IPTruncate, "", ``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			var client event.Client
			if c.ip != "" {
				client.IP = netip.MustParseAddr(c.ip)
			}
			e := event.Event{Context: c.context, UserID: "u", ClientKey: 7}
			Privacy{}.Enrich(&collector.Project{IP: c.mode, RespectGPC: true}, &client, &e)
			if want := (event.Event{Context: c.want, UserID: "u", ClientKey: 7}); e != want {
				t.Errorf("got  %+v\nwant %+v", e, want)
			}
		})
	}
}

func TestPrivacyOfWhoObjects(t *testing.T) {
	full := event.Event{
		Project: "shop", MessageID: "m", Type: event.Track, Name: event.OrderCompleted, Timestamp: 5,
		AnonymousID: "a", UserID: "u", AccountID: "g", PreviousID: "p", ClientKey: 7, ClientDay: 8,
		URL: "https://shop.example/thanks?mail=a%40b.example#u", Host: "shop.example", Path: "/thanks?mail=me",
		Referrer: "https://www.google.com/?q=me", Source: "google", Medium: "cpc", Campaign: "sale",
		ClickID: "abc", ClickIDType: "gclid", Channel: PaidSearch, ChannelReason: ReasonUTM, Country: "DE",
		Value: 1_000_000, Currency: "EUR", OrderID: "o1", Properties: `{"sku":1}`, Traits: `{"email":"a@b.example"}`,
		Context: `{"ip":"203.0.113.77","device":{"id":"x"}}`,
	}
	anonymous := full
	anonymous.AnonymousID, anonymous.UserID, anonymous.AccountID, anonymous.PreviousID = "", "", "", ""
	anonymous.ClientKey, anonymous.ClickID, anonymous.Traits, anonymous.Context = 0, "", "", ""
	anonymous.URL, anonymous.Path, anonymous.Referrer = "https://shop.example/thanks", "/thanks", "https://www.google.com/"
	kept := full
	kept.Context = `{"ip":"203.0.113.77","device":{"id":"x"}}`
	for name, c := range map[string]struct {
		respect, objects bool
		want             event.Event
	}{
		"objects":               {true, true, anonymous},
		"does not":              {true, false, kept},
		"nobody listens":        {false, true, kept},
		"nobody says anything ": {false, false, kept},
	} {
		e := full
		client := event.Client{DoNotTrack: c.objects, IP: netip.MustParseAddr("203.0.113.77")}
		Privacy{}.Enrich(&collector.Project{IP: collector.IPKeep, RespectGPC: c.respect}, &client, &e)
		if e != c.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, e, c.want)
		}
	}
}

func FuzzPrivacy(f *testing.F) {
	f.Add(`{"ip":"198.51.100.1","a":1}`)
	f.Add(`{"\u0069p":1}`)
	f.Add(` { } `)
	f.Add(`[]`)
	f.Add(`null`)
	f.Add(`{"\u000000":0}`)
	f.Fuzz(func(t *testing.T, context string) {
		e := event.Event{Context: context}
		Privacy{}.Enrich(&collector.Project{IP: collector.IPDrop}, &event.Client{}, &e)
		var object map[string]any
		if !json.Valid([]byte(context)) || e.Context == "" {
			return
		}
		if err := json.Unmarshal([]byte(e.Context), &object); err != nil {
			t.Fatalf("%q became %q: %v", context, e.Context, err)
		}
		if ip, ok := object["ip"]; ok {
			t.Fatalf("%q kept the address %v", context, ip)
		}
	})
}

func TestWithoutQuery(t *testing.T) {
	for address, want := range map[string]string{
		"":                                  "",
		"/a?b#c":                            "/a",
		"https://shop.example/a@b#c":        "https://shop.example/a@b",
		"https://ada:pw@shop.example/a":     "https://shop.example/a",
		"https://ada@home@shop.example?q=/": "https://shop.example",
		"/redirect/https://ada@b/":          "/redirect/https://b/",
	} {
		if got := withoutQuery(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestPrivacyTakesQueriesOutOfProperties(t *testing.T) {
	for properties, want := range map[string]string{
		``: ``,
		`{"url":"https://shop.example/a?gclid=1#x","referrer":"https://t.example/?q=me","search":"?gclid=1","title":"A"}`: `{"referrer":"https://t.example/","title":"A","url":"https://shop.example/a"}`,
		`{"search":"?a=1"}`:     ``,
		`{"path":"/a?mail=me"}`: `{"path":"/a"}`,
		`{"url":7,"n":"a?b#c"}`: `{"n":"a?b#c","url":7}`,
		`{"cut`:                 ``,
	} {
		e := event.Event{Properties: properties}
		Privacy{}.Enrich(&collector.Project{RespectGPC: true}, &event.Client{DoNotTrack: true}, &e)
		if e.Properties != want {
			t.Errorf("%s: got %s, want %s", properties, e.Properties, want)
		}
	}
}
