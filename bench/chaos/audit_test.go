package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"

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

// What holds message ids.
const (
	stored      = "SELECT message_id FROM events"
	inserted    = "SELECT message_id FROM events_raw"
	conversions = "SELECT conversion_id FROM conversions"
	journeys    = "SELECT conversion_id FROM journeys WHERE level = 'person' AND state = 'converted'"
)

// counts is how often each sender's messages are in a result, by their numbers.
type counts [][]int

// count reads message ids, which must all have been sent.
func count(ctx context.Context, db *store.DB, query string, senders []*sender) (counts, error) {
	found := make(counts, len(senders))
	for i, s := range senders {
		found[i] = make([]int, len(s.messages))
	}
	rows, err := db.Conn().Query(ctx, query)
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
			return nil, fmt.Errorf("%s: %q was never sent", query, id)
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
	acknowledged                int
	unanswered                  int // sent and never acknowledged: each may be stored or not
	refusals, timeouts, repeats int
	missing                     []string // acknowledged, and not in table events
	twice                       []string // more than once in table events
	surplus                     []string // more often in table events_raw than it can have been taken
}

func (v verdict) String() string {
	return fmt.Sprintf("%d messages acknowledged, %d never; %d requests refused, %d given up, %d batches of messages sent before; "+
		"missing: %d %.100q; twice in events: %d %.100q; inserted more often than taken: %d %.100q",
		v.acknowledged, v.unanswered, v.refusals, v.timeouts, v.repeats,
		len(v.missing), v.missing, len(v.twice), v.twice, len(v.surplus), v.surplus)
}

// audit compares what the senders know with what is stored.
func audit(ctx context.Context, db *store.DB, senders []*sender) (verdict, error) {
	events, err := count(ctx, db, stored, senders)
	if err != nil {
		return verdict{}, err
	}
	raw, err := count(ctx, db, inserted, senders)
	if err != nil {
		return verdict{}, err
	}
	var v verdict
	for i, s := range senders {
		v.refusals, v.timeouts, v.repeats = v.refusals+s.refusals, v.timeouts+s.timeouts, v.repeats+s.repeats
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
				v.surplus = append(v.surplus, s.id(number))
			}
		}
	}
	return v, nil
}

// check waits until everything acknowledged is stored, and expects nothing beyond that.
func check(t *testing.T, in *instance.Installation, senders []*sender) verdict {
	t.Helper()
	var v verdict
	instance.Eventually(t, "everything acknowledged is stored", func() error {
		db, err := connect(t.Context(), in)
		if err != nil {
			return err
		}
		defer db.Close() // only read
		if v, err = audit(t.Context(), db, senders); err == nil && len(v.missing) > 0 {
			err = errors.New(v.String())
		}
		return err
	})
	if len(v.twice) > 0 || len(v.surplus) > 0 || v.acknowledged == 0 {
		t.Error(v)
	}
	return v
}

// checkDerived computes attribution and expects every event that is stored to be one conversion and to end one journey.
func checkDerived(t *testing.T, in *instance.Installation, senders []*sender) {
	t.Helper()
	if _, stderr, code := in.Run(t, "attribute", "--project", "shop", "--conversion", purchase); code != 0 {
		t.Fatalf("attribute: exit code %d: %s", code, stderr)
	}
	db, err := connect(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // only read
	events, err := count(t.Context(), db, stored, senders)
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{conversions, journeys} {
		derived, err := count(t.Context(), db, query, senders)
		if err != nil {
			t.Fatal(err)
		}
		if ids := events.differ(derived, senders); len(ids) > 0 {
			t.Errorf("%s: %d messages are there more or less often than in events: %.100q", query, len(ids), ids)
		}
	}
}

func (c counts) differ(other counts, senders []*sender) (ids []string) {
	for i, s := range senders {
		for number := range s.messages {
			if c[i][number] != other[i][number] {
				ids = append(ids, s.id(number))
			}
		}
	}
	return ids
}

// checkBooks asks the program itself whether everything that it received is accounted for. What else it examines is the
// machine's.
func checkBooks(t *testing.T, in *instance.Installation) {
	t.Helper()
	stdout, stderr, _ := in.Run(t, "doctor")
	for _, about := range []string{"spool", "ledger"} {
		if !regexp.MustCompile(`(?m)^ok +` + about + " ").MatchString(stdout) {
			t.Errorf("doctor, %s: %s%s", about, stdout, stderr)
		}
	}
}
