package handler

import (
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/event"
)

// messagePaths is every path that takes messages, long and short, with the type it makes of one; "" leaves it to the message.
var messagePaths = map[string]event.Type{
	"/v1/batch": "", "/v1/b": "",
	"/v1/track": event.Track, "/v1/t": event.Track,
	"/v1/page": event.Page, "/v1/p": event.Page,
	"/v1/screen": event.Screen, "/v1/s": event.Screen,
	"/v1/identify": event.Identify, "/v1/i": event.Identify,
	"/v1/group": event.Group, "/v1/g": event.Group,
	"/v1/alias": event.Alias, "/v1/a": event.Alias,
}

// Every endpoint takes the key from either place, every content coding, and whatever a content type says.
func TestConformity(t *testing.T) {
	const message = `"messageId":"m","type":"screen","name":"N","event":"E","userId":"u","previousId":"p","groupId":"g"`
	contentTypes := []string{
		"", "application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "no/such; thing",
	}
	for _, coding := range []string{"", "identity", "gzip", "deflate", "bare deflate", "br", "zstd"} {
		for key, basicKey := range map[string]string{"wk_open": "", "wk_other": "wk_open", "": "wk_open"} {
			h := headers{}
			single, batch := `{"writeKey":"`+key+`",`+message+`}`, `{"writeKey":"`+key+`","batch":[{`+message+`}]}`
			if coding != "" {
				h["Content-Encoding"] = strings.TrimPrefix(coding, "bare ")
			}
			if coding != "" && coding != "identity" {
				single, batch = compress(t, coding, single), compress(t, coding, batch)
			}
			if basicKey != "" {
				h["Authorization"] = basic(basicKey)
			}
			f := newFixture()
			for path, typ := range messagePaths {
				for _, h["Content-Type"] = range contentTypes {
					f.sink.records = nil
					body := single
					if typ == "" {
						body = batch
					}
					f.expect(t, "POST", path, body, h, response{status: 200, body: success})
					equal(t, f.sink.events(t), []event.Event{stored(conforming(typ))})
				}
			}
		}
	}
}

// conforming is the event that the message of TestConformity becomes.
func conforming(typ event.Type) event.Event {
	e := event.Event{Project: "open", MessageID: "m", Type: typ, UserID: "u", PreviousID: "p", Origin: event.OriginServer}
	switch typ {
	case "":
		e.Type, e.Name = event.Screen, "N"
	case event.Page, event.Screen:
		e.Name = "N"
	case event.Track:
		e.Name = "E"
	case event.Group:
		e.AccountID = "g"
	}
	return e
}

// A page may ask for whatever headers its client sends, at every endpoint.
func TestPreflightOfEveryEndpoint(t *testing.T) {
	const asked = "authorization,anonymousid,sentat,x-retry-count,content-type"
	for path := range messagePaths {
		h := headers{"Origin": "https://shop.test", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
		status, got, _ := newFixture().do("OPTIONS", path, "", h)
		if status != 204 || got["Access-Control-Allow-Headers"] != asked || got["Access-Control-Allow-Origin"] != "https://shop.test" ||
			got["Access-Control-Allow-Methods"] != "POST" {
			t.Errorf("%s: %d %v", path, status, got)
		}
	}
}
