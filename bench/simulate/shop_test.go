package simulate

import (
	"testing"
	"time"
)

func TestShopFacts(t *testing.T) {
	devices := map[string]map[string]bool{} // of a user
	orders := map[string]int{}              // messages of an order
	agents := map[string]bool{}
	events := map[string]int{}
	visits := map[time.Month]int{}
	opened := map[string]time.Time{} // last message of a device
	bots, all := 0, shopMessages()
	for _, m := range all {
		events[m.Event]++
		if isBot(m) {
			bots++
			continue
		}
		if m.Event == "Order Completed" {
			orders[text(m.Properties, "order_id")]++
		}
		if m.AnonymousID == "" {
			continue
		}
		agents[m.Context.UserAgent] = true
		if m.UserID != "" {
			if devices[m.UserID] == nil {
				devices[m.UserID] = map[string]bool{}
			}
			devices[m.UserID][m.AnonymousID] = true
		}
		begins := touch(m, "shop.example") != ""
		if silent := m.at.Sub(opened[m.AnonymousID]) >= 30*time.Minute; silent != begins {
			t.Fatalf("%s at %v: begins a visit: %v, after half an hour of silence: %v", m.AnonymousID, m.at, begins, silent)
		}
		if begins {
			visits[m.at.Month()]++
		}
		opened[m.AnonymousID] = m.at
	}
	within(t, "users with several devices", share(devices, func(d map[string]bool) bool { return len(d) > 1 }), 0.1, 0.35)
	within(t, "orders reported twice", share(orders, func(n int) bool { return n == 2 }), 0.06, 0.14)
	within(t, "bots", float64(bots)/float64(len(all)), 0.01, 0.03)
	within(t, "orders", float64(len(orders)), 130, 300)
	within(t, "user agents", float64(len(agents)), 12, 100)
	within(t, "visits in October to those in June", float64(visits[time.October])/float64(visits[time.June]), 1.2, 2.5)
	for _, event := range []string{"Product Added", "Signed Up", "Order Refunded", "Survey Answered", "Referral Invited", "File Downloaded"} {
		if events[event] < 4 {
			t.Errorf("%q happens %d times", event, events[event])
		}
	}
}

func within(t *testing.T, what string, got, least, most float64) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %.3f, want %g to %g", what, got, least, most)
	}
}

func share[V any](m map[string]V, is func(V) bool) float64 {
	n := 0
	for _, v := range m {
		if is(v) {
			n++
		}
	}
	return float64(n) / float64(len(m))
}
