package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

const received = 1_800_000_000_000 // ms: 2027-01-15T08:00:00Z

// stored returns e as decoding leaves every event: with its receipt and storage key.
func stored(e event.Event) event.Event {
	e.ReceivedAt = received
	if e.Timestamp = e.ClientTimestamp; e.Timestamp == 0 {
		e.Timestamp = received
	}
	e.SetStorageKey()
	return e
}

func diff(t *testing.T, got, want any) {
	t.Helper()
	if rejected, ok := got.([]Rejection); ok { // what the sender is told; the rest has a test of its own
		for i := range rejected {
			rejected[i].Class, rejected[i].Decoded, rejected[i].Alone = "", nil, false
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
}

func mustBatch(t *testing.T, body string, req Request) Result {
	t.Helper()
	var d Decoder
	result, err := d.Batch([]byte(body), req)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// one decodes a single message of a batch and returns it; a rejection fails the test.
func one(t *testing.T, message string) Message {
	t.Helper()
	result := mustBatch(t, `{"batch":[`+message+`]}`, Request{ReceivedAt: received})
	if len(result.Messages) != 1 {
		t.Fatalf("rejected: %+v", result.Rejected)
	}
	return result.Messages[0]
}

// As analytics-node sends it: every message carries its own context.
func TestBatchOfNodeClient(t *testing.T) {
	body := `{"batch":[
		{"timestamp":"2027-01-15T07:59:58.250Z","integrations":{},"type":"identify","userId":"ada","traits":{"plan":"pro"},
		 "context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}},"anonymousId":"dev-1",
		 "messageId":"n-1","_metadata":{"nodeVersion":"v20"}},
		{"timestamp":"2027-01-15T07:59:58.251Z","event":"Order Completed","type":"track",
		 "properties":{"order_id":"o-7","revenue":19.99,"currency":"usd","products":[{"price":10}]},
		 "context":{"ip":"198.51.100.9","userAgent":"UA/7","campaign":{"id":"9","name":"autumn","source":"bing","medium":"cpc","term":"shoes","content":"b",
		   "click_id":"M1","click_id_type":"msclkid"},
		  "page":{"url":"https://Shop.Test:8443/p/1?utm_source=bing#top","referrer":"https://www.bing.com/"},
		  "library":{"name":"@segment/analytics-node","version":"3.1.0"}},
		 "userId":"ada","anonymousId":"dev-1","messageId":"n-2"}
		],"writeKey":"wk_1","sentAt":"2027-01-15T07:59:59.000Z"}`
	got := mustBatch(t, body, Request{ReceivedAt: received})
	diff(t, got, Result{
		WriteKey: "wk_1",
		Messages: []Message{
			{Event: stored(event.Event{
				MessageID: "n-1", Type: event.Identify, UserID: "ada", AnonymousID: "dev-1",
				ClientTimestamp: received - 1750, SentAt: received - 1000,
				Traits: `{"plan":"pro"}`, Library: "@segment/analytics-node/3.1.0", Origin: event.OriginServer,
			})},
			{
				Event: stored(event.Event{
					MessageID: "n-2", Type: event.Track, Name: "Order Completed", UserID: "ada", AnonymousID: "dev-1",
					ClientTimestamp: received - 1749, SentAt: received - 1000, Seq: 1,
					URL: "https://Shop.Test:8443/p/1?utm_source=bing#top", Referrer: "https://www.bing.com/",
					Source: "bing", Medium: "cpc", Campaign: "autumn", Term: "shoes", Content: "b",
					ClickID: "M1", ClickIDType: "msclkid",
					Value: 19_990_000, Currency: "USD", OrderID: "o-7",
					Properties: `{"order_id":"o-7","revenue":19.99,"currency":"usd","products":[{"price":10}]}`,
					Library:    "@segment/analytics-node/3.1.0", Origin: event.OriginServer,
				}),
				Client: event.Client{IP: netip.MustParseAddr("198.51.100.9"), UserAgent: "UA/7"},
			},
		},
	})
}

// As analytics-go sends it: the library only at the top, nanoseconds, orderId, null for what is missing.
func TestBatchOfGoClient(t *testing.T) {
	body := `{"messageId":"b-1","sentAt":"2027-01-15T07:59:59.000000001Z","batch":[
		{"type":"track","messageId":"g-1","userId":"ada","anonymousId":null,"event":"Order Completed","timestamp":"2027-01-15T07:59:58.069321264Z",
		 "context":{"campaign":{"name":"spring"},"app":{"name":"own"}},"properties":{"orderId":77,"total":"5"}},
		{"type":"alias","messageId":"g-2","previousId":"dev-1","userId":"ada","timestamp":"2027-01-15T07:59:58.069324119Z"}
		],"context":{"library":{"name":"analytics-go","version":"3.0.0"},"app":{"name":"shared"},"build":"7\u0001\""}}`
	got := mustBatch(t, body, Request{ReceivedAt: received})
	diff(t, got, Result{Messages: []Message{
		{Event: stored(event.Event{
			MessageID: "g-1", Type: event.Track, Name: "Order Completed", UserID: "ada",
			ClientTimestamp: received - 1931, SentAt: received - 1000, Campaign: "spring",
			Value: 5_000_000, OrderID: "77", Properties: `{"orderId":77,"total":"5"}`,
			Context: `{"app":{"name":"own"},"build":"7\u0001\""}`, Library: "analytics-go/3.0.0", Origin: event.OriginServer,
		})},
		{Event: stored(event.Event{
			MessageID: "g-2", Type: event.Alias, UserID: "ada", PreviousID: "dev-1", Seq: 1,
			ClientTimestamp: received - 1931, SentAt: received - 1000,
			Context: `{"app":{"name":"shared"},"build":"7\u0001\""}`, Library: "analytics-go/3.0.0", Origin: event.OriginServer,
		})},
	}})
}

// As analytics-next sends it in a browser: one message, its key within.
func TestSingleOfBrowserClient(t *testing.T) {
	body := `{"timestamp":"2027-01-15T07:59:58Z","type":"page","properties":{"path":"/own","referrer":"https://r.test/","title":"Own","url":"https://shop.test/own?gclid=1"},
		"category":"Docs","name":"Home","context":{"page":{"path":"/ctx","title":"Ctx","url":"https://ctx.test/","search":"?x"},
		"userAgent":"Mozilla/5.0","userAgentData":{"mobile":false,"platform":"macOS","brands":[{"brand":"Chromium","version":"140"},{"brand":"Not A","version":"9"}]},
		"locale":"de-DE","timezone":"Europe/Berlin","screen":{"width":1280,"height":720.5,"density":2},"groupId":"acme",
		"library":{"name":"analytics.js","version":"npm:next-1.84.3"},"traits":{"vip":true},"consent":{"categoryPreferences":{"Ads":true}}},
		"messageId":"ajs-1","anonymousId":"dev-1","writeKey":"wk_1","userId":"","sentAt":"2027-01-15T07:59:59Z","_metadata":{"retryCount":1}}`
	var d Decoder
	got, err := d.Single([]byte(body), event.Page, Request{ReceivedAt: received})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, got, Result{WriteKey: "wk_1", Messages: []Message{{
		Event: stored(event.Event{
			MessageID: "ajs-1", Type: event.Page, Name: "Home", AnonymousID: "dev-1", AccountID: "acme",
			ClientTimestamp: received - 2000, SentAt: received - 1000,
			URL: "https://shop.test/own?gclid=1", Path: "/own", Title: "Own", Referrer: "https://r.test/",
			Language: "de-DE", Timezone: "Europe/Berlin", Screen: "1280x720",
			Properties: `{"category":"Docs","path":"/own","referrer":"https://r.test/","title":"Own","url":"https://shop.test/own?gclid=1"}`,
			Traits:     `{"vip":true}`, Consent: `{"categoryPreferences":{"Ads":true}}`,
			Library: "analytics.js/npm:next-1.84.3", Origin: event.OriginBrowser,
		}),
		Client: event.Client{UserAgent: "Mozilla/5.0", Hints: event.Hints{
			Brands: `"Chromium";v="140", "Not A";v="9"`, Platform: `"macOS"`, Mobile: "?0",
		}},
	}}})
}

func TestOnlyPageCallsOverrideContext(t *testing.T) {
	const message = `{"type":"%s","event":"E","messageId":"m","properties":{"url":"https://own.test/"},"context":{"page":{"url":"https://ctx.test/"}}}`
	for typ, want := range map[string]string{"page": "https://own.test/", "screen": "https://ctx.test/", "track": "https://ctx.test/"} {
		if got := one(t, fmt.Sprintf(message, typ)).Event.URL; got != want {
			t.Errorf("%s: got %s, want %s", typ, got, want)
		}
	}
}

func TestPathBelongsToItsURL(t *testing.T) {
	const message = `{"type":"page","messageId":"m","properties":{%s},"context":{"page":{"url":"https://ctx.test/ctx","path":"/ctx"}}}`
	for properties, want := range map[string][2]string{
		``:                           {"https://ctx.test/ctx", "/ctx"},
		`"path":"/own"`:              {"https://ctx.test/ctx", "/own"},
		`"url":"https://own.test/a"`: {"https://own.test/a", ""},
		`"url":"https://own.test/a","path":"/own"`: {"https://own.test/a", "/own"},
	} {
		e := one(t, fmt.Sprintf(message, properties)).Event
		if got := [2]string{e.URL, e.Path}; got != want {
			t.Errorf("%s: got %q, want %q", properties, got, want)
		}
	}
}

func TestCategory(t *testing.T) {
	for message, want := range map[string]string{
		`"type":"page","category":"Docs"`:                                     `{"category":"Docs"}`,
		`"type":"screen","category":"\"A\"","properties":{"a":1}`:             `{"category":"\"A\"","a":1}`,
		`"type":"page","category":"Docs","properties":{"category":"Own"}`:     `{"category":"Own"}`,
		`"type":"page","category":null`:                                       ``,
		`"type":"page","category":7`:                                          ``,
		`"type":"track","event":"E","category":"Docs","properties":{"a":"b"}`: `{"a":"b"}`,
	} {
		if got := one(t, "{"+message+"}").Event.Properties; got != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
}

func TestPathDecidesType(t *testing.T) {
	var d Decoder
	got, err := d.Single([]byte(`{"type":"page","messageId":"m","event":"Signed Up"}`), event.Track, Request{ReceivedAt: received})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	diff(t, got.Messages[0].Event, stored(event.Event{
		MessageID: "m", Type: event.Track, Name: "Signed Up", Origin: event.OriginServer,
	}))
}

func TestIDs(t *testing.T) {
	for in, want := range map[string]string{
		`null`: "", `""`: "", `"x"`: "x", `17`: "17", `12345678901234567890`: "12345678901234567890",
		`"a\u0000b"`: "a\uFFFDb", "\"a\xffb\"": "a\uFFFDb", `"\ud83d\ude00"`: "😀",
	} {
		if got := one(t, `{"type":"page","messageId":"m","anonymousId":`+in+`}`).Event.AnonymousID; got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestRejections(t *testing.T) {
	long := strings.Repeat("é", 300)
	for name, c := range map[string]struct{ message, id, reason string }{
		"not an object": {`7`, "", "message is a number; want an object"},
		"id":            {`{"messageId":"m","type":"page","userId":{}}`, "m", "userId is an object; want a string"},
		"message id":    {`{"messageId":[],"type":"page"}`, "", "messageId is an array; want a string"},
		"long id":       {`{"messageId":"` + long + `","type":"page"}`, strings.Repeat("é", 256), "messageId is 600 bytes long; at most 512 are taken"},
		"timestamp": {`{"messageId":"m","type":"page","timestamp":"yesterday"}`, "m",
			`timestamp is "yesterday"; want a time as in RFC 3339, or Unix milliseconds or seconds as a number`},
		"original timestamp": {`{"messageId":"m","type":"page","originalTimestamp":1e300}`, "m",
			`originalTimestamp is 1e300; want a time as in RFC 3339, or Unix milliseconds or seconds as a number`},
		"timestamp's type": {`{"messageId":"m","type":"page","timestamp":true}`, "m",
			`timestamp is true; want a time as in RFC 3339, or Unix milliseconds or seconds as a number`},
		"endless timestamp": {`{"messageId":"m","type":"page","timestamp":1e999}`, "m",
			`timestamp is 1e999; want a time as in RFC 3339, or Unix milliseconds or seconds as a number`},
		"revenue": {`{"messageId":"m","type":"track","event":"E","properties":{"revenue":"NaN"}}`, "m", `properties.revenue is "NaN"; want a number`},
		"revenue's type": {`{"messageId":"m","type":"track","event":"E","properties":{"revenue":[1]}}`, "m",
			"properties.revenue is an array; want a number"},
		"too much": {`{"messageId":"m","type":"track","event":"E","properties":{"value":9.1e12}}`, "m", "properties.value is 9.1e12; at most 9e12 is taken"},
		"currency": {`{"messageId":"m","type":"track","event":"E","properties":{"revenue":1,"currency":"Euro"}}`, "m",
			`properties.currency is "EURO"; want a code of three letters as in ISO 4217`},
		"properties": {`{"messageId":"m","type":"page","properties":[]}`, "m", "properties is an array; want an object"},
		"traits":     {`{"messageId":"m","type":"identify","userId":"u","traits":"x"}`, "m", "traits is a string; want an object"},
		"context":    {`{"messageId":"m","type":"page","context":"x"}`, "m", "context is a string; want an object"},
		"no type":    {`{"messageId":"m"}`, "m", `type is ""; want track, page, screen, identify, group or alias`},
		"group":      {`{"messageId":"m","type":"group","context":{"groupId":"g"}}`, "m", "groupId is required for group"},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustBatch(t, `{"batch":[{"messageId":"ok","type":"page"},`+c.message+`]}`, Request{ReceivedAt: received})
			if len(got.Messages) != 1 || got.Messages[0].Event.MessageID != "ok" {
				t.Errorf("the good message did not pass: %+v", got.Messages)
			}
			diff(t, got.Rejected, []Rejection{{Index: 1, MessageID: c.id, Reason: c.reason}})
		})
	}
}

func TestBodiesThatAreNoBatch(t *testing.T) {
	for body, want := range map[string]string{
		``:                              "body is not JSON: unexpected end of JSON input at byte 0",
		`{"batch":[{"a":NaN}]}`:         "body is not JSON: invalid character 'N' looking for beginning of value at byte 16",
		`{"batch":[{"a":"\q"}]}`:        "body is not JSON: invalid character 'q' in string escape code at byte 18",
		`[]`:                            "batch is missing; want an array of messages",
		`{"batch":{}}`:                  "batch is an object; want an array of messages",
		`{"batch":[]}`:                  "batch is empty; want at least one message",
		`{"batch":[{}],"context":1}`:    "context is a number; want an object",
		strings.Repeat("[", 9999) + "x": "body is not JSON: invalid character 'x' looking for beginning of value at byte 10000",
		strings.Repeat("[", 301) + strings.Repeat("]", 301): "body is nested too deeply; at most 300 levels are taken",
	} {
		var d Decoder
		result, err := d.Batch([]byte(body), Request{})
		if err == nil || err.Error() != want || !reflect.DeepEqual(result, Result{}) {
			t.Errorf("%.40s: got %+v, %v, want %s", body, result, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	d := Decoder{MaxEvent: 100, MaxMessages: 2}
	fits := `{"type":"page","messageId":"a","title":"` + strings.Repeat("x", 100-42) + `"}`
	if len(fits) != 100 {
		t.Fatalf("the message of this test is %d bytes long", len(fits))
	}
	beyond := strings.Replace(fits, "xx", "xxx", 1)
	got, err := d.Batch([]byte(`{"batch":[ `+fits+`,`+beyond+`]}`), Request{ReceivedAt: received})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	diff(t, got.Rejected, []Rejection{{Index: 1, MessageID: "a", Reason: "message is 101 bytes long; at most 100 are taken"}})

	_, err = d.Batch([]byte(`{"batch":[{},{},{}]}`), Request{})
	if !errors.Is(err, collector.ErrTooLarge) || err.Error() != "too large: batch has 3 messages; at most 2 are taken" {
		t.Errorf("got %v", err)
	}
}

func TestSharedContextCounts(t *testing.T) {
	body := `{"batch":[{"type":"page","messageId":"m"}` + strings.Repeat(`,{}`, 2999) + `],"context":{"x":"` + strings.Repeat("x", 2792) + `"}}`
	var d Decoder
	_, err := d.Batch([]byte(body), Request{})
	const want = "too large: context of 2800 bytes for each of 3000 messages; at most 8388608 bytes are taken in all"
	if !errors.Is(err, collector.ErrTooLarge) || err.Error() != want {
		t.Errorf("got %v", err)
	}

	small := Decoder{MaxEvent: 100}
	got, err := small.Batch([]byte(`{"batch":[{"type":"page","messageId":"m"}],"context":{"x":"`+strings.Repeat("x", 62)+`"}}`), Request{})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, got.Rejected, []Rejection{{MessageID: "m", Reason: "message is 101 bytes long; at most 100 are taken"}})
}

func TestTimes(t *testing.T) {
	const noon = 1_799_971_200_000                  // 2027-01-15T00:00:00Z
	for message, want := range map[string][3]int64{ // client, sent, timestamp
		`"timestamp":"2027-01-15T01:00:00.0009+01:00"`:                     {noon, 7000, noon},
		`"timestamp":1799971200000`:                                        {noon, 7000, noon},
		`"timestamp":1799971200.25`:                                        {noon + 250, 7000, noon + 250},
		`"timestamp":"","originalTimestamp":"2027-01-15T00:00:00Z"`:        {noon, 7000, noon},
		`"timestamp":1799971200000,"originalTimestamp":"2020-01-01"`:       {noon, 7000, noon},
		`"timestamp":null,"sentAt":8`:                                      {0, 8000, received},
		`"sentAt":"soon"`:                                                  {0, 7000, received},
		`"timestamp":"1969-12-31T23:59:59Z","sentAt":"1970-01-01T00:00:9"`: {-1000, 7000, -1000},
	} {
		result := mustBatch(t, `{"sentAt":7,"batch":[{"type":"page",`+message+`}]}`, Request{ReceivedAt: received})
		if len(result.Messages) != 1 {
			t.Errorf("%s: %+v", message, result.Rejected)
			continue
		}
		e := result.Messages[0].Event
		if got := [3]int64{e.ClientTimestamp, e.SentAt, e.Timestamp}; got != want {
			t.Errorf("%s: got %v, want %v", message, got, want)
		}
	}
}

func TestValue(t *testing.T) {
	for properties, want := range map[string]int64{
		`"revenue":99.5`:                           99_500_000,
		`"revenue":"0.29","total":7`:               290_000,
		`"revenue":null,"total":7,"value":8`:       7_000_000,
		`"revenue":"","total":"3 items","value":8`: 8_000_000,
		`"value":"blue"`:                           0,
		`"value":"Infinity"`:                       0,
		`"revenue":0.0000005`:                      1,
		`"revenue":-0.0000005`:                     -1,
		`"revenue":0.0000004999`:                   0,
		`"revenue":1.0000005`:                      1_000_001,
		`"revenue":1.5e3`:                          1_500_000_000,
		`"revenue":9000000000000`:                  9_000_000_000_000_000_000,
		`"revenue":-9e12`:                          -9_000_000_000_000_000_000,
		`"revenue":1e-400`:                         0,
	} {
		if got := one(t, `{"type":"track","event":"E","properties":{`+properties+`}}`).Event.Value; got != want {
			t.Errorf("%s: got %d, want %d", properties, got, want)
		}
	}
}

func TestCurrency(t *testing.T) {
	for properties, want := range map[string]string{
		`"revenue":1,"currency":"eur"`: "EUR",
		`"revenue":1`:                  "",
		`"currency":"CHF"`:             "CHF",
		`"currency":"beer"`:            "",
		`"currency":"€"`:               "", // three bytes, no letter
	} {
		if got := one(t, `{"type":"track","event":"E","properties":{`+properties+`}}`).Event.Currency; got != want {
			t.Errorf("%s: got %q, want %q", properties, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	for _, c := range []struct {
		message string
		req     Request
		want    event.Origin
	}{
		{``, Request{}, event.OriginServer},
		{``, Request{FromBrowser: true}, event.OriginBrowser},
		{`,"channel":"server"`, Request{FromBrowser: true}, event.OriginServer},
		{`,"channel":"web"`, Request{}, event.OriginBrowser},
		{`,"channel":"mobile"`, Request{}, event.OriginBrowser},
		{`,"context":{"library":{"name":"touchline.js"}}`, Request{}, event.OriginBrowser},
		{`,"context":{"library":{"name":"analytics-go"}}`, Request{}, event.OriginServer},
		{`,"channel":"server"`, Request{Origin: event.OriginPixel}, event.OriginPixel},
	} {
		got := mustBatch(t, `{"batch":[{"type":"page"`+c.message+`}]}`, c.req).Messages[0].Event.Origin
		if got != c.want {
			t.Errorf("%s %+v: got %s, want %s", c.message, c.req, got, c.want)
		}
	}
}

func TestScreen(t *testing.T) {
	for in, want := range map[string]string{
		`{"width":390,"height":844}`: "390x844", `{"width":390}`: "", `{"width":-1,"height":5}`: "",
		`{"width":1e9,"height":5}`: "", `"390x844"`: "", `{"width":"390","height":"844"}`: "",
	} {
		if got := one(t, `{"type":"page","context":{"screen":`+in+`}}`).Event.Screen; got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

// What is kept as JSON must stay JSON, whatever its keys and strings hold.
func TestKeptJSON(t *testing.T) {
	odd := `{"a\u0007\"b":"\u0001\u007f\u2028","n":-0.5e-7,"emoji":"\ud83d\ude00","deep":[[{"k\\":null}]]}`
	m := one(t, `{"type":"identify","userId":"u","properties":`+odd+`,"traits":`+odd+`,
		"context":{"x\u0007":"\u0001\"","i\u0070":"192.0.2.1","odd":`+odd+`,"userAgent":"secret","traits":`+odd+`}}`)
	for name, c := range map[string]struct{ got, want string }{
		"properties": {m.Event.Properties, odd},
		"traits":     {m.Event.Traits, odd},
		"context":    {m.Event.Context, `{"x\u0007":"\u0001\"","odd":` + odd + `,"traits":` + odd + `}`},
	} {
		var got, want any
		if err := json.Unmarshal([]byte(c.got), &got); err != nil {
			t.Errorf("%s: %v in %s", name, err, c.got)
		}
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		diff(t, got, want)
	}
	if m.Client.IP != netip.MustParseAddr("192.0.2.1") || m.Client.UserAgent != "secret" {
		t.Errorf("got client %+v", m.Client)
	}
}

// A second message gets the shared context as the first did, although that one has looked at it.
func TestSharedContextStaysJSON(t *testing.T) {
	got := mustBatch(t, `{"batch":[{"type":"page"},{"type":"identify","userId":"u"}],"context":{"traits":"\u0001\"","x":"\u0001\""}}`,
		Request{ReceivedAt: received})
	diff(t, got.Rejected[0].Reason, "context.traits is a string; want an object")
	diff(t, got.Messages[0].Event.Context, `{"traits":"\u0001\"","x":"\u0001\""}`)
}

func TestResultOwnsItsBytes(t *testing.T) {
	body := []byte(`{"batch":[{"type":"page","messageId":"m-1","name":"Home","context":{"ip":"192.0.2.1","app":"x"},"properties":{"a":"b"}}]}`)
	var d Decoder
	first, err := d.Batch(body, Request{ReceivedAt: received})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%+v", first)
	for i := range body {
		body[i] = 'X'
	}
	for range 3 { // the pool hands the same parser out again
		if _, err := d.Batch([]byte(`{"batch":["`+strings.Repeat("Z", 200)+`"]}`), Request{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprintf("%+v", first); got != want {
		t.Errorf("the result changed:\ngot  %s\nwant %s", got, want)
	}
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"batch":[{"type":"track","event":"E","properties":{"revenue":"1.5","currency":"eur"}},{"type":"page","userId":1}],"context":{"ip":"::1","x":"\u0007"}}`))
	f.Add([]byte(`{"batch":[{"type":"identify","userId":null,"anonymousId":"a","traits":{},"context":{"userAgentData":{"brands":[{}]},"screen":{"width":1}}}]}`))
	f.Add([]byte(`{"batch":[null,[],"\ud800",{"batch":[]}],"context":{"traits":"\u0007"}}`))
	f.Add([]byte("{\"batch\":[{\"type\":\"page\",\"messageId\":\"\xff\"}],\"sentAt\":-1e99}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := Decoder{MaxEvent: 200, MaxMessages: 10}
		result, err := d.Batch(body, Request{ReceivedAt: received})
		if err == nil && len(result.Messages)+len(result.Rejected) == 0 {
			t.Fatal("neither messages nor rejections nor an error")
		}
		check(t, result)
	})
}

func FuzzSingle(f *testing.F) {
	f.Add([]byte(`{"event":"E","timestamp":"2027-01-15T00:00:00Z","context":{"page":{"url":"https://a/%"},"consent":"granted"}}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d Decoder
		result, _ := d.Single(body, event.Track, Request{ReceivedAt: received})
		check(t, result)
	})
}

// check holds what is true of every result.
func check(t *testing.T, result Result) {
	t.Helper()
	for _, r := range result.Rejected {
		if r.Reason == "" || len(r.Reason) > 300 || len(r.MessageID) > event.MaxID {
			t.Fatalf("rejection %+v", r)
		}
	}
	for _, m := range result.Messages {
		e := m.Event
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		if e.MessageID == "" || e.ReceivedAt != received || e.Timestamp == 0 && e.ClientTimestamp != 0 {
			t.Fatalf("incomplete event %+v", e)
		}
		for _, object := range []string{e.Properties, e.Traits, e.Context} {
			if object != "" && (object[0] != '{' || !json.Valid([]byte(object))) {
				t.Fatalf("not a JSON object: %q", object)
			}
		}
		encoded, _ := e.AppendBinary(nil)
		if plain := fmt.Sprint(e); !utf8.ValidString(plain) || len(encoded) == 0 {
			t.Fatalf("invalid UTF-8 in %q", plain)
		}
	}
}
