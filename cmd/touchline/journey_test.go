package main

import (
	"context"
	"maps"
	"strings"
	"testing"
)

// grouped is a message that names an account.
func grouped(account string, m map[string]any) map[string]any {
	c, _ := m["context"].(map[string]any)
	c = maps.Clone(c)
	c["groupId"] = account
	m["context"] = c
	return m
}

func TestJourney(t *testing.T) {
	withServer(t, "projects:\n"+
		"  - { id: shop, write_keys: [k], currency: EUR, privacy: { mode: full } }\n"+
		"  - { id: none, write_keys: [k2], privacy: { mode: full } }\n", func(ctx context.Context, s *server) {
		s.post(t, "k", []map[string]any{
			named("visit 1", page(at(1, "10:00"), "phone", "/lamps?utm_source=n&utm_medium=email&utm_campaign=may", "")),
			named("login 1", identify(at(1, "10:05"), "phone", "ann")),
			named("visit 2", grouped("acme", known("ann", page(at(3, "10:00"), "desk", "/", google)))),
			{"type": "group", "userId": "ann", "groupId": "acme", "timestamp": at(3, "10:05")},
			named("bought", known("ann", order(at(3, "10:10"), "desk", "o1", 60))),
			named("back", reported(at(4, "09:00"), "ann", "Order Refunded", map[string]any{"order_id": "o1", "revenue": 20})),
			named("visit 3", page(at(5, "10:00"), "desk", "/", "")),
			named("login 2", identify(at(5, "10:05"), "desk", "cleo@old")),
			named("joined", browser("alias", at(6, "10:00"), "", map[string]any{"userId": "cleo", "previousId": "cleo@old"})),
			named("visit 4", grouped("acme", page(at(7, "10:00"), "ann", "/", google))), // a device called like a user
			named("visit 5", page(at(8, "10:00"), "tab", "/", "")),
			named("visit 6", grouped("initech", page(at(9, "10:00"), "tab", "/", google))),
			reported(at(50, "10:00"), "", "Stock Counted", nil),
		})
		if err := s.delivered(ctx); err != nil {
			t.Error(err)
			return
		}
		if _, err := attributeAll(ctx, s.installation, "shop"); err != nil {
			t.Error(err)
			return
		}
		const (
			header    = "time,what,name,details,value,id,person,account,device\n"
			annSeen   = "2026-01-01T10:00:00Z,person,user,\"6 events until 2026-01-04T09:00:00Z, 2 devices\",,,ann,,\n"
			annOnHer  = "2026-01-01T10:00:00Z,journey,Order Completed,converted 2026-01-03T10:10:00Z: Email > Organic Search,40,bought,ann,,\n"
			annMailed = "2026-01-01T10:00:00Z,touch,Email,\"session, n, email, may, /lamps\",,visit 1,ann,acme,phone\n"
			annPhone  = "2026-01-01T10:05:00Z,link,device of a user,1 events name both until 2026-01-01T10:05:00Z,,,ann,,phone\n"
			annAcme   = "2026-01-01T10:00:00Z,account,acme,2 touches and 1 conversions count for it; joined 2026-01-03T10:05:00Z,,,ann,acme,\n"
			deskOfAnn = "2026-01-03T10:00:00Z,link,device of a user,2 events name both until 2026-01-03T10:10:00Z,,,ann,,desk\n"
			annFound  = "2026-01-03T10:00:00Z,touch,Organic Search,\"session, google, organic, /\",,visit 2,ann,acme,desk\n"
			annBought = "2026-01-03T10:10:00Z,conversion,Order Completed,\"number 1, order o1, 60 EUR, refunded 20\",40,bought,ann,acme,\n"
			ann       = annSeen + annAcme + annOnHer + annMailed + annPhone + deskOfAnn + annFound + annBought
			// The desk is hers, too, though she is not on it then.
			linkToCleo = "2026-01-05T10:05:00Z,link,device of a user,1 events name both until 2026-01-05T10:05:00Z,,,cleo@old,,desk\n"
			// Who is called cleo@old and cleo is known by the name that was seen first.
			cleo = "2026-01-05T10:00:00Z,person,user,\"3 events until 2026-01-06T10:00:00Z, 1 devices\",,,cleo@old,,\n" +
				"2026-01-05T10:00:00Z,journey,Order Completed,ended without conversion 2026-02-04T10:00:00Z: Direct,0,,cleo@old,,\n" +
				"2026-01-05T10:00:00Z,touch,Direct,\"session, /\",,visit 3,cleo@old,,desk\n" +
				linkToCleo
			deviceSeen  = "2026-01-07T10:00:00Z,person,device,\"1 events until 2026-01-07T10:00:00Z, 1 devices\",,,ann,,\n"
			deviceAcme  = "2026-01-07T10:00:00Z,account,acme,1 touches and 0 conversions count for it,,,ann,acme,\n"
			deviceFound = "2026-01-07T10:00:00Z,touch,Organic Search,\"session, google, organic, /\",,visit 4,ann,acme,ann\n"
			device      = deviceSeen + deviceAcme +
				"2026-01-07T10:00:00Z,journey,Order Completed,ended without conversion 2026-02-06T10:00:00Z: Organic Search,0,,ann,,\n" + deviceFound
			acme    = "2026-01-01T10:00:00Z,journey,Order Completed,converted 2026-01-03T10:10:00Z: Email > Organic Search,40,bought,,acme,\n"
			acmeNow = "2026-01-07T10:00:00Z,journey,Order Completed,ended without conversion 2026-02-06T10:00:00Z: Organic Search,0,,,acme,\n"
			// What of somebody counts for no account is the journey of an account of one.
			part = "2026-01-08T10:00:00Z,person,device,\"2 events until 2026-01-09T10:00:00Z, 1 devices\",,,tab,,\n" +
				"2026-01-08T10:00:00Z,journey,Order Completed,ended without conversion 2026-02-07T10:00:00Z: Direct,0,,tab,,\n" +
				"2026-01-08T10:00:00Z,touch,Direct,\"session, /\",,visit 5,tab,,tab\n" +
				"2026-01-09T10:00:00Z,account,initech,1 touches and 0 conversions count for it,,,tab,initech,\n" +
				"2026-01-09T10:00:00Z,journey,Order Completed,ended without conversion 2026-02-08T10:00:00Z: Organic Search,0,,,initech,\n" +
				"2026-01-09T10:00:00Z,touch,Organic Search,\"session, google, organic, /\",,visit 6,tab,initech,tab\n"
			of   = " people, level "
			asOf = ", as of 2026-02-19T10:00:00Z\n"
		)
		for _, tt := range []struct {
			line, stdout, stderr string
			code                 int
		}{
			{"ann", header + ann + linkToCleo + device, "shop, 2" + of + "person" + asOf, 0},
			{"phone", header + ann + linkToCleo, "shop, 1" + of + "person" + asOf, 0},
			{"desk", header + ann + cleo, "shop, 2" + of + "person" + asOf, 0},
			{"cleo@old", header + deskOfAnn + cleo, "shop, 1" + of + "person" + asOf, 0},
			{"cleo", header + deskOfAnn + cleo, "shop, 1" + of + "person" + asOf, 0},
			{"acme", header + ann + linkToCleo + device, "shop, 2" + of + "person" + asOf, 0},
			{
				"phone --level account", header + annSeen + annAcme + acme + annMailed + annPhone + deskOfAnn + annFound + annBought +
					linkToCleo + acmeNow + deviceFound, "shop, 1" + of + "account" + asOf, 0,
			},
			{
				"acme --level account", header + annSeen + annAcme + acme + annMailed + annPhone + deskOfAnn + annFound + annBought +
					linkToCleo + deviceSeen + deviceAcme + acmeNow + deviceFound, "shop, 2" + of + "account" + asOf, 0,
			},
			{"tab --level account", header + part, "shop, 1" + of + "account" + asOf, 0},
			{"cleo --level account", header + deskOfAnn + cleo, "shop, 1" + of + "account" + asOf, 0},
			{
				"nobody", "", "touchline: project \"shop\" knows no user, device or account \"nobody\" as of 2026-02-19T10:00:00Z\n", exitFailed,
			},
			{"ann --project none", "", "touchline: project \"none\" has no journeys yet: run touchline attribute --project none first\n", exitFailed},
			{"", "", "touchline: whose journey? want a user id, a device or an account\ntouchline: see touchline --help\n", exitUsage},
		} {
			project := " --project shop"
			if strings.Contains(tt.line, "--project") {
				project = ""
			}
			stdout, stderr, code := s.command(t, "journey "+tt.line+project)
			if stdout != tt.stdout || stderr != tt.stderr || code != tt.code {
				t.Errorf("journey %s: exit code %d\n%s%s\nwant %d\n%s%s", tt.line, code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
			}
		}
	})
}
