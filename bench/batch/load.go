package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"github.com/touchline-hq/touchline/bench/run"
)

const (
	templatesEach = 16 // of a connection
	answerLimit   = 30 * time.Second
)

// load is what the generator came to.
type load struct {
	duration  time.Duration // until the last answer
	latencies []time.Duration
	bytes     uint64 // of the bodies
}

func (l *load) events() uint64 { return uint64(len(l.latencies)) * batchSize }

// quantile of the latencies, which are in order.
func (l *load) quantile(q float64) time.Duration {
	return l.latencies[int(q*float64(len(l.latencies)-1))]
}

// sender is one connection, with templates of its own because a template is one request at a time.
type sender struct {
	client    *fasthttp.HostClient
	templates []*template
	load
}

func newSenders(addr string, connections int, rng *rand.Rand) ([]*sender, error) {
	client := &fasthttp.HostClient{
		Addr: addr, MaxConns: connections, ReadTimeout: answerLimit, WriteTimeout: answerLimit,
		MaxIdemponentCallAttempts: 1, NoDefaultUserAgentHeader: true,
	}
	senders := make([]*sender, connections)
	for i := range senders {
		senders[i] = &sender{client: client}
		for range templatesEach {
			t, err := newTemplate(rng)
			if err != nil {
				return nil, err
			}
			senders[i].templates = append(senders[i].templates, t)
		}
	}
	return senders, nil
}

// send keeps one request under way on each connection for a while. next numbers the batches.
func send(ctx context.Context, senders []*sender, next *atomic.Uint64, d time.Duration) (*load, error) {
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range senders {
		group.Go(func() error {
			for n := 0; ctx.Err() == nil && time.Since(start) < d; n++ {
				if err := s.send(s.templates[n%len(s.templates)], next.Add(1)); err != nil {
					return err
				}
			}
			return context.Cause(ctx)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	total := &load{duration: time.Since(start)}
	for _, s := range senders {
		total.latencies = append(total.latencies, s.latencies...)
		total.bytes += s.bytes
	}
	slices.Sort(total.latencies)
	return total, nil
}

func (s *sender) send(t *template, number uint64) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	start := time.Now()
	t.stamp(number, start)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.SetRequestURI("http://" + s.client.Addr + "/v1/batch")
	request.Header.SetContentType("application/json")
	request.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(run.WriteKey+":")))
	request.SetBodyRaw(t.body)
	if err := s.client.Do(request, response); err != nil {
		return fmt.Errorf("batch %d: %w", number, err)
	}
	if response.StatusCode() != fasthttp.StatusOK || string(response.Body()) != `{"success":true}` {
		return fmt.Errorf("batch %d: the collector answers %d: %.200s", number, response.StatusCode(), response.Body())
	}
	s.latencies = append(s.latencies, time.Since(start))
	s.bytes += uint64(len(t.body))
	return nil
}
