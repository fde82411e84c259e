package event

import (
	"errors"
	"math/bits"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// filled returns an event in which every field differs from its zero value, so that a codec that forgets one is found.
func filled(t *rapid.T) Event {
	var e Event
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch f.Kind() {
		case reflect.String:
			f.SetString(rapid.String().Draw(t, name) + name)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int64:
			f.SetInt(rapid.Int64().Draw(t, name))
		case reflect.Int32:
			f.SetInt(int64(rapid.Int32().Draw(t, name)))
		case reflect.Uint32:
			f.SetUint(uint64(rapid.Uint32().Draw(t, name)))
		case reflect.Uint64:
			f.SetUint(rapid.Uint64().Draw(t, name))
		default:
			t.Fatalf("field %s has kind %s, which this test does not fill", name, f.Kind())
		}
	}
	return e
}

func TestCodecKeepsEveryField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := filled(t)
		data, err := want.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, unmarshal := range map[string]func(*Event, []byte) error{
			"UnmarshalBinary": (*Event).UnmarshalBinary, "UnmarshalShared": (*Event).UnmarshalShared,
		} {
			var got Event
			if err := unmarshal(&got, data); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Fatalf("%s\ngot  %+v\nwant %+v", name, got, want)
			}
		}
	})
}

func FuzzUnmarshalBinary(f *testing.F) {
	e := Event{Project: "shop", MessageID: "m1", Type: Track, Name: OrderCompleted, Value: 1_500_000}
	data, _ := e.AppendBinary(nil)
	f.Add(data)
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, data []byte) {
		var e, shared Event
		if (e.UnmarshalBinary(data) == nil) != (shared.UnmarshalShared(data) == nil) || e != shared {
			t.Fatalf("shared %+v\ncopied %+v", shared, e)
		}
		if err := e.UnmarshalBinary(data); err != nil {
			if !errors.Is(err, ErrCodec) {
				t.Fatalf("error %v does not wrap ErrCodec", err)
			}
			return
		}
		again, _ := e.AppendBinary(nil)
		var back Event
		if err := back.UnmarshalBinary(again); err != nil || back != e {
			t.Fatalf("decoded event does not survive a round trip: %v", err)
		}
	})
}

func TestValidate(t *testing.T) {
	long := strings.Repeat("x", MaxID+1)
	for name, c := range map[string]struct {
		event Event
		want  string
	}{
		"track":               {Event{Type: Track, Name: "A"}, ""},
		"page without any id": {Event{Type: Page}, ""},
		"track without name":  {Event{Type: Track}, "event is required for track"},
		"group without id":    {Event{Type: Group}, "groupId is required for group"},
		"alias half":          {Event{Type: Alias, UserID: "u"}, "userId and previousId are required for alias"},
		"identify nobody":     {Event{Type: Identify}, "userId or anonymousId is required for identify"},
		"no type":             {Event{}, `type is ""; want track, page, screen, identify, group or alias`},
		"long id":             {Event{Type: Page, UserID: long}, "userId is 513 bytes long; at most 512 are taken"},
		"long order id":       {Event{Type: Page, OrderID: long}, "properties.order_id is 513 bytes long; at most 512 are taken"},
		"long consent": {Event{Type: Page, Consent: strings.Repeat("x", MaxConsent+1)},
			"context.consent is 4097 bytes long; at most 4096 are taken"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := c.event.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestStorageKey(t *testing.T) {
	const may17 = 1_431_857_103_000 // 2015-05-17T10:05:03Z
	e := Event{ClientTimestamp: may17, AnonymousID: "a", UserID: "u"}
	e.SetStorageKey()
	if e.ClientDay != 16_572 || bits.OnesCount64(e.ClientKey) == 0 {
		t.Errorf("got day %d key %x", e.ClientDay, e.ClientKey)
	}
	retry := Event{ClientTimestamp: may17, AnonymousID: "a", SentAt: 99, ReceivedAt: 98, Timestamp: 97}
	retry.SetStorageKey()
	if retry.ClientDay != e.ClientDay || retry.ClientKey != e.ClientKey {
		t.Error("a retry would be stored elsewhere")
	}
	for name, ts := range map[string]int64{"absent": 0, "before 2000": 1, "negative": -1, "after 2099": 4_102_444_800_000} {
		e := Event{ClientTimestamp: ts}
		e.SetStorageKey()
		if e.ClientDay != 0 {
			t.Errorf("%s: day %d, want the fixed bucket 0", name, e.ClientDay)
		}
	}
}
