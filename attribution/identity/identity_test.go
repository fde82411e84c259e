package identity

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func alias(user, previous string, userSeen, previousSeen time.Time) attribution.Alias {
	return attribution.Alias{User: user, Previous: previous, UserSeen: userSeen, PreviousSeen: previousSeen}
}

func TestCanonical(t *testing.T) {
	for name, c := range map[string]struct {
		aliases []attribution.Alias
		want    map[string]string
	}{
		"none":            {nil, map[string]string{}},
		"the earlier one": {[]attribution.Alias{alias("new", "old", day(2), day(1))}, map[string]string{"new": "old", "old": "old"}},
		"either way":      {[]attribution.Alias{alias("old", "new", day(1), day(2))}, map[string]string{"new": "old", "old": "old"}},
		"same time":       {[]attribution.Alias{alias("b", "a", day(1), day(1))}, map[string]string{"a": "a", "b": "a"}},
		"chain": {
			[]attribution.Alias{alias("c", "b", day(3), day(2)), alias("b", "a", day(2), day(1))},
			map[string]string{"a": "a", "b": "a", "c": "a"},
		},
		"cycle": {
			[]attribution.Alias{alias("a", "b", day(1), day(2)), alias("b", "c", day(2), day(3)), alias("c", "a", day(3), day(1))},
			map[string]string{"a": "a", "b": "a", "c": "a"},
		},
		"two groups": {
			[]attribution.Alias{alias("a", "b", day(1), day(2)), alias("x", "y", day(2), day(1))},
			map[string]string{"a": "a", "b": "a", "x": "y", "y": "y"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Canonical(c.aliases); !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestCanonicalDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		user := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"})
		seen := map[string]time.Time{}
		for i, u := range []string{"g", "f", "e", "d", "c", "b", "a"} {
			seen[u] = day(1 + i/2)
		}
		aliases := make([]attribution.Alias, rapid.IntRange(0, 10).Draw(t, "aliases"))
		for i := range aliases {
			u, v := user.Draw(t, "user"), user.Draw(t, "previous")
			aliases[i] = alias(u, v, seen[u], seen[v])
		}
		want := Canonical(aliases)
		shuffled := slices.Clone(aliases)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got := Canonical(shuffled); !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for user, canonical := range want {
			if want[canonical] != canonical || before(seen, user, canonical) {
				t.Fatalf("%s is canonical for %s, seen earlier", canonical, user)
			}
		}
	})
}
