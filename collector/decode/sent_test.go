package decode

import (
	"encoding/json"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/event"
)

func TestSentMessagesCanBeDecodedAgain(t *testing.T) {
	var d Decoder
	body := `{"sentAt":"2027-01-15T08:00:01Z","context":{"ip":"198.51.100.9","app":"shared"},"batch":[
		{"type":"page","messageId":"fine"},
		{"type":"track","messageId":"nameless","context":{"app":"own"},"extra":"\u0007"},
		7,
		{"type":"page","properties":{"revenue":[]},"sentAt":null,"context":null},
		{"type":"page","messageId":"m3","context":5}]}`
	result, err := d.Batch([]byte(body), Request{})
	if err != nil {
		t.Fatal(err)
	}
	var classes, sent []string
	for i, message := range d.Sent([]byte(body), result.Rejected) {
		classes = append(classes, result.Rejected[i].Class)
		sent = append(sent, string(message))
	}
	diff(t, classes, []string{"invalid event", "invalid message", "invalid properties.revenue", "invalid context"})
	id := result.Rejected[2].MessageID
	diff(t, sent, []string{
		`{"context":{"app":"own","ip":"198.51.100.9"},"extra":"\u0007","messageId":"nameless","sentAt":"2027-01-15T08:00:01Z","type":"track"}`,
		"7",
		`{"context":{"app":"shared","ip":"198.51.100.9"},"messageId":"` + id + `","properties":{"revenue":[]},"sentAt":null,"type":"page"}`,
		`{"context":5,"messageId":"m3","sentAt":"2027-01-15T08:00:01Z","type":"page"}`,
	})
}

func TestSentSingle(t *testing.T) {
	var d Decoder
	body := []byte("{\"batch\":[1],\"userId\":\"\xff\"}")
	result, err := d.Single(body, event.Track, Request{NewID: func() string { return "id" }})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, string(d.Sent(body, result.Rejected)[0]), "{\"batch\":[1],\"messageId\":\"id\",\"type\":\"track\",\"userId\":\"\uFFFD\"}")
	var args fasthttp.Args
	args.Parse("e=Sold&p.a=1&uid=u&utm_source=s&ref=r&other=x")
	message := Message{Event: event.Event{Type: event.Track, MessageID: "id"}}
	diff(t, string(d.SentPixel(&args, &message)),
		`{"context":{"campaign":{"source":"s"},"page":{"referrer":"r"}},"event":"Sold","messageId":"id","properties":{"a":"1"},"type":"track","userId":"u"}`)
}

// Whatever is refused can be cut out and is JSON.
func FuzzSent(f *testing.F) {
	f.Add([]byte(`{"batch":[{"type":"track"},1],"context":{"a":1}}`), true)
	f.Add([]byte(`{"type":"track","context":[]}`), false)
	f.Add([]byte("{\"batch\":[{\"batch\":1},{\"batch\":2}],\"batch\":[{\"a\":\"\xff\"}]}"), true)
	f.Fuzz(func(t *testing.T, body []byte, batch bool) {
		var d Decoder
		var result Result
		var err error
		if batch {
			result, err = d.Batch(body, Request{})
		} else {
			result, err = d.Single(body, "", Request{})
		}
		if err != nil {
			return
		}
		sent := d.Sent(body, result.Rejected)
		if len(sent) != len(result.Rejected) {
			t.Fatalf("%d of %d", len(sent), len(result.Rejected))
		}
		for _, message := range sent {
			if message != nil && !json.Valid(message) { // nil: batch was there twice
				t.Fatalf("%q", message)
			}
		}
	})
}
