// Package identity joins the users that alias calls declare to be one.
package identity

import (
	"time"

	"github.com/touchline-hq/touchline/attribution"
)

// Canonical maps every joined user to the one that stands for all of them: the earliest seen, of several the first in
// alphabetical order. That one maps to itself. Cycles and repetitions are harmless, and the order of aliases does not
// matter.
func Canonical(aliases []attribution.Alias) map[string]string {
	parent := make(map[string]string)
	seen := make(map[string]time.Time)
	for _, a := range aliases {
		note(parent, seen, a.User, a.UserSeen)
		note(parent, seen, a.Previous, a.PreviousSeen)
	}
	for _, a := range aliases {
		x, y := root(parent, a.User), root(parent, a.Previous)
		if before(seen, y, x) {
			x, y = y, x
		}
		parent[y] = x
	}
	canonical := make(map[string]string, len(parent))
	for user := range parent {
		canonical[user] = root(parent, user)
	}
	return canonical
}

func note(parent map[string]string, seen map[string]time.Time, user string, at time.Time) {
	if known, ok := seen[user]; !ok || at.Before(known) {
		seen[user] = at
	}
	parent[user] = user
}

// root follows parents to their end and shortens the way for the next time.
func root(parent map[string]string, user string) string {
	for parent[user] != user {
		parent[user] = parent[parent[user]]
		user = parent[user]
	}
	return user
}

func before(seen map[string]time.Time, x, y string) bool {
	if seen[x].Equal(seen[y]) {
		return x < y
	}
	return seen[x].Before(seen[y])
}
