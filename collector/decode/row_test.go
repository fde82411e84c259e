package decode

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/event"
)

// row decodes a row given as field, cell, field, cell, …
func row(pairs ...string) (Message, error) {
	var fields, cells []string
	for i := 0; i < len(pairs); i += 2 {
		fields, cells = append(fields, pairs[i]), append(cells, pairs[i+1])
	}
	var d Decoder
	var m Message
	req := Request{ReceivedAt: received, Origin: event.OriginImport, NewID: func() string { return "new" }}
	err := d.Row(&m, fields, cells, req)
	return m, err
}

func TestRow(t *testing.T) {
	imported := func(e event.Event) event.Event {
		if e.MessageID == "" {
			e.MessageID = "new"
		}
		e.Origin = event.OriginImport
		return stored(e)
	}
	for name, c := range map[string]struct {
		cells []string
		want  event.Event
	}{
		"track is what a row is": {
			[]string{"event", "E"}, event.Event{Type: event.Track, Name: "E"},
		},
		"empty cells say nothing": {
			[]string{"type", "", "event", "E", "value", "", "country", "", "is_bot", "", "traits", "", "timestamp", ""},
			event.Event{Type: event.Track, Name: "E"},
		},
		"every column": {
			[]string{
				"message_id", "m", "type", "page", "event", "Home", "anonymous_id", "a", "user_id", "7", "account_id", "acme",
				"previous_id", "p", "timestamp", "2027-01-15T07:00:00.5Z", "sent_at", "1799999999999", "url", "https://a.test/x",
				"host", "a.test", "path", "/x", "title", "T \"q\" \\ ü", "referrer", "https://r.test/", "source", "s", "medium", "m",
				"campaign", "c", "term", "t", "content", "n", "click_id", "g", "click_id_type", "gclid", "channel", "Email",
				"channel_reason", "utm", "country", "de", "region", "Bayern", "city", "Fürth", "browser", "Firefox", "browser_version", "144",
				"os", "Linux", "os_version", "6", "device", "Desktop", "is_bot", "TRUE", "bot_reason", "said so", "language", "de-DE",
				"timezone", "Europe/Berlin", "screen", "1x2", "value", "-12.345678", "currency", "usd", "order_id", "o1",
				"properties", `{ "a" : [1, "ü"] }`, "traits", `{"b":{}}`, "context", `{"c":null}`, "consent", "granted", "library", "shop/1",
			},
			event.Event{
				MessageID: "m", Type: event.Page, Name: "Home", AnonymousID: "a", UserID: "7", AccountID: "acme", PreviousID: "p",
				ClientTimestamp: 1_799_996_400_500, SentAt: 1_799_999_999_999, URL: "https://a.test/x", Host: "a.test", Path: "/x",
				Title: `T "q" \ ü`, Referrer: "https://r.test/", Source: "s", Medium: "m", Campaign: "c", Term: "t", Content: "n",
				ClickID: "g", ClickIDType: "gclid", Channel: "Email", ChannelReason: "utm", Country: "DE", Region: "Bayern", City: "Fürth",
				Browser: "Firefox", BrowserVersion: "144", OS: "Linux", OSVersion: "6", Device: "desktop", IsBot: true, BotReason: "said so",
				Language: "de-DE", Timezone: "Europe/Berlin", Screen: "1x2", Value: -12_345_678, Currency: "USD", OrderID: "o1",
				Properties: `{"a":[1,"ü"]}`, Traits: `{"b":{}}`, Context: `{"c":null}`, Consent: "granted", Library: "shop/1",
			},
		},
		"objects are read like those of a message": {
			[]string{
				"event", "E", "properties", `{"revenue":"5","currency":"usd","order_id":"o"}`,
				"context", `{"page":{"url":"https://a.test/"},"campaign":{"name":"c"},"traits":{"x":1},"groupId":"g"}`,
			},
			event.Event{
				Type: event.Track, Name: "E", Value: 5_000_000, Currency: "USD", OrderID: "o", URL: "https://a.test/", Campaign: "c",
				AccountID: "g", Traits: `{"x":1}`, Properties: `{"revenue":"5","currency":"usd","order_id":"o"}`,
			},
		},
		"columns win over objects": {
			[]string{
				"value", "6", "currency", "CHF", "url", "https://b.test/", "traits", `{"y":2}`, "account_id", "h", "event", "E",
				"properties", `{"revenue":5,"currency":"usd"}`, "context", `{"page":{"url":"https://a.test/"},"traits":{"x":1},"groupId":"g"}`,
			},
			event.Event{
				Type: event.Track, Name: "E", Value: 6_000_000, Currency: "CHF", URL: "https://b.test/", AccountID: "h", Traits: `{"y":2}`,
				Properties: `{"revenue":5,"currency":"usd"}`,
			},
		},
		"seconds, and a group": {
			[]string{"type", "group", "account_id", "acme", "user_id", "u", "timestamp", "1700000000.25", "traits", `{"seats":3}`},
			event.Event{Type: event.Group, AccountID: "acme", UserID: "u", ClientTimestamp: 1_700_000_000_250, Traits: `{"seats":3}`},
		},
		"identify":                  {[]string{"type", "identify", "user_id", "u", "traits", "{}"}, event.Event{Type: event.Identify, UserID: "u"}},
		"alias":                     {[]string{"type", "alias", "user_id", "u", "previous_id", "v"}, event.Event{Type: event.Alias, UserID: "u", PreviousID: "v"}},
		"screen":                    {[]string{"type", "screen", "event", "Main"}, event.Event{Type: event.Screen, Name: "Main"}},
		"what is not UTF-8 and NUL": {[]string{"event", "E\xff", "title", "\x00"}, event.Event{Type: event.Track, Name: "E\uFFFD", Title: "\uFFFD"}},
		"a reason for no bot":       {[]string{"event", "E", "bot_reason", "x", "is_bot", "0"}, event.Event{Type: event.Track, Name: "E"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := row(c.cells...)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, m, Message{Event: imported(c.want)})
		})
	}
}

