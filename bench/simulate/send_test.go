package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func some(n int) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for i := range n {
			if !yield(Message{JSON: fmt.Appendf(nil, `{"type":"track","event":"e","messageId":"m%d","userId":"u"}`, i)}) {
				return
			}
		}
	}
}

// tray collects what a server has acknowledged: how often each message id.
type tray struct {
	mu       sync.Mutex
	requests int
	ids      map[string]int
	problem  string
}

func (y *tray) take(r *http.Request, refuse func(request int) bool) bool {
	var body struct {
		SentAt time.Time
		Batch  []struct{ MessageID string }
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	y.mu.Lock()
	defer y.mu.Unlock()
	key, _, _ := r.BasicAuth()
	if err != nil || key != "wk" || r.URL.Path != "/v1/batch" || len(body.Batch) == 0 || len(body.Batch) > 100 || time.Since(body.SentAt).Abs() > time.Hour {
		y.problem = fmt.Sprintf("%s, key %q, sent %v, %d messages, %v", r.URL, key, body.SentAt, len(body.Batch), err)
	}
	if y.requests++; refuse(y.requests) {
		return false
	}
	for _, m := range body.Batch {
		y.ids[m.MessageID]++
	}
	return true
}

func TestSendDeliversEachMessageOnce(t *testing.T) {
	y := &tray{ids: map[string]int{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusServiceUnavailable
		if y.take(r, func(n int) bool {
			if n%2 == 0 {
				status = http.StatusTooManyRequests
			}
			return n%3 == 0
		}) {
			fmt.Fprint(w, `{"success":true}`)
			return
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
	}))
	defer srv.Close()
	var steps []int
	sent, err := Send(t.Context(), srv.Client(), srv.URL+"/", "wk", some(1050), func(n int) { steps = append(steps, n) })
	if err != nil || y.problem != "" {
		t.Fatal(err, y.problem)
	}
	want := map[string]int{}
	for i := range 1050 {
		want[fmt.Sprintf("m%d", i)] = 1
	}
	if !maps.Equal(y.ids, want) {
		t.Errorf("acknowledged %d different messages, want each of 1050 once", len(y.ids))
	}
	if want := (Sent{Messages: 1050, Batches: 11, Retries: y.requests - 11}); sent != want || sent.Retries == 0 {
		t.Errorf("Sent is %+v, want %+v", sent, want)
	}
	for i, n := range steps {
		if i > 0 && n <= steps[i-1] {
			t.Errorf("progress went %v", steps)
		}
	}
	if len(steps) != 11 || steps[10] != 1050 {
		t.Errorf("progress went %v", steps)
	}
}

func TestSendStopsAtWhatWillNotPass(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		answer   string
		requests int // at most
		want     string
	}{
		"unknown key": {401, `{"success":false}`, connections, "write_keys"},
		"too large":   {413, "too large", connections, `413 Request Entity Too Large: "too large"`},
		"refused":     {200, `{"success":true,"rejected":[{"index":3,"messageId":"m3","reason":"event is required for track"}]}`, connections, "refused 1 messages, the first, m3: event is required for track"},
		"no answer":   {200, "<html>", connections, "is this a collector?"},
		"always busy": {503, "", connections * maxAttempts, "gave up after 20 attempts: the collector answers 503"},
	} {
		y := &tray{ids: map[string]int{}}
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			y.take(r, func(int) bool { return true })
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.answer)
		}))
		sent, err := Send(t.Context(), srv.Client(), srv.URL, "wk", some(100_000), nil)
		srv.Close()
		if err == nil || !strings.Contains(err.Error(), c.want) || sent != (Sent{}) || y.requests > c.requests {
			t.Errorf("%s: %+v after %d requests, %v; want %q", name, sent, y.requests, err, c.want)
		}
	}
}

func TestSendStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
		cancel()
	}))
	defer srv.Close()
	sent, err := Send(ctx, srv.Client(), srv.URL, "wk", some(100_000), nil)
	if !errors.Is(err, context.Canceled) || sent != (Sent{}) {
		t.Errorf("%+v, %v", sent, err)
	}
	if err := sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a wait that is cancelled ends with %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": time.Second, "0": 0, "7": 7 * time.Second, "86400": time.Minute, "-1": time.Second, "Sun, 22 Nov 2026 08:49:37 GMT": time.Second,
	} {
		if got := retryAfter(header); got != want {
			t.Errorf("Retry-After %q waits %v, want %v", header, got, want)
		}
	}
}

// Only an answer that is JSON and refuses nothing acknowledges a batch.
func FuzzRejected(f *testing.F) {
	for _, seed := range []string{`{"success":true}`, `{"rejected":[{"messageId":"m","reason":"r"}]}`, `{"rejected":null}`, "", "[]", "<html>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if err := rejected(answer); err == nil && !json.Valid(answer) {
			t.Errorf("%q acknowledges a batch", answer)
		}
	})
}
