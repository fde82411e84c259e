package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	batchSize   = 100
	connections = 4
	maxAttempts = 20      // at one batch
	maxAnswer   = 1 << 20 // bytes read of an answer
)

// Sent is what Send got acknowledged, and how often it had to ask again.
type Sent struct {
	Messages int
	Batches  int
	Retries  int
}

// sender is what the connections of one Send share.
type sender struct {
	client   *http.Client
	url      string
	writeKey string
	progress func(sent int)
	mu       sync.Mutex // guards sent, and calls of progress
	sent     Sent
}

// Send posts the messages in batches of the Segment spec to the collector at baseURL. Every message has been
// acknowledged when it returns without an error; Sent counts what was, in either case. A collector that is busy (429,
// 503) is asked again when its Retry-After says; anything else ends it, a refused message too. progress, if not nil,
// is told the messages acknowledged so far, never by two goroutines at once.
func Send(ctx context.Context, client *http.Client, baseURL, writeKey string, msgs iter.Seq[Message], progress func(sent int)) (Sent, error) {
	s := &sender{client: client, url: strings.TrimSuffix(baseURL, "/") + "/v1/batch", writeKey: writeKey, progress: progress}
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan []json.RawMessage)
	group.Go(func() error {
		defer close(batches)
		return cut(ctx, msgs, batches)
	})
	for range connections {
		group.Go(func() error {
			for batch := range batches {
				if err := s.deliver(ctx, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return s.sent, err
}

// cut sends the messages on in batches.
func cut(ctx context.Context, msgs iter.Seq[Message], batches chan<- []json.RawMessage) error {
	var batch []json.RawMessage
	pass := func() error {
		select {
		case batches <- batch:
			batch = nil
			return nil
		case <-ctx.Done():
			return fmt.Errorf("sending: %w", ctx.Err())
		}
	}
	for m := range msgs {
		if batch = append(batch, m.JSON); len(batch) == batchSize {
			if err := pass(); err != nil {
				return err
			}
		}
	}
	if len(batch) > 0 {
		return pass()
	}
	return nil
}

// deliver posts a batch until it is acknowledged.
func (s *sender) deliver(ctx context.Context, batch []json.RawMessage) error {
	for attempt := 1; ; attempt++ {
		err := s.post(ctx, batch)
		var busy *busyError
		if err == nil {
			s.acknowledge(len(batch), attempt-1)
			return nil
		}
		if !errors.As(err, &busy) {
			return fmt.Errorf("sending to %s: %w", s.url, err)
		}
		if attempt == maxAttempts {
			return fmt.Errorf("sending to %s: gave up after %d attempts: %w", s.url, attempt, err)
		}
		if err := sleep(ctx, busy.retryAfter); err != nil {
			return fmt.Errorf("sending to %s: %w", s.url, err)
		}
	}
}

func (s *sender) acknowledge(messages, retries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent.Messages += messages
	s.sent.Batches++
	s.sent.Retries += retries
	if s.progress != nil {
		s.progress(s.sent.Messages)
	}
}

// busyError is a refusal that will not last.
type busyError struct {
	status     string
	retryAfter time.Duration
}

func (e *busyError) Error() string { return "the collector answers " + e.status }

// post makes one attempt. sentAt is the real time, as clients send it, so that the collector sees no skew.
func (s *sender) post(ctx context.Context, batch []json.RawMessage) error {
	body, err := json.Marshal(map[string]any{"batch": batch, "sentAt": time.Now().UTC().Format(time.RFC3339Nano)})
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth(s.writeKey, "")
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up; nothing to learn from it
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return outcome(resp, answer)
}

// outcome says what an answer means for the batch: nil, every message was taken.
func outcome(resp *http.Response, answer []byte) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return rejected(answer)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return &busyError{resp.Status, retryAfter(resp.Header.Get("Retry-After"))}
	case http.StatusUnauthorized:
		return errors.New("the collector does not know the write key (401); want one of the project's write_keys")
	}
	return fmt.Errorf("the collector answers %s: %.200q", resp.Status, bytes.TrimSpace(answer))
}

// rejected returns the first refusal of an answer, or nil.
func rejected(answer []byte) error {
	var a struct {
		Rejected []struct{ MessageID, Reason string }
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("the collector's answer is not JSON, is this a collector?: %w", err)
	}
	if len(a.Rejected) > 0 {
		return fmt.Errorf("the collector refused %d messages, the first, %s: %s",
			len(a.Rejected), a.Rejected[0].MessageID, a.Rejected[0].Reason)
	}
	return nil
}

// retryAfter reads whole seconds, at most a minute; one second when there are none.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 {
		return time.Second
	}
	return time.Duration(min(seconds, 60)) * time.Second
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