func TestRowKnowsTheClientFromItsContext(t *testing.T) {
	m, err := row("event", "E", "context", `{"ip":"192.0.2.1","userAgent":"Firefox","x":1}`)
	if err != nil {
		t.Fatal(err)
	}
	want := event.Client{IP: netip.MustParseAddr("192.0.2.1"), UserAgent: "Firefox"}
	if m.Client != want || m.Event.Context != `{"x":1}` {
		t.Errorf("got %+v, context %s", m.Client, m.Event.Context)
	}
}

func TestRowRefuses(t *testing.T) {
	for _, c := range []struct {
		cells []string
		want  string
	}{
		{[]string{"user_id", "u"}, "event is required for track"},
		{[]string{"type", "purchase"}, `type is "purchase"; want track, page, screen, identify, group or alias`},
		{[]string{"type", "group"}, "account_id is required for group"},
		{[]string{"type", "alias", "user_id", "u"}, "user_id and previous_id are required for alias"},
		{[]string{"type", "identify"}, "user_id or anonymous_id is required for identify"},
		{[]string{"event", "E", "anonymous_id", strings.Repeat("x", 513)}, "anonymous_id is 513 bytes long; at most 512 are taken"},
		{[]string{"event", "E", "account_id", strings.Repeat("x", 513)}, "account_id is 513 bytes long; at most 512 are taken"},
		{[]string{"event", "E", "timestamp", "2027-01-15 07:00"}, `timestamp is "2027-01-15 07:00"; want a time as in RFC 3339, or Unix milliseconds or seconds as a number`},
		{[]string{"event", "E", "timestamp", "1e99"}, "timestamp is 1e99; want a time as in RFC 3339, or Unix milliseconds or seconds as a number"},
		{[]string{"event", "E", "timestamp", "007"}, `timestamp is "007"; want a time as in RFC 3339, or Unix milliseconds or seconds as a number`},
		{[]string{"event", "E", "value", "1,5"}, `value is "1,5"; want a number`},
		{[]string{"event", "E", "value", "9e13"}, "value is 9e13; at most 9e12 is taken"},
		{[]string{"event", "E", "currency", "€"}, `currency is "€"; want a code of three letters as in ISO 4217`},
		{[]string{"event", "E", "country", "Germany"}, `country is "Germany"; want a code of two letters as in ISO 3166-1`},
		{[]string{"event", "E", "device", "phone"}, `device is "phone"; want desktop, mobile, tablet, tv, console`},
		{[]string{"event", "E", "is_bot", "maybe"}, `is_bot is "maybe"; want true or false`},
		{[]string{"event", "E", "properties", "[1]"}, `properties is [1]; want an object like {"plan":"pro"}`},
		{[]string{"event", "E", "traits", `"x"`}, `traits is "x"; want an object like {"plan":"pro"}`},
		{[]string{"event", "E", "context", `{"a":`}, `context is not JSON: unexpected end of JSON input; want an object like {"plan":"pro"}`},
		{[]string{"event", "E", "properties", `{},"userId":"forged","x":{}`}, `properties is not JSON: invalid character ',' after top-level value; want an object like {"plan":"pro"}`},
		{[]string{"event", "E", "context", `{"groupId":[]}`}, "context.groupId is an array; want a string"},
		{[]string{"event", "E", "properties", strings.Repeat(`{"a":`, 400) + "1" + strings.Repeat("}", 400)}, "body is nested too deeply; at most 300 levels are taken"},
	} {
		if _, err := row(c.cells...); err == nil || err.Error() != c.want {
			t.Errorf("%.60q\n got  %v\n want %s", c.cells, err, c.want)
		}
	}
}

