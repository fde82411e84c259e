package collector

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestInsertByHalvesFindsWhatIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		poisoned := rapid.SliceOfN(rapid.Bool(), 0, 50).Draw(t, "poisoned")
		items := make([]int, len(poisoned))
		var want, wantRefused []int
		for i, poison := range poisoned {
			items[i] = i
			if poison {
				wantRefused = append(wantRefused, i)
			} else {
				want = append(want, i)
			}
		}
		var got, refused []int
		tokens := map[string]bool{}
		err := InsertByHalves("token", items, func(token string, items []int) error {
			if tokens[token] || len(items) == 0 {
				t.Fatalf("token %s for %v", token, items)
			}
			tokens[token] = true
			if slices.ContainsFunc(items, func(i int) bool { return poisoned[i] }) {
				return fmt.Errorf("insert: %w", &RefusedError{Reason: "POISON"})
			}
			got = append(got, items...)
			return nil
		}, func(item int, why *RefusedError) error {
			refused = append(refused, item)
			if why.Reason != "POISON" {
				t.Errorf("refused because of %q", why.Reason)
			}
			return nil
		})
		if err != nil || !slices.Equal(got, want) || !slices.Equal(refused, wantRefused) {
			t.Errorf("inserted %v, want %v; refused %v, want %v; %v", got, want, refused, wantRefused, err)
		}
	})
}

func TestInsertByHalvesEndsWithAnyOtherError(t *testing.T) {
	away := errors.New("away")
	var tokens []string
	err := InsertByHalves("token", []int{1, 2, 3}, func(token string, items []int) error {
		if tokens = append(tokens, token); len(items) == 1 {
			return away
		}
		return &RefusedError{}
	}, func(int, *RefusedError) error { return errors.New("nothing is to be refused") })
	if want := []string{"token", "token/0"}; !errors.Is(err, away) || !slices.Equal(tokens, want) {
		t.Errorf("%v after %q, want %v after %q", err, tokens, away, want)
	}
}
