package decode

import (
	"strings"
	"testing"
)

func ids(t *testing.T, body string) []string {
	t.Helper()
	var got []string
	for _, m := range mustBatch(t, body, Request{ReceivedAt: received}).Messages {
		got = append(got, m.Event.MessageID)
	}
	return got
}

func TestMessageIDOfRetry(t *testing.T) {
	first := ids(t, `{"batch":[
		{"type":"track","event":"E","userId":"u","messageId":null,"sentAt":"2027-01-15T00:00:00Z","_metadata":{}},
		{"type":"track","event":"E","userId":"v"},
		{"type":"track","event":"E","userId":"u"}],"sentAt":1}`)
	retry := ids(t, `{"batch":[
		{"type":"track","event":"E","userId":"u","messageId":"","sentAt":"2027-01-15T00:09:00Z","_metadata":{"retryCount":2}},
		{"type":"track","event":"E","userId":"v"},
		{"type":"track","event":"E","userId":"u","writeKey":"k"}],"sentAt":2}`)
	diff(t, retry, first)
	if len(first) != 3 || len(first[0]) != 32 || first[1] == first[0] || first[2] != first[0]+"-1" {
		t.Errorf("got %q", first)
	}
}

func TestMessageIDDependsOnEverythingElse(t *testing.T) {
	seen := map[string]string{}
	for _, body := range []string{
		`{"batch":[{"type":"track","event":"E"}]}`,
		`{"batch":[{"type":"track","event":"F"}]}`,
		`{"batch":[{"type":"track","event":"E","timestamp":"2027-01-15T00:00:00Z"}]}`,
		`{"batch":[{"type":"track","event":"E","context":{"ip":"192.0.2.1"}}]}`,
		`{"batch":[{"type":"track","event":"E"}],"context":{"ip":"192.0.2.1"}}`,
	} {
		id := ids(t, body)[0]
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s have the same id", body, other)
		}
		seen[id] = body
	}
}

// A batch's context is looked at by its first message; that must not change the hash of the next.
func TestMessageIDDoesNotDependOnNeighbours(t *testing.T) {
	const shared = `"context":{"userAgent":"a\/b\u0001\"","library":{"name":"x\/"}}`
	alone := ids(t, `{"batch":[{"type":"track","event":"E"}],`+shared+`}`)
	second := ids(t, `{"batch":[{"type":"page"},{"type":"track","event":"E"}],`+shared+`}`)
	if alone[0] != second[1] {
		t.Errorf("got %s and %s", alone[0], second[1])
	}
}

func TestNewIDReplacesHash(t *testing.T) {
	req := Request{ReceivedAt: received, NewID: func() string { return "fresh" }}
	got := mustBatch(t, `{"batch":[{"type":"page"},{"type":"page","messageId":"own"}]}`, req)
	if a, b := got.Messages[0].Event.MessageID, got.Messages[1].Event.MessageID; a != "fresh" || b != "own" {
		t.Errorf("got %s, %s", a, b)
	}
	if strings.Contains(got.Messages[0].Event.Context, "fresh") {
		t.Error("the id leaked into the context")
	}
}
