package collector

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func drawRefused(t *rapid.T) RefusedMessage {
	m := RefusedMessage{
		ReceivedAt: rapid.Int64().Draw(t, "received"), Size: rapid.Uint64().Draw(t, "size"), More: rapid.Uint64().Draw(t, "more"),
	}
	for _, s := range m.texts() {
		*s = rapid.String().Draw(t, "text")
	}
	return m
}

func TestRefusedMessageIsReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawRefused(t)
		record, err := want.AppendBinary([]byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		got := RefusedMessage{Detail: "of before"}
		if err := got.UnmarshalBinary(record[1:]); err != nil || got != want {
			t.Fatalf("%+v, %v; want %+v", got, err, want)
		}
		for cut := range record[1:] {
			if err := got.UnmarshalBinary(record[1 : 1+cut]); !errors.Is(err, ErrRefusedRecord) {
				t.Fatalf("%d bytes of it: %v", cut, err)
			}
		}
		if err := got.UnmarshalBinary(append(record[1:], 0)); !errors.Is(err, ErrRefusedRecord) {
			t.Fatalf("a byte too many: %v", err)
		}
	})
}

func FuzzRefusedMessage(f *testing.F) {
	whole := RefusedMessage{Project: "p", MessageID: "m", Reason: "invalid event", Detail: "event is required", ReceivedAt: 1, Size: 2, Hash: "h", Payload: "{}"}
	record, _ := whole.AppendBinary(nil)
	f.Add(record)
	f.Add([]byte{})
	f.Add([]byte{refusedVersion, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		var m RefusedMessage
		if m.UnmarshalBinary(data) != nil {
			return
		}
		again, _ := m.AppendBinary(nil)
		var second RefusedMessage
		if err := second.UnmarshalBinary(again); err != nil || second != m {
			t.Fatalf("%+v, %v; want %+v", second, err, m)
		}
	})
}
