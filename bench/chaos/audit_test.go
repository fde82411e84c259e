package chaos_test

import (
	"context"
	"fmt"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/datadir"
	"github.com/touchline-hq/touchline/store/embedded"
)

// connect connects to the engine of a running instance.
func connect(ctx context.Context, in *instance.Installation) (*store.DB, error) {
	running, _, err := datadir.FindInstance(in.Dir)
	if err != nil {
		return nil, err
	}
	product, analyst, err := embedded.ReadCredentials(in.Dir)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.EngineTarget(running.Addr, product, analyst))
}

// counts is how often a table holds each sender's messages, by their numbers.
type counts [][]int

// count reads the message ids of a table, which must all have been sent.
func count(ctx context.Context, db *store.DB, table string, senders []*sender) (counts, error) {
	found := make(counts, len(senders))
	for i, s := range senders {
		found[i] = make([]int, len(s.messages))
	}
	rows, err := db.Conn().Query(ctx, "SELECT message_id FROM "+table)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err says what went wrong
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		if !found.add(id, senders) {
			return nil, fmt.Errorf("table %s holds message %q, which was never sent", table, id)
		}
	}
	return found, rows.Err()
}

func (c counts) add(id string, senders []*sender) bool {
	for i, s := range senders {
		if number, ok := s.number(id); ok {
			c[i][number]++
			return true
		}
	}
	return false
}

// verdict is what an audit has found.
type verdict struct {
	acknowledged int
	unanswered   int      // sent and never acknowledged: each may be stored or not
	missing      []string // acknowledged, and not in table events
	twice        []string // more than once in table events
	repeated     []string // more often in table events_raw than sent: a batch was inserted twice
}

func (v verdict) String() string {
	return fmt.Sprintf("%d messages acknowledged, %d never answered; missing: %d %.100q; twice in events: %d %.100q; inserted twice: %d %.100q",
		v.acknowledged, v.unanswered, len(v.missing), v.missing, len(v.twice), v.twice, len(v.repeated), v.repeated)
}

// audit compares what the senders know with what is stored.
func audit(ctx context.Context, db *store.DB, senders []*sender) (verdict, error) {
	events, err := count(ctx, db, "events", senders)
	if err != nil {
		return verdict{}, err
	}
	raw, err := count(ctx, db, "events_raw", senders)
	if err != nil {
		return verdict{}, err
	}
	var v verdict
	for i, s := range senders {
		for number, m := range s.messages {
			if m.acknowledged {
				v.acknowledged++
			} else {
				v.unanswered++
			}
			if m.acknowledged && events[i][number] == 0 {
				v.missing = append(v.missing, s.id(number))
			}
			if events[i][number] > 1 {
				v.twice = append(v.twice, s.id(number))
			}
			if raw[i][number] > m.attempts {
				v.repeated = append(v.repeated, s.id(number))
			}
		}
	}
	return v, nil
}
