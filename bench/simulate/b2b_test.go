package simulate

import (
	"slices"
	"testing"
	"time"
)

func TestB2BFacts(t *testing.T) {
	people := map[string]map[string]bool{} // users of an account
	steps := map[string][]string{}         // milestones of an account
	roleOf := map[string]string{}
	met := map[string]bool{} // people of whom a group call has told the account
	expansions := 0
	for _, m := range b2bMessages() {
		switch m.Type {
		case "identify":
			roleOf[m.UserID] = text(m.Traits, "role")
		case "group":
			if people[m.GroupID] == nil {
				people[m.GroupID] = map[string]bool{}
			}
			people[m.GroupID][m.UserID] = true
			met[m.UserID] = true
		case "track":
			account := m.Context.GroupID
			if m.Context.Library.Name != "analytics-node" {
				continue
			}
			if account == "" || !met[m.UserID] || roleOf[m.UserID] == "" {
				t.Fatalf("%s of %s in account %q, of whom nothing was told", m.Event, m.UserID, account)
			}
			if m.Event == "Touchpoint" {
				if number(m.Properties, "cost") <= 0 || text(m.Properties, "campaign") == "" {
					t.Fatalf("touchpoint %v", m.Properties)
				}
				continue
			}
			if steps[account] = append(steps[account], m.Event); m.Event == "Order Completed" {
				within(t, "contract", number(m.Properties, "revenue"), 300, 500_000)
			}
		}
	}
	want := []string{"Lead Qualified", "Opportunity Created", "Order Completed"}
	for account, got := range steps {
		n := min(len(got), len(want))
		if !slices.Equal(got[:n], want[:n]) {
			t.Errorf("%s went through %v", account, got)
		}
		for _, event := range got[n:] {
			if expansions++; event != "Order Completed" {
				t.Errorf("%s has %q after its contract", account, event)
			}
		}
	}
	within(t, "accounts with several known people", share(people, func(p map[string]bool) bool { return len(p) > 1 }), 0.3, 0.9)
	within(t, "leads that become customers", share(steps, func(s []string) bool { return len(s) > 2 }), 0.2, 0.5)
	within(t, "expansions", float64(expansions), 3, 40)
	seen := map[string]bool{}
	for _, role := range roleOf {
		seen[role] = true
	}
	within(t, "roles", float64(len(seen)), 4, 4)
}

// An account's order is signed by one who may.
func TestBuyersSignMostContracts(t *testing.T) {
	roleOf, signed, total := map[string]string{}, 0, 0
	for _, m := range b2bMessages() {
		if m.Type == "identify" {
			roleOf[m.UserID] = text(m.Traits, "role")
		}
		if m.Event == "Order Completed" {
			if total++; roleOf[m.UserID] == "manager" || roleOf[m.UserID] == "finance" {
				signed++
			}
		}
	}
	within(t, "contracts signed by a manager or finance", float64(signed)/float64(total), 0.6, 1)
}

func TestWorkingDays(t *testing.T) {
	weekend, all := 0.0, 0.0
	for _, m := range b2bMessages() {
		if all++; m.at.Weekday() == time.Saturday || m.at.Weekday() == time.Sunday {
			weekend++
		}
	}
	within(t, "messages on weekends", weekend/all, 0.01, 0.1)
}
