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
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/bench/instance"
)

const (
	writeKey = "wk_chaos"
	senders  = 8
	maxBatch = 20
	// maxMessages is how many a sender makes up. After that it repeats.
	maxMessages = 100_000
	// pace and retryPause are times between requests of a sender: at most, and after one without an answer.
	pace       = 40 * time.Millisecond
	retryPause = 10 * time.Millisecond
	// patience is how long an answer may take, and impatience how long some wait for one at most.
	patience   = 10 * time.Second
	impatience = 10 * time.Millisecond
)

// load is several senders at work.
type load struct {
	ctx                   context.Context // ends when a sender has failed, which is its cause
	senders               []*sender
	acknowledged, refused chan struct{} // a batch was, just now
	stopped               chan struct{}
	group                 *errgroup.Group
}

// startLoad sends until stop is called.
func startLoad(t *testing.T, in *instance.Installation) *load {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Duration(*kills)*5*time.Second)
	t.Cleanup(cancel)
	l := &load{acknowledged: make(chan struct{}), refused: make(chan struct{}), stopped: make(chan struct{})}
	l.group, l.ctx = errgroup.WithContext(ctx)
	for i := range senders {
		s := &sender{
			name: fmt.Sprintf("s%d", i), in: in, load: l, rng: rand.New(rand.NewPCG(*seed, uint64(i)+1)),
			client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxConnsPerHost: 1}},
		}
		l.senders = append(l.senders, s)
		l.group.Go(s.run)
	}
	return l
}

// stop returns when what is under way is answered.
func (l *load) stop(t *testing.T) {
	t.Helper()
	close(l.stopped)
	if err := l.group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// await waits until something has happened n times, or returns why the load has ended.
func (l *load) await(happened <-chan struct{}, n int) error {
	for range n {
		select {
		case <-happened:
		case <-l.ctx.Done():
			return context.Cause(l.ctx)
		}
	}
	return nil
}

// message is what a sender knows of one: its number is its place.
type message struct {
	attempts     int // requests with it that may have been taken: not those that were refused or did not arrive
	acknowledged bool
}

// sender sends batches over a connection of its own, one after the other.
type sender struct {
	name     string
	in       *instance.Installation
	load     *load
	client   *http.Client
	rng      *rand.Rand
	messages []message

	refusals, timeouts, repeats int // requests, requests, batches
}

func (s *sender) id(number int) string { return s.name + "-" + strconv.Itoa(number) }

// number is the inverse of id.
func (s *sender) number(id string) (int, bool) {
	digits, ok := strings.CutPrefix(id, s.name+"-")
	number, err := strconv.Atoi(digits)
	return number, ok && err == nil && number >= 0 && number < len(s.messages)
}

// run sends until the load is stopped. The error is an answer that no client should get.
func (s *sender) run() error {
	defer s.client.CloseIdleConnections()
	for {
		select {
		case <-s.load.stopped:
			return nil
		default:
		}
		if err := s.deliver(s.choose()); err != nil {
			return err
		}
		if err := pause(s.load.ctx, time.Duration(s.rng.Int64N(int64(pace)))); err != nil {
			return err
		}
	}
}

// choose is mostly a batch of new messages. Else it is one of messages that were sent before in other batches,
// acknowledged or not, maybe long ago, some of them twice.
func (s *sender) choose() []int {
	again := len(s.messages) >= maxMessages || len(s.messages) > 0 && s.rng.IntN(10) == 0
	if again {
		s.repeats++
	}
	batch := make([]int, 1+s.rng.IntN(maxBatch))
	for i := range batch {
		if again {
			batch[i] = s.rng.IntN(len(s.messages))
			continue
		}
		batch[i] = len(s.messages)
		s.messages = append(s.messages, message{})
	}
	return batch
}

// deliver repeats a batch until it is answered. Some it gives up, so that nobody knows whether they were taken.
func (s *sender) deliver(batch []int) error {
	for {
		answer, err := s.send(batch)
		switch {
		case s.load.ctx.Err() != nil:
			return fmt.Errorf("%s: batch %d is not answered: %w", s.name, batch, context.Cause(s.load.ctx))
		case err == nil && answer == instance.Acknowledged:
			for _, n := range batch {
				s.messages[n].acknowledged = true
			}
			tell(s.load.acknowledged)
			return nil
		case err == nil && answer.Status == http.StatusServiceUnavailable:
			s.refusals++
			tell(s.load.refused)
		case err == nil:
			return fmt.Errorf("%s: batch %d is answered %+v", s.name, batch, answer)
		}
		if s.rng.IntN(20) == 0 {
			return nil
		}
		if err := pause(s.load.ctx, retryPause); err != nil {
			return err
		}
	}
}

// tell tells whoever waits for it.
func tell(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// send sends a batch once, and now and then does not wait for the answer.
func (s *sender) send(batch []int) (instance.Answer, error) {
	var messages []map[string]any
	for _, n := range batch {
		m := instance.Message(s.id(n))
		m["event"] = purchase
		messages = append(messages, m)
	}
	ctx, cancel := s.load.ctx, context.CancelFunc(func() {})
	if s.rng.IntN(30) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(s.rng.Int64N(int64(impatience))))
	}
	defer cancel()
	answer, err := s.in.Send(ctx, s.client, writeKey, messages)
	if errors.Is(err, context.DeadlineExceeded) {
		s.timeouts++
	}
	if answer.Status != http.StatusServiceUnavailable && !errors.Is(err, syscall.ECONNREFUSED) {
		for _, n := range batch {
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
