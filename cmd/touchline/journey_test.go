package main

import (
	"context"
	"maps"
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
	withServer(t, "projects:\n  - { id: shop, write_keys: [k], currency: EUR, privacy: { mode: full } }\n", func(ctx context.Context, s *server) {
		s.post(t, "k", []map[string]any{
			named("visit 1", page(at(1, "10:00"), "phone", "/lamps?utm_source=n&utm_medium=email&utm_campaign=may", "")),
			named("login 1", identify(at(1, "10:05"), "phone", "ann")),
			named("visit 2", grouped("acme", known("ann", page(at(3, "10:00"), "desk", "/", google)))),
			named("bought", known("ann", order(at(3, "10:10"), "desk", "o1", 60))),
			named("back", reported(at(4, "09:00"), "ann", "Order Refunded", map[string]any{"order_id": "o1", "revenue": 20})),
			named("visit 3", page(at(5, "10:00"), "desk", "/", "")),
			named("login 2", identify(at(5, "10:05"), "desk", "cleo@old")),
			named("joined", browser("alias", at(6, "10:00"), "", map[string]any{"userId": "cleo", "previousId": "cleo@old"})),
			named("visit 4", grouped("acme", page(at(7, "10:00"), "ann", "/", google))), // a device called like a user
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
			header = "time,what,name,details,value,id,person,device\n"
			ann    = "2026-01-01T10:00:00Z,person,user,\"5 events until 2026-01-04T09:00:00Z, 2 devices\",,,ann,\n" +
				"2026-01-01T10:00:00Z,journey,Order Completed,converted 2026-01-03T10:10:00Z: Email > Organic Search,40,bought,ann,\n" +
				"2026-01-01T10:00:00Z,touch,Email,\"session, n, email, may, /lamps\",,visit 1,ann,phone\n" +
				"2026-01-01T10:05:00Z,link,device of a user,1 events name both until 2026-01-01T10:05:00Z,,,ann,phone\n" +
				"2026-01-03T10:00:00Z,account,acme,1 events name it,,,ann,\n" +
				"2026-01-03T10:00:00Z,link,device of a user,2 events name both until 2026-01-03T10:10:00Z,,,ann,desk\n" +
				"2026-01-03T10:00:00Z,touch,Organic Search,\"session, google, organic, /\",,visit 2,ann,desk\n" +
				"2026-01-03T10:10:00Z,conversion,Order Completed,\"number 1, order o1, 60 EUR, refunded 20\",40,bought,ann,\n"
			// The desk is hers, too, though she is not on it then.
			linkToCleo = "2026-01-05T10:05:00Z,link,device of a user,1 events name both until 2026-01-05T10:05:00Z,,,cleo@old,desk\n"
			deskOfAnn  = "2026-01-03T10:00:00Z,link,device of a user,2 events name both until 2026-01-03T10:10:00Z,,,ann,desk\n"
			// Who is called cleo@old and cleo is known by the name that was seen first.
			cleo = "2026-01-05T10:00:00Z,person,user,\"3 events until 2026-01-06T10:00:00Z, 1 devices\",,,cleo@old,\n" +
				"2026-01-05T10:00:00Z,journey,Order Completed,ended without conversion 2026-02-04T10:00:00Z: Direct,0,,cleo@old,\n" +
				"2026-01-05T10:00:00Z,touch,Direct,\"session, /\",,visit 3,cleo@old,desk\n" +
				linkToCleo
			device = "2026-01-07T10:00:00Z,person,device,\"1 events until 2026-01-07T10:00:00Z, 1 devices\",,,ann,\n" +
				"2026-01-07T10:00:00Z,journey,Order Completed,ended without conversion 2026-02-06T10:00:00Z: Organic Search,0,,ann,\n" +
				"2026-01-07T10:00:00Z,touch,Organic Search,\"session, google, organic, /\",,visit 4,ann,ann\n"
			asOf = " people, as of 2026-02-19T10:00:00Z\n"
		)
		for _, tt := range []struct {
			line, stdout, stderr string
			code                 int
		}{
			{"ann", header + ann + linkToCleo + device, "shop, 2" + asOf, 0},
			{"phone", header + ann + linkToCleo, "shop, 1" + asOf, 0},
			{"desk", header + ann + cleo, "shop, 2" + asOf, 0},
			{"cleo@old", header + deskOfAnn + cleo, "shop, 1" + asOf, 0},
			{"cleo", header + deskOfAnn + cleo, "shop, 1" + asOf, 0},
			{"acme", header + ann + linkToCleo + device, "shop, 2" + asOf, 0},
			{
				"nobody", "", "touchline: project \"shop\" knows no user, device or account \"nobody\"; " +
					"what came since touchline attribute last ran is not known yet\n", exitFailed,
			},
			{"", "", "touchline: whose journey? want a user id, a device or an account\ntouchline: see touchline --help\n", exitUsage},
		} {
			stdout, stderr, code := s.command(t, "journey "+tt.line+" --project shop")
			if stdout != tt.stdout || stderr != tt.stderr || code != tt.code {
				t.Errorf("journey %s: exit code %d\n%s%s\nwant %d\n%s%s", tt.line, code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
			}
		}
	})
}