// What a file says stands, whatever enrichment finds; what it does not say is enrichment's.
func TestRestate(t *testing.T) {
	var d Decoder
	found := event.Event{
		MessageID: "m", Channel: "Direct", ChannelReason: "none", Country: "US", City: "Boston", Browser: "Chrome", BrowserVersion: "140",
		OS: "Android", OSVersion: "14", Device: "mobile",
		IsBot: true, BotReason: "user agent: curl",
	}
	e := found
	d.Restate(&e, []string{"message_id", "channel", "channel_reason", "country", "city", "browser", "os_version", "os", "device", "is_bot"},
		[]string{"x", "x", "utm", "fr", "", "Firefox", "9", "Linux", "TV", "false"})
	want := found
	want.ChannelReason, want.Country, want.Browser, want.BrowserVersion = "utm", "FR", "Firefox", ""
	want.OS, want.OSVersion, want.Device, want.IsBot, want.BotReason = "Linux", "9", "tv", false, ""
	diff(t, e, want)
}

func TestRowFieldsAreColumnsThatCanBeSet(t *testing.T) {
	fields := RowFields()
	if len(slices.Compact(slices.Sorted(slices.Values(fields)))) != len(fields) {
		t.Errorf("a field is there twice: %q", fields)
	}
	for i, column := range rowColumns {
		if column.set == nil && column.members == "" || column.found && column.set == nil || fields[i] != column.field {
			t.Errorf("column %q has no effect", column.field)
		}
	}
}

func TestRowOfATouchpoint(t *testing.T) {
	for _, field := range TouchpointFields() {
		if rowColumnOf[field] == nil {
			t.Errorf("field %q has no effect", field)
		}
	}
	for cost, want := range map[string]string{
		"12.50": `{"cost":12.50}`, "0": `{"cost":0}`, "1e3": `{"cost":1e3}`, "9e12": `{"cost":9e12}`, "": "",
	} {
		m, err := row("event", "Touchpoint", "user_id", "u", "cost", cost)
		if err != nil || m.Event.Properties != want {
			t.Errorf("%q: got %s, %v; want %s", cost, m.Event.Properties, err, want)
		}
	}
	for _, cost := range []string{"-1", "1,5", "12 €", "NaN", "1e13", "+1", `1},"x":{`, ".5"} {
		if _, err := row("event", "Touchpoint", "user_id", "u", "cost", cost); err == nil || !strings.HasPrefix(err.Error(), "cost is ") {
			t.Errorf("%q: %v", cost, err)
		}
	}
}

// Text in a cell is text, whatever characters it holds: it cannot become another member of the message.
func TestRowText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 100, -1)
		user, title := text.Draw(t, "user"), text.Draw(t, "title")
		m, err := row("event", "E", "user_id", user, "title", title)
		if err != nil {
			t.Fatal(err)
		}
		clean := strings.NewReplacer("\x00", "\uFFFD")
		if m.Event.UserID != clean.Replace(user) || m.Event.Title != clean.Replace(title) || m.Event.AnonymousID != "" {
			t.Fatalf("got %+v", m.Event)
		}
	})
}

// FuzzRow gives the fields that have bits in pick the same text, and some what they are made for.
func FuzzRow(f *testing.F) {
	f.Add("track", "E", "2027-01-15T00:00:00Z", "1.5", `{"revenue":1}`, `{"ip":"::1","x":"\u0007"}`, "u\"\xff\x00", uint64(1<<40-1)&^0xFF00000000)
	f.Add("group", "", "1700000000", "1e3", ` {"b" : [ ] } `, `{"groupId":1,"traits":{}}`, "de", ^uint64(0))
	f.Add("page", "Home", "-1e99", "Inf", `[`, `{"page":{"url":"https://a/%"}}`, "true", uint64(0))
	f.Fuzz(func(t *testing.T, typ, name, at, value, object, context, text string, pick uint64) {
		fields := []string{"type", "event", "timestamp", "value", "properties", "traits", "context"}
		cells := []string{typ, name, at, value, object, object, context}
		for i, field := range append(RowFields(), "cost") {
			if pick>>i&1 == 1 && !slices.Contains(fields, field) {
				fields, cells = append(fields, field), append(cells, text)
			}
		}
		var d Decoder
		var m Message
		if err := d.Row(&m, fields, cells, Request{ReceivedAt: received}); err != nil {
			if err.Error() == "" || len(err.Error()) > 500 {
				t.Fatalf("error %q", err)
			}
			return
		}
		check(t, Result{Messages: []Message{m}})
		said := m.Event
		d.Restate(&said, fields, cells)
		if said != m.Event {
			t.Fatalf("said first %+v\nand then   %+v", m.Event, said)
		}
		if object != "" && !json.Valid([]byte(object)) {
			t.Fatalf("took properties %q", object)
		}
	})
}
