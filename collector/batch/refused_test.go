package batch

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/touchline-hq/touchline/collector"
)

func refusedAtDoor(id, reason string, more uint64) []byte {
	m := collector.RefusedMessage{Project: "shop", MessageID: id, Reason: reason, Detail: "detail", More: more}
	record, _ := m.AppendBinary([]byte{collector.RecordRefused}) // never fails
	return record
}

func TestMessagesRefusedAtTheDoorAreKeptAndBooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mixed := append(ids("a", "poison 1"), refusedAtDoor("m", "invalid event", 0), refusedAtDoor("", "malformed", 0), ids("b")[0])
		q, in := newQueue(mixed, [][]byte{refusedAtDoor("", "invalid event", 99)}, ids("c")), &inserter{failReject: 2}
		if err := deliverer(q, in).Run(t.Context(), closed()); err != nil {
			t.Fatal(err)
		}
		if got, want := in.inserted(), []string{"token 0/0: a", "token 0/1/1: b", "token 2: c"}; !slices.Equal(got, want) {
			t.Errorf("inserted %q, want %q", got, want)
		}
		want := []string{
			"token 0/door: m invalid event detail", "token 0/door:  malformed detail",
			"token 0/rejected: poison 1 POISON row 1 is poison", "token 1/door:  invalid event detail",
		}
		if !slices.Equal(in.rejected, want) {
			t.Errorf("rejected %q, want %q", in.rejected, want)
		}
		want = []string{
			"token 0: shop delivered  2", "token 0: shop rejected POISON 1", "token 0: shop rejected invalid event 1", "token 0: shop rejected malformed 1",
			"token 1: shop rejected invalid event 1", "token 1: shop unkept invalid event 99", "token 2: shop delivered  1",
		}
		if !slices.Equal(in.booked, want) {
			t.Errorf("booked %q, want %q", in.booked, want)
		}
		if q.committed != 3 {
			t.Errorf("%d batches committed", q.committed)
		}
	})
}
