package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
)

const (
	writeKey = "wk_chaos"
	maxBatch = 20
	// retryPause is the time between two attempts of a sender.
	retryPause = 10 * time.Millisecond
)

// message is what a sender knows of one: its number is its place.
type message struct {
	attempts     int // requests that may have reached the collector
	acknowledged bool
}

// batch is the messages from one number up to another.
type batch struct{ from, to int }

// sender sends batches over a connection of its own, one after the other.
type sender struct {
	name     string
	in       *instance.Installation
	client   *http.Client
	rng      *rand.Rand
	answered chan<- struct{} // gets a value when a batch is acknowledged, if somebody waits for that
	messages []message
	batches  []batch
}

func newSender(in *instance.Installation, name string, rng *rand.Rand, answered chan<- struct{}) *sender {
	return &sender{
		name: name, in: in, rng: rng, answered: answered,
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxConnsPerHost: 1}},
	}
}

func (s *sender) id(number int) string { return s.name + "-" + strconv.Itoa(number) }

// number is the inverse of id.
func (s *sender) number(id string) (int, bool) {
	digits, ok := strings.CutPrefix(id, s.name+"-")
	number, err := strconv.Atoi(digits)
	return number, ok && err == nil && number >= 0 && number < len(s.messages)
}

// run sends until stop is closed. The error is an answer that no client should get.
func (s *sender) run(ctx context.Context, stop <-chan struct{}) error {
	defer s.client.CloseIdleConnections()
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := s.deliver(ctx, s.choose()); err != nil {
			return err
		}
	}
}

// choose is mostly a new batch. Else it is one that was sent before, acknowledged or not, maybe long ago.
func (s *sender) choose() batch {
	if len(s.batches) > 0 && s.rng.IntN(10) == 0 {
		return s.batches[s.rng.IntN(len(s.batches))]
	}
	b := batch{len(s.messages), len(s.messages) + 1 + s.rng.IntN(maxBatch)}
	s.batches = append(s.batches, b)
	s.messages = append(s.messages, make([]message, b.to-b.from)...)
	return b
}

// deliver repeats a batch until it is answered. Some it gives up, so that nobody knows whether they were taken.
func (s *sender) deliver(ctx context.Context, b batch) error {
	for {
		answer, err := s.send(ctx, b)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%s: batch %d to %d is not answered: %w", s.name, b.from, b.to, context.Cause(ctx))
		case err == nil && answer == instance.Acknowledged:
			for n := b.from; n < b.to; n++ {
				s.messages[n].acknowledged = true
			}
			select {
			case s.answered <- struct{}{}:
			default:
			}
			return nil
		case err == nil && answer.Status != http.StatusServiceUnavailable:
			return fmt.Errorf("%s: batch %d to %d is answered %+v", s.name, b.from, b.to, answer)
		case s.rng.IntN(20) == 0:
			return nil
		}
		if err := pause(ctx, retryPause); err != nil {
			return err
		}
	}
}

func (s *sender) send(ctx context.Context, b batch) (instance.Answer, error) {
	var messages []map[string]any
	for n := b.from; n < b.to; n++ {
		messages = append(messages, instance.Message(s.id(n)))
	}
	answer, err := s.in.Send(ctx, s.client, writeKey, messages)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		for n := b.from; n < b.to; n++ {
			s.messages[n].attempts++
		}
	}
	return answer, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
