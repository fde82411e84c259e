// Package replay brings in messages that were refused, once the cause is mended: they are decoded, checked and enriched
// anew, as of the time at which they were received.
package replay

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Store holds refused messages and events.
type Store interface {
	// After returns refused messages in a fixed order, those that follow one, nil for the first; none at the end.
	After(ctx context.Context, last *collector.Rejected) ([]collector.Rejected, error)
	// Unmarshal reads an event that the database refused.
	Unmarshal(payload string) (event.Event, error)
	// Insert stores events. Those that are there already stay as they are. After a *collector.RefusedError none was stored.
	Insert(ctx context.Context, token string, events []event.Event) error
	// MarkReplayed takes messages out of the list and books that they came in.
	MarkReplayed(ctx context.Context, token string, replayed []collector.Rejected) error
}

// Decoder turns bytes into messages.
type Decoder interface {
	Batch(body []byte, req collector.Request) (collector.Result, error)
}

// Enricher completes an event and applies the privacy rules.
type Enricher interface {
	Enrich(p *collector.Project, c *event.Client, e *event.Event)
}

// Replayer replays the messages of one project.
type Replayer struct {
	Project *collector.Project
	Store   Store
	Decode  Decoder
	Enrich  Enricher
}

// Report says what became of the messages.
type Report struct {
	Replayed map[string]int // by the reason for which they had been refused
	Refused  map[string]int // again, by the reason now
	Unkept   int            // of which nothing was kept that could be replayed
}

// candidate is a message that can be tried.
type candidate struct {
	refused collector.Rejected
	event   event.Event
}

// Run replays all that the store lists. What is refused again stays where it is. When it is cut short, what was brought
// in and not yet booked is brought in and booked by the next run, once.
func (r *Replayer) Run(ctx context.Context) (Report, error) {
	report := Report{Replayed: make(map[string]int), Refused: make(map[string]int)}
	var last *collector.Rejected
	for {
		list, err := r.Store.After(ctx, last)
		if err != nil || len(list) == 0 {
			return report, err
		}
		var candidates []candidate
		for i := range list {
			if list[i].Payload == "" {
				report.Unkept++
				continue
			}
			e, err := r.revive(&list[i])
			if err != nil {
				report.Refused[reasonOf(err)]++
				continue
			}
			candidates = append(candidates, candidate{list[i], e})
		}
		if err := r.store(ctx, candidates, &report); err != nil {
			return report, err
		}
		last = &list[len(list)-1]
	}
}

// revive makes the event of a message again. The error says why it is refused.
func (r *Replayer) revive(m *collector.Rejected) (event.Event, error) {
	if m.RefusedBy == collector.ByDatabase {
		return r.Store.Unmarshal(m.Payload)
	}
	var payload collector.RefusedPayload
	if err := json.Unmarshal([]byte(m.Payload), &payload); err != nil {
		return event.Event{}, fmt.Errorf("payload: %w", err)
	}
	message, err := r.decode(&payload, m.ReceivedAt)
	if err != nil {
		return event.Event{}, err
	}
	c, e := &message.Client, &message.Event
	r.Project.Adopt(e)
	c.DoNotTrack = payload.DoNotTrack
	r.Enrich.Enrich(r.Project, c, e)
	payload.Restore(e)
	return *e, nil
}

// refusedAgain is what a decoder says of a message.
type refusedAgain struct{ collector.Rejection }

func (e refusedAgain) Error() string { return e.Reason }

func reasonOf(err error) string {
	var again refusedAgain
	if errors.As(err, &again) {
		return again.Class
	}
	return collector.ReasonOf(err)
}

func (r *Replayer) decode(payload *collector.RefusedPayload, receivedAt int64) (*collector.Message, error) {
	req := collector.Request{ReceivedAt: receivedAt, Origin: payload.Origin}
	result, err := r.Decode.Batch(slices.Concat([]byte(`{"batch":[`), payload.Message, []byte(`]}`)), req)
	switch {
	case err != nil:
		return nil, err
	case len(result.Rejected) > 0:
		return nil, refusedAgain{result.Rejected[0]}
	case len(result.Messages) != 1:
		return nil, fmt.Errorf("payload holds %d messages", len(result.Messages))
	}
	return &result.Messages[0], nil
}

// store stores and books the events that the database takes.
func (r *Replayer) store(ctx context.Context, candidates []candidate, report *Report) error {
	insert := func(token string, candidates []candidate) error {
		events, replayed := make([]event.Event, len(candidates)), make([]collector.Rejected, len(candidates))
		for i := range candidates {
			events[i], replayed[i] = candidates[i].event, candidates[i].refused
		}
		if err := r.Store.Insert(ctx, token, events); err != nil {
			return err
		}
		if err := r.Store.MarkReplayed(ctx, token, replayed); err != nil {
			return err
		}
		for i := range replayed {
			report.Replayed[replayed[i].Reason]++
		}
		return nil
	}
	// Each insert has an effect: what is there already is known by its message id.
	return collector.InsertByHalves(rand.Text(), candidates, insert, func(_ candidate, why *collector.RefusedError) error {
		report.Refused[why.Reason]++
		return nil
	})
}
