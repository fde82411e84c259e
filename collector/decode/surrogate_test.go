package decode

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestWholeSurrogates(t *testing.T) {
	for body, want := range map[string]string{
		`"plain"`:                     `"plain"`,
		`"\ud83d\ude00"`:              `"\ud83d\ude00"`,
		`"\uD83D\uDE00\n"`:            `"\uD83D\uDE00\n"`,
		`"\ud83d"`:                    `"\ufffd"`,
		`"\ud83d\"\ude00"`:            `"\ufffd\"\ufffd"`,
		`"\ude00\ud83d"`:              `"\ufffd\ufffd"`,
		`"\ud83d\ud83d\ude00"`:        `"\ufffd\ud83d\ude00"`,
		`"\\ud83d"`:                   `"\\ud83d"`,
		`"\\\ud83d"`:                  `"\\\ufffd"`,
		`"\ud7ff\ue000\u0000"`:        `"\ud7ff\ue000\u0000"`,
		`{"k\udfff":["\udbff","\t"]}`: `{"k\ufffd":["\ufffd","\t"]}`,
	} {
		sent := []byte(body)
		if got := string(wholeSurrogates(sent)); got != want || string(sent) != body {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func FuzzWholeSurrogates(f *testing.F) {
	f.Add([]byte(`["\ud83d\ude00","\ud83d\\\ude00"]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var before, after any
		if json.Unmarshal(body, &before) != nil {
			return
		}
		whole := wholeSurrogates(body)
		if err := json.Unmarshal(whole, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, whole, err)
		}
		a, _ := json.Marshal(before) // the library writes U+FFFD for such halves, too
		b, _ := json.Marshal(after)
		if !bytes.Equal(a, b) {
			t.Fatalf("%q became %q", body, whole)
		}
	})
}

// What is kept as JSON can be read by whoever reads it.
func TestHalfAnEmojiInProperties(t *testing.T) {
	result, err := (&Decoder{}).Single([]byte(`{"type":"page","properties":{"title":"cut \ud83d"}}`), "", Request{ReceivedAt: received})
	if err != nil || len(result.Messages) != 1 {
		t.Fatal(result.Rejected, err)
	}
	if got, want := result.Messages[0].Event.Properties, `{"title":"cut \ufffd"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
