package decode

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
)

// The own context wins key by key, however many keys there are and however they are spelled.
func TestOwnContextWins(t *testing.T) {
	for _, keys := range []int{0, 1, 32, 33, 1000} {
		own, shared, want := map[string]any{}, map[string]any{}, map[string]any{}
		for i := range keys {
			own[fmt.Sprintf("ä%d", i)] = "own"
			shared[fmt.Sprintf("ä%d", 2*i)] = "shared"
		}
		maps.Copy(want, shared)
		maps.Copy(want, own)
		body := fmt.Sprintf(`{"context":%s,"batch":[{"type":"page","context":%s}]}`,
			marshal(shared), strings.ReplaceAll(string(marshal(own)), "ä", `\u00e4`))
		result, err := (&Decoder{MaxEvent: 1 << 20}).Batch([]byte(body), Request{ReceivedAt: received})
		if err != nil || len(result.Messages) != 1 {
			t.Fatal(result.Rejected, err)
		}
		got := map[string]any{}
		if text := result.Messages[0].Event.Context; text != "" {
			if err := json.Unmarshal([]byte(text), &got); err != nil || strings.Count(text, ":") != len(want) {
				t.Fatal(text, err)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d keys:\ngot  %v\nwant %v", keys, got, want)
		}
	}
}

func TestBrandsAreBounded(t *testing.T) {
	body := `{"type":"page","context":{"userAgentData":{"brands":[` + strings.Repeat(`{"brand":"b","version":"1"},`, 4000) + `0]}}}`
	result, err := (&Decoder{}).Single([]byte(body), "", Request{ReceivedAt: received})
	if err != nil || len(result.Messages) != 1 {
		t.Fatal(result.Rejected, err)
	}
	if got, want := result.Messages[0].Client.Hints.Brands, strings.Repeat(`, "b";v="1"`, 16)[2:]; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
