package main

import (
	"testing"
	"time"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/store"
)

// What is expected here was computed by hand from the definitions (docs/attribution.md), not by the program. Times are
// written as day and clock, counted from 1 January 2026, UTC. Most touches are whole weeks apart, which is the half-life
// of time_decay: a touch has half the weight of one a week later. In markov, P is P(conversion) and R(x) the removal effect
// of channel x; its credit is R(x) ÷ ΣR of the conversions, and likewise of the value.

// everyModel begins a line where all models agree.
const everyModel = "first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, markov, shapley: "

func histories() []history {
	return []history{
		oneBuyer(), textbookExample(), sharedDevices(), orders(), sessionStarts(), repeatedCampaign(), lookbackEdge(),
		buyingCenter(), memberships(), impressions(), currencies(), withdrawnNull(), unlinked(), signedLinks(),
	}
}

func oneBuyer() history {
	return history{
		about: "one buyer, three sessions; another visitor is still on the way",
		messages: []map[string]any{
			page(at(1, "10:00"), "a", "/", google),
			page(at(8, "10:00"), "a", "/shoes?utm_source=google&utm_medium=cpc&gclid=G1", google),
			page(at(8, "10:05"), "a", "/shoes/red", "https://shop.example/shoes"),
			page(at(15, "10:00"), "a", "/", ""),
			order(at(15, "10:10"), "a", "o1", 100),
			page(at(15, "12:00"), "b", "/", google),
		},
		outcomes: []outcome{{
			journeys: []string{"a converted: Organic Search > Paid Search > Direct (100)", "b pending: Organic Search (0)"},
			credit: `first: Organic Search 1 100
				last: Direct 1 100
				last_non_direct: Paid Search 1 100
				linear, markov, shapley: Organic Search 1/3 100/3; Paid Search 1/3 100/3; Direct 1/3 100/3
				position, w_shaped, full_path: Organic Search .4 40; Paid Search .2 20; Direct .4 40
				time_decay: Organic Search 1/7 100/7; Paid Search 2/7 200/7; Direct 4/7 400/7`,
			by: map[string]string{"landing_page": `first, last: / 1 100
				last_non_direct: /shoes 1 100
				linear, shapley: / 2/3 200/3; /shoes 1/3 100/3
				position, w_shaped, full_path: / .8 80; /shoes .2 20
				time_decay: / 5/7 500/7; /shoes 2/7 200/7`},
		}},
		reports: map[string]string{
			// The path is / > /shoes > /. Of two walks that come to / one converts there, so without /shoes half of the
			// conversions are left: R(/shoes) = 1/2, R(/) = 1. shapley splits evenly over two pages.
			"--by landing_page": `first, last: / 1 100
				last_non_direct: /shoes 1 100
				linear, markov: / 2/3 200/3; /shoes 1/3 100/3
				position, w_shaped, full_path: / .8 80; /shoes .2 20
				time_decay: / 5/7 500/7; /shoes 2/7 200/7
				shapley: / 1/2 50; /shoes 1/2 50`,
			"--direct ignore": `first: Organic Search 1 100
				last, last_non_direct: Paid Search 1 100
				linear, position, markov, shapley: Organic Search 1/2 50; Paid Search 1/2 50
				time_decay: Organic Search 1/3 100/3; Paid Search 2/3 200/3`,
			// The path is / > /shoes, since the third touch is Direct.
			"--direct ignore --by landing_page": `first: / 1 100
				last, last_non_direct: /shoes 1 100
				linear, position, markov, shapley: / 1/2 50; /shoes 1/2 50
				time_decay: / 1/3 100/3; /shoes 2/3 200/3`,
			// Day 1 is too old, and a null: 10 days of silence. The path is Paid Search > Direct, and R = 1 for both.
			"--lookback 10d": `first, last_non_direct: Paid Search 1 100
				last: Direct 1 100
				linear, position, w_shaped, full_path, markov, shapley: Paid Search 1/2 50; Direct 1/2 50
				time_decay: Paid Search 1/3 100/3; Direct 2/3 200/3`,
		},
		tables: map[string]string{
			"SELECT name, conversions, value FROM channel_credits" +
				" WHERE level = 'account' AND model = 'first' AND dimension = 'device'": "('desktop',1,100)",
		},
	}
}

// textbookExample has P = 1/3. Without Organic Search half of that is left, without each other one nothing: R = 1/2, 1, 1.
func textbookExample() history {
	return history{
		about: "three journeys, one of which converts",
		messages: []map[string]any{
			page(at(1, "10:00"), "a", "/", google),
			page(at(8, "10:00"), "a", "/", facebook),
			page(at(15, "10:00"), "a", "/", blog),
			order(at(15, "10:10"), "a", "o1", 1),
			page(at(1, "10:00"), "b", "/", google),
			page(at(1, "10:00"), "c", "/", facebook),
			page(at(8, "10:00"), "c", "/", blog),
			reported(at(60, "10:00"), "", "Stock Counted", nil), // moves as-of; without an id it is in no journey
		},
		outcomes: []outcome{{
			journeys: []string{
				"a converted: Organic Search > Organic Social > Referral (1)",
				"b null: Organic Search (0)", "c null: Organic Social > Referral (0)",
			},
			credit: `first: Organic Search 1 1
				last, last_non_direct: Referral 1 1
				linear, shapley: Organic Search 1/3 1/3; Organic Social 1/3 1/3; Referral 1/3 1/3
				position, w_shaped, full_path: Organic Search .4 .4; Organic Social .2 .2; Referral .4 .4
				time_decay: Organic Search 1/7 1/7; Organic Social 2/7 2/7; Referral 4/7 4/7
				markov: Organic Search .2 .2; Organic Social .4 .4; Referral .4 .4`,
			by: map[string]string{"source": `first: google 1 1
				last, last_non_direct: blog.example.org 1 1
				linear, shapley: google 1/3 1/3; facebook 1/3 1/3; blog.example.org 1/3 1/3
				position, w_shaped, full_path: google .4 .4; facebook .2 .2; blog.example.org .4 .4
				time_decay: google 1/7 1/7; facebook 2/7 2/7; blog.example.org 4/7 4/7`},
		}},
	}
}

func sharedDevices() history {
	alias := func(user, previous string) map[string]any {
		return browser("alias", at(10, "10:00"), "", map[string]any{"userId": user, "previousId": previous})
	}
	return history{
		about: "two devices of one user, a shared device, users joined by aliases in a circle",
		messages: []map[string]any{
			page(at(1, "10:00"), "phone", "/?utm_source=facebook&utm_medium=paid_social", ""),
			identify(at(1, "10:05"), "phone", "ann"),
			page(at(8, "10:00"), "desk", "/?utm_source=news&utm_medium=email", ""),
			identify(at(8, "10:05"), "desk", "ann"),
			known("ann", order(at(8, "10:10"), "desk", "o1", 60)),
			page(at(9, "10:00"), "desk", "/", ""), // belongs to who the device is linked to next
			identify(at(9, "10:05"), "desk", "ben"),
			known("ben", order(at(9, "10:10"), "desk", "o2", 30)),
			page(at(2, "10:00"), "old", "/?utm_source=p&utm_medium=affiliate", ""),
			identify(at(2, "10:05"), "old", "cleo@old.example"),
			alias("cleo", "cleo@old.example"), alias("cleopatra", "cleo"), alias("cleo@old.example", "cleopatra"),
			reported(at(11, "10:00"), "cleo", "Order Completed", map[string]any{"order_id": "o3", "revenue": "10", "currency": "eur"}),
		},
		outcomes: []outcome{{
			journeys: []string{
				"ann converted: Paid Social > Email (60)", "ben converted: Direct (30)", "cleo@old.example converted: Affiliates (10)",
			},
			// markov: every path converts, each is a third: all R are 1/3. Those of the value are 60/100 for Paid Social and
			// for Email, 30/100, 10/100; their sum is 1.6.
			credit: `first: Paid Social 1 60; Direct 1 30; Affiliates 1 10
				last, last_non_direct: Email 1 60; Direct 1 30; Affiliates 1 10
				linear, position, w_shaped, full_path, shapley, markov split: Paid Social .5 30; Email .5 30; Direct 1 30; Affiliates 1 10
				time_decay: Paid Social 1/3 20; Email 2/3 40; Direct 1 30; Affiliates 1 10
				markov: Paid Social .75 37.5; Email .75 37.5; Direct .75 18.75; Affiliates .75 6.25`,
			by: map[string]string{"medium": `first: paid_social 1 60;  1 30; affiliate 1 10
				last, last_non_direct: email 1 60;  1 30; affiliate 1 10
				linear, position, w_shaped, full_path, shapley: paid_social .5 30; email .5 30;  1 30; affiliate 1 10
				time_decay: paid_social 1/3 20; email 2/3 40;  1 30; affiliate 1 10`},
		}},
		tables: map[string]string{
			"SELECT person, identified, events, devices FROM persons":  `('ann',true,5,2) ('ben',true,3,1) ('cleo@old.example',true,6,1)`,
			"SELECT anonymous_id, first_seen, user_id FROM identities": `('desk','2026-01-08 10:05:00.000','ann') ('desk','2026-01-09 10:05:00.000','ben') ('old','2026-01-02 10:05:00.000','cleo@old.example') ('phone','2026-01-01 10:05:00.000','ann')`,
			"SELECT account FROM accounts":                             "",
		},
	}
}

func orders() history {
	server := func(day int, event, id string, revenue float64, currency string) map[string]any {
		p := map[string]any{"order_id": id}
		if revenue > 0 {
			p["revenue"], p["currency"] = revenue, currency
		}
		return reported(at(day, "10:00"), "ann", event, p)
	}
	return history{
		about: "an order seen twice and refunded in part, a second one in the session, some without touches, one in dollars",
		messages: []map[string]any{
			page(at(1, "10:00"), "a", "/", blog),
			identify(at(1, "10:01"), "a", "ann"),
			order(at(1, "10:05"), "a", "o1", 100),
			reported(at(1, "10:06"), "ann", "Order Completed", map[string]any{"order_id": "o1", "revenue": 90, "currency": "EUR"}),
			order(at(1, "10:20"), "a", "o2", 40),
			server(9, "Order Refunded", "o1", 20, "EUR"),
			server(120, "Order Completed", "o3", 5, "EUR"),
			server(121, "Order Completed", "o4", 7, "USD"),
			server(122, "Order Completed", "o5", 8, "EUR"),
			server(123, "Order Cancelled", "o5", 0, ""),
			server(124, "Order Completed", "o6", 12, "EUR"),
			server(125, "Order Refunded", "o6", 50, "EUR"), // more than there was
		},
		outcomes: []outcome{{
			journeys: []string{
				"ann converted:  (0)", "ann converted:  (0)", "ann converted:  (0)", "ann converted:  (5)",
				"ann converted: Referral (40)", "ann converted: Referral (70)",
			},
			credit: everyModel + "Referral 2 110; Unattributed 4 5",
			by: map[string]string{"landing_page": "first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, shapley: " +
				"/ 2 110; Unattributed 4 5"},
		}},
		reports: map[string]string{
			"--gross":                           everyModel + "Referral 2 130; Unattributed 4 25", // o3, o5 and o6
			"--customers new":                   everyModel + "Referral 1 70",
			"--customers returning":             everyModel + "Referral 1 40; Unattributed 4 5",
			"--customers new --gross":           everyModel + "Referral 1 90",
			"--from 2026-01-02 --to 2026-04-30": everyModel + "Unattributed 1 5", // day 120 is 30 April
			"--level account --customers new":   everyModel + "Referral 1 70",
			"--level account --from 2026-05-01": everyModel + "Unattributed 3 0",
		},
		tables: map[string]string{
			"SELECT order_id, amount, refunded, currency, conversion_number, rated FROM conversions": `('o1',90,20,'EUR',1,true) ('o2',40,0,'EUR',2,true) ('o3',5,0,'EUR',3,true) ('o4',7,0,'USD',4,false) ('o5',8,8,'EUR',5,true) ('o6',12,12,'EUR',6,true)`,
		},
	}
}

// sessionStarts has a half-life so short that time_decay leaves nothing to any touch but the last.
func sessionStarts() history {
	return history{
		about:    "what starts a session and what does not",
		settings: "models: { half_life: 10m }",
		messages: []map[string]any{
			page(at(1, "10:00"), "a", "/?utm_source=news&utm_medium=email&utm_campaign=may", ""),
			page(at(1, "10:05"), "a", "/?utm_source=news&utm_medium=email&utm_campaign=may", ""), // the same campaign
			page(at(1, "10:10"), "a", "/sale?utm_source=google&utm_medium=cpc&gclid=X", google),  // another one
			page(at(1, "10:12"), "a", "/sale/2", google),                                         // repeats the referrer
			page(at(1, "10:41"), "a", "/sale", "https://www.shop.example/"),                      // 29 minutes: goes on
			page(at(1, "11:11:00.001"), "a", "/", "https://shop.example/sale"),                   // silence: begins anew
			page(at(1, "11:20"), "a", "/sale?utm_source=google&utm_medium=cpc&gclid=X", google),  // a click counts once
			page(at(1, "11:30"), "a", "/thanks", "https://www.paypal.com/checkout"),              // payment provider
			browser("track", at(1, "11:40"), "a", map[string]any{"event": "Scrolled"}),           // silence is not yet
			reported(at(2, "10:00"), "ann", "Touchpoint", map[string]any{"channel": "Trade Fairs", "campaign": "Expo"}),
			reported(at(2, "23:59"), "ann", "Lead Qualified", nil), // a server opens no session
			identify(at(3, "10:00"), "a", "ann"),
			order(at(3, "10:01"), "a", "o1", 8),
			{
				"type": "page", "messageId": "bot", "anonymousId": "a", "timestamp": "2026-01-02T10:00:00Z",
				"context": map[string]any{
					"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
					"page":      map[string]any{"url": "https://shop.example/", "referrer": blog},
				},
			},
		},
		outcomes: []outcome{{
			journeys: []string{"ann converted: Email > Paid Search > Direct > Trade Fairs (8)"},
			credit: `first: Email 1 8
				last, last_non_direct, time_decay: Trade Fairs 1 8
				linear, markov, shapley: Email .25 2; Paid Search .25 2; Direct .25 2; Trade Fairs .25 2
				position, w_shaped, full_path: Email .4 3.2; Paid Search .1 .8; Direct .1 .8; Trade Fairs .4 3.2`,
			by: map[string]string{"campaign": `first: may 1 8
				last, last_non_direct, time_decay: Expo 1 8
				linear, shapley: may .25 2;  .5 4; Expo .25 2
				position, w_shaped, full_path: may .4 3.2;  .2 1.6; Expo .4 3.2`},
		}},
	}
}

func repeatedCampaign() history {
	clicked := map[string]any{"source": "google", "medium": "cpc", "name": "may", "click_id": "G1", "click_id_type": "gclid"}
	return history{
		about: "a script that repeats the visit's campaign and click id: still one session",
		messages: []map[string]any{
			from(clicked, page(at(1, "10:00"), "a", "/?utm_source=google&utm_medium=cpc&utm_campaign=may&gclid=G1", google)),
			from(clicked, page(at(1, "10:05"), "a", "/red", "https://shop.example/")),
			from(clicked, order(at(1, "10:10"), "a", "o1", 8)),
		},
		outcomes: []outcome{{
			journeys: []string{"a converted: Paid Search (8)"},
			credit:   everyModel + "Paid Search 1 8",
			by:       map[string]string{"campaign": "first, shapley: may 1 8", "source": "last, linear: google 1 8", "medium": "position: cpc 1 8"},
		}},
		reports: map[string]string{"--by campaign": everyModel + "may 1 8"},
	}
}

// lookbackEdge has one touch a conversion. markov: of six paths, each one channel, four are Email, half of which convert.
// P = 2/3; R = 1/2, 1/4, 1/4; a walk is worth 10 + 10/6 + 30/6, so R of the value is 10, 10/6 and 30/6 parts of that.
func lookbackEdge() history {
	return history{
		about: "the lookback's edge, journeys that ended, a conversion that begins the next journey",
		messages: []map[string]any{
			visit(at(1, "10:00"), "a", "email", ""), // 95 days before
			visit(at(51, "10:00"), "a", "display", ""),
			order(at(96, "10:00"), "a", "a1", 10),
			visit(at(1, "10:00"), "b", "email", ""), // 90 days before: too old
			order(at(91, "10:00"), "b", "b1", 10),
			visit(at(1, "10:00:00.001"), "c", "email", ""), // a millisecond less
			order(at(91, "10:00"), "c", "c1", 10),
			page(at(61, "10:00"), "d", "/", facebook),
			order(at(62, "10:00"), "d", "d1", 30),
			visit(at(71, "10:00"), "d", "email", ""),
			order(at(72, "10:00"), "d", "d2", 50),
		},
		outcomes: []outcome{{
			journeys: []string{
				"a converted: Display (10)", "a null: Email (0)", "b converted:  (10)", "b null: Email (0)", "c converted: Email (10)",
				"d converted: Email (50)", "d converted: Organic Social (30)",
			},
			credit: everyModel + "Email 2 60; Display 1 10; Organic Social 1 30; Unattributed 1 10",
			by: map[string]string{"medium": "first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, shapley: " +
				"email 2 60; display 1 10; social 1 30; Unattributed 1 10"},
		}},
		reports: map[string]string{
			// Now b has its touch, and a both of its own, 50 days apart: position is as linear, and 2^(-50/7) is no fraction.
			// markov: five paths, all convert. Start → Email 4/5: of four steps out of Email one leads to Display, three to
			// conversion. R(Email) = 4/5, R(Display) = R(Organic Social) = 1/5. Of the value 110: Email
			// (3/4 × 70/3 + 1/4 × 10) × 4/5 = 16 of 22, Display 2 of 22, Organic Social 6 of 22; together 24.
			"--lookback 96d": `first: Email 4 80; Organic Social 1 30
				last, last_non_direct: Email 3 70; Display 1 10; Organic Social 1 30
				linear, position, w_shaped, full_path, shapley: Email 7/2 75; Display 1/2 5; Organic Social 1 30
				markov: Email 10/3 220/3; Display 5/6 55/6; Organic Social 5/6 55/2`,
		},
	}
}

// buyingCenter: acme decides over Organic Search (Eve), Email (Max), Paid Search (Pia), Direct (Eve), Referral (Pia), whole
// weeks before the signature: 8, 6, 4, 3 and 1, so their weights are 1, 4, 16, 32 and 128 of 181. Lead: Email. Opportunity:
// Direct. Quin is an account of one: first touch and lead on Affiliates, opportunity and closing on Display.
func buyingCenter() history {
	signed := func(user string, amount float64) map[string]any {
		return reported(at(57, "10:00"), user, "Contract Signed", map[string]any{"amount": amount, "currency": "EUR"})
	}
	opened := map[string]any{"source": "crm", "medium": "email"}
	return history{
		about: "three people of a buying center, one of whom signs; milestones, and who lacks them",
		settings: "conversions: [{ event: Contract Signed, value: amount }], " +
			"milestones: { lead: Lead Qualified, opportunity: Opportunity Created }, traits: { role: job }",
		messages: []map[string]any{
			page(at(1, "10:00"), "e", "/", google),
			browser("identify", at(1, "10:05"), "e", map[string]any{"userId": "eve", "traits": map[string]any{"job": "engineer"}}),
			member(at(8, "10:00"), "eve", "acme"), // after her first touch
			known("eve", page(at(36, "10:00"), "e", "/pricing", "")),
			from(opened, reported(at(20, "10:00"), "eve", "Email Opened", nil)), // not configured: no touch
			member(at(10, "10:00"), "max", "acme"),                              // before his first touch
			page(at(15, "10:00"), "m", "/paper?utm_source=crm&utm_medium=email", ""),
			identify(at(15, "10:01"), "m", "max"),
			reported(at(16, "10:00"), "max", "Lead Qualified", nil),
			reported(at(37, "10:00"), "max", "Opportunity Created", nil),
			page(at(29, "10:00"), "p", "/pricing?utm_source=google&utm_medium=cpc&gclid=P1", google),
			identify(at(29, "10:01"), "p", "pia"),
			member(at(30, "10:00"), "pia", "acme"),
			known("pia", page(at(50, "10:00"), "p", "/", blog)),
			signed("pia", 1000),
			page(at(36, "10:00"), "q", "/?utm_source=n&utm_medium=affiliate", ""),
			identify(at(36, "10:05"), "q", "quin"),
			reported(at(37, "10:00"), "quin", "Lead Qualified", nil),
			known("quin", visit(at(43, "10:00"), "q", "display", "")),
			reported(at(44, "10:00"), "quin", "Opportunity Created", nil),
			signed("quin", 200),
		},
		outcomes: []outcome{
			{
				// Pia by herself has reached no milestone: position. Her touches are three weeks apart, weights 1 and 8.
				// markov: four paths, two convert, R = 1/2 for each of four channels; of the value 1000/1200 for two, 200/1200.
				flags: "--level person",
				journeys: []string{
					"eve null: Organic Search (0)", "eve pending: Direct (0)", "max null: Email (0)",
					"pia converted: Paid Search > Referral (1000)", "quin converted: Affiliates > Display (200)",
				},
				credit: `first: Paid Search 1 1000; Affiliates 1 200
					last, last_non_direct: Referral 1 1000; Display 1 200
					linear, position, full_path, markov, shapley: Paid Search .5 500; Referral .5 500; Affiliates .5 100; Display .5 100
					w_shaped: Paid Search .5 500; Referral .5 500; Affiliates 2/3 400/3; Display 1/3 200/3
					time_decay: Paid Search 1/9 1000/9; Referral 8/9 8000/9; Affiliates 1/3 200/3; Display 2/3 400/3`,
				by: map[string]string{"landing_page": `first: /pricing 1 1000; / 1 200
					linear, shapley, position, full_path: /pricing .5 500; / 1.5 700
					last: / 2 1200`},
			},
			{
				// markov: both paths convert. R = 1/2 for each of seven channels, ΣR = 7/2. Of the value 5/6 for each of acme's
				// five, 1/6 for the two of Quin, sum 9/2.
				flags:    "--level account",
				journeys: []string{"acme converted: Organic Search > Email > Paid Search > Direct > Referral (1000)", "quin converted: Affiliates > Display (200)"},
				credit: `first: Organic Search 1 1000; Affiliates 1 200
					last, last_non_direct: Referral 1 1000; Display 1 200
					linear, shapley, markov split: Organic Search .2 200; Email .2 200; Paid Search .2 200; Direct .2 200; Referral .2 200; Affiliates .5 100; Display .5 100
					position: Organic Search .4 400; Email 1/15 200/3; Paid Search 1/15 200/3; Direct 1/15 200/3; Referral .4 400; Affiliates .5 100; Display .5 100
					w_shaped: Organic Search .3 300; Email .3 300; Paid Search .05 50; Direct .3 300; Referral .05 50; Affiliates 2/3 400/3; Display 1/3 200/3
					full_path: Organic Search .225 225; Email .225 225; Paid Search .1 100; Direct .225 225; Referral .225 225; Affiliates .5 100; Display .5 100
					time_decay: Organic Search 1/181 1000/181; Email 4/181 4000/181; Paid Search 16/181 16000/181; Direct 32/181 32000/181; Referral 128/181 128000/181; Affiliates 1/3 200/3; Display 2/3 400/3
					markov: Organic Search 2/7 2000/9; Email 2/7 2000/9; Paid Search 2/7 2000/9; Direct 2/7 2000/9; Referral 2/7 2000/9; Affiliates 2/7 400/9; Display 2/7 400/9`,
				by: map[string]string{"landing_page": `first, last, last_non_direct: / 2 1200
					linear, shapley: / 1.4 600; /paper .2 200; /pricing .4 400
					position: / 1.8 1000; /paper 1/15 200/3; /pricing 2/15 400/3
					w_shaped: / 1.35 550; /paper .3 300; /pricing .35 350
					full_path: / 1.45 650; /paper .225 225; /pricing .325 325
					time_decay: / 310/181 165200/181; /paper 4/181 4000/181; /pricing 48/181 48000/181`},
			},
		},
		tables: map[string]string{
			"SELECT person, account, role FROM persons":    `('eve','acme','engineer') ('max','acme','') ('pia','acme','') ('quin','','')`,
			"SELECT account, people, events FROM accounts": `('acme',3,15)`,
		},
	}
}

// memberships: Kim's touches count for north, which she joins first, until she joins south. Lou joins south 100 days after
// the first touch, so that one is of an account of one; west is what the events say themselves.
func memberships() history {
	return history{
		about: "an account joined later, or too late; one after the other; events that name their own",
		messages: []map[string]any{
			visit(at(1, "10:00"), "k", "email", "spring"),
			identify(at(1, "10:05"), "k", "kim"),
			member(at(8, "10:00"), "kim", "north"),
			known("kim", visit(at(15, "10:00"), "k", "display", "spring")),
			member(at(22, "10:00"), "kim", "south"),
			known("kim", visit(at(29, "10:00"), "k", "affiliate", "autumn")),
			reported(at(36, "10:00"), "kim", "Order Completed", map[string]any{"order_id": "k1", "revenue": 70, "currency": "EUR"}),
			visit(at(1, "10:00"), "l", "email", "spring"),
			identify(at(1, "10:05"), "l", "lou"),
			ofAccount("west", reported(at(92, "10:00"), "lou", "Touchpoint", map[string]any{"channel": "Trade Fairs", "campaign": "expo"})),
			known("lou", visit(at(99, "10:00"), "l", "display", "autumn")),
			member(at(101, "10:00"), "lou", "south"),
			ofAccount("west", reported(at(106, "10:00"), "lou", "Order Completed", map[string]any{"order_id": "l1", "revenue": 40, "currency": "EUR"})),
		},
		outcomes: []outcome{
			{
				// time_decay: Kim's touches are two weeks apart, weights 1, 4, 16; Lou's one week.
				// markov: start → Email 2/3, → Trade Fairs 1/3. Email → Display or null, half each; Trade Fairs → Display;
				// Display → Affiliates or conversion, half each. P = 2/3. Without Email or without Trade Fairs 1/3, without
				// Affiliates 1/3, without Display 0: R = 1/2, 1/2, 1/2, 1. Display earns 40 and Affiliates 70: a walk is worth
				// 2/3 × 55, without Affiliates 2/3 × 20, so R of the value is 1/2, 1/2, 7/11, 1, the sum 29/11.
				flags:    "--level person",
				journeys: []string{"kim converted: Email > Display > Affiliates (70)", "lou converted: Trade Fairs > Display (40)", "lou null: Email (0)"},
				credit: `first: Email 1 70; Trade Fairs 1 40
					last, last_non_direct: Affiliates 1 70; Display 1 40
					linear, shapley: Email 1/3 70/3; Display 5/6 130/3; Affiliates 1/3 70/3; Trade Fairs .5 20
					position, w_shaped, full_path: Email .4 28; Display .7 34; Affiliates .4 28; Trade Fairs .5 20
					time_decay: Email 1/21 10/3; Display 6/7 40; Affiliates 16/21 160/3; Trade Fairs 1/3 40/3
					markov: Email .4 605/29; Display .8 1210/29; Affiliates .4 770/29; Trade Fairs .4 605/29
					markov split: Email .25 17.5; Display 7/6 185/3; Affiliates .25 17.5; Trade Fairs 1/3 40/3`,
				by: map[string]string{"campaign": `first: spring 1 70; expo 1 40
					last, last_non_direct: autumn 2 110
					linear, shapley: spring 2/3 140/3; autumn 5/6 130/3; expo .5 20
					position, w_shaped, full_path: spring .6 42; autumn .9 48; expo .5 20
					time_decay: spring 5/21 50/3; autumn 10/7 80; expo 1/3 40/3`},
			},
			{
				// markov: four paths of one channel (Email > Display is a null, Email too), R(Affiliates) = R(Trade Fairs) = 1/2.
				flags: "--level account",
				journeys: []string{
					"lou null: Email (0)", "north null: Email > Display (0)", "south converted: Affiliates (70)", "south pending: Display (0)",
					"west converted: Trade Fairs (40)",
				},
				credit: everyModel + "Affiliates 1 70; Trade Fairs 1 40",
				by: map[string]string{"campaign": "first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, shapley: " +
					"autumn 1 70; expo 1 40"},
			},
		},
		reports: map[string]string{
			// Paths of campaigns: spring > spring > autumn, expo > autumn, and spring for nothing. P = 2/3; R(spring) = R(expo) =
			// 1/2, R(autumn) = 1, also of the value, because all of it ends in autumn. shapley splits both journeys in two.
			"--by campaign": `first: spring 1 70; expo 1 40
				last, last_non_direct: autumn 2 110
				linear: spring 2/3 140/3; autumn 5/6 130/3; expo .5 20
				position, w_shaped, full_path: spring .6 42; autumn .9 48; expo .5 20
				time_decay: spring 5/21 50/3; autumn 10/7 80; expo 1/3 40/3
				markov: spring .5 27.5; autumn 1 55; expo .5 27.5
				shapley: spring .5 35; autumn 1 55; expo .5 20`,
			"--by campaign --level account": everyModel + "autumn 1 70; expo 1 40",
			// The memberships hold, the touches on days 15 and 92 are too old: two conversions with one touch each, and the path of
			// west has none.
			"--lookback 10d --level account": everyModel + "Affiliates 1 70; Unattributed 1 40",
		},
		tables: map[string]string{
			"SELECT person, account FROM persons":                          `('kim','south') ('lou','south')`,
			"SELECT account, people FROM accounts":                         `('north',1) ('south',2) ('west',1)`,
			"SELECT person, channel, account FROM touchpoints":             `('kim','Affiliates','south') ('kim','Display','north') ('kim','Email','north') ('lou','Display','south') ('lou','Email','') ('lou','Trade Fairs','west')`,
			"SELECT order_id, account, conversion_number FROM conversions": `('k1','south',1) ('l1','west',1)`,
		},
	}
}

// impressions has two kinds of conversion. The touches of Ann's order are two weeks apart, weights 1 and 4.
func impressions() history {
	mail := map[string]any{"source": "crm", "medium": "email", "name": "news"}
	banner := map[string]any{"source": "adnet", "medium": "display"}
	return history{
		about:    "impressions count where configured, and two kinds of conversion",
		settings: "conversions: [{ event: Order Completed, value: revenue }, { event: Signup, value: worth }], touches: [Email Opened]",
		messages: []map[string]any{
			from(mail, reported(at(1, "10:00"), "ann", "Email Opened", nil)),
			from(banner, reported(at(8, "09:00"), "ann", "Ad Viewed", nil)),
			reported(at(8, "10:00"), "ann", "Signup", map[string]any{"worth": 3, "currency": "EUR"}),
			page(at(15, "10:00"), "a", "/", google),
			identify(at(15, "10:05"), "a", "ann"),
			order(at(15, "10:10"), "a", "o1", 20),
			from(mail, reported(at(15, "10:00"), "bob", "Email Opened", nil)),
		},
		outcomes: []outcome{
			{
				journeys: []string{"ann converted: Email > Organic Search (20)", "bob pending: Email (0)"},
				credit: `first: Email 1 20
					last, last_non_direct: Organic Search 1 20
					linear, position, w_shaped, full_path, markov, shapley: Email .5 10; Organic Search .5 10
					time_decay: Email .2 4; Organic Search .8 16`,
				by: map[string]string{"campaign": "first: news 1 20\nlast:  1 20\nlinear, position: news .5 10;  .5 10"},
			},
			{
				flags:    "--conversion Signup",
				journeys: []string{"ann converted: Email (3)", "ann pending: Organic Search (0)", "bob pending: Email (0)"},
				credit:   everyModel + "Email 1 3",
				by:       map[string]string{"source": "first, last, linear: crm 1 3"},
			},
		},
		tables: map[string]string{
			"SELECT kind, person, channel FROM touchpoints":          `('impression','ann','Email') ('impression','bob','Email') ('session','ann','Organic Search')`,
			"SELECT kind, value, conversion_number FROM conversions": `('Order Completed',20,1) ('Signup',3,1)`,
		},
	}
}

// currencies: 2 January 2026 is a Friday. Every conversion has one touch, and the paths one channel, so R is its part of the
// conversions, or of the value.
func currencies() history {
	bought := func(day int, clock, id, currency string, revenue float64) map[string]any {
		return reported(at(day, clock), "ann", "Order Completed", map[string]any{"order_id": id, "revenue": revenue, "currency": currency})
	}
	january := func(day int32, quoted string) collector.ExchangeRate {
		return collector.ExchangeRate{Day: int32(at(1, "00:00").Unix()/86400) + day - 1, Currency: "USD", Base: "EUR", Quoted: quoted}
	}
	return history{
		about:    "an order at the rate of its day, at that of Friday, refunded later, and without a rate",
		settings: "currency: EUR",
		rates:    []collector.ExchangeRate{january(2, "0.8"), january(5, "0.75")},
		messages: []map[string]any{
			visit(at(1, "10:00"), "a", "email", "x"),
			identify(at(1, "10:01"), "a", "ann"),
			bought(2, "10:00", "o1", "USD", 100), // 80
			known("ann", visit(at(3, "10:00"), "a", "display", "y")),
			bought(4, "10:00", "o2", "USD", 50), // on Sunday: 40
			known("ann", visit(at(5, "10:00"), "a", "affiliate", "x")),
			bought(5, "13:00", "o3", "USD", 40), // 30, and 22.50 after the refund, at the rate of the order's day
			reported(at(20, "09:00"), "ann", "Order Refunded", map[string]any{"order_id": "o3", "revenue": 10, "currency": "USD"}),
			known("ann", page(at(20, "10:00"), "a", "/", blog)),
			bought(20, "10:10", "o4", "USD", 10), // the rate is more than a week old
			known("ann", order(at(20, "10:20"), "a", "o5", 6)),
			bought(20, "10:25", "o6", "GBP", 10), // a server's, so in no session: no touch is left
		},
		outcomes: []outcome{{
			journeys: []string{
				"ann converted:  (0)", "ann converted: Affiliates (22.5)", "ann converted: Display (40)", "ann converted: Email (80)",
				"ann converted: Referral (0)", "ann converted: Referral (6)",
			},
			credit: everyModel + "Email 1 80; Display 1 40; Affiliates 1 22.5; Referral 2 6; Unattributed 1 0",
			by: map[string]string{"campaign": "first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, shapley: " +
				"x 2 102.5; y 1 40;  2 6; Unattributed 1 0"},
		}},
		reports: map[string]string{
			"--gross":                               everyModel + "Email 1 80; Display 1 40; Affiliates 1 30; Referral 2 6; Unattributed 1 0",
			"--customers new":                       everyModel + "Email 1 80",
			"--customers returning --level account": everyModel + "Display 1 40; Affiliates 1 22.5; Referral 2 6; Unattributed 1 0",
			// Email and Display come a day before, and Referral of o5 is inherited whatever the lookback.
			"--lookback 20h --gross": everyModel + "Affiliates 1 30; Referral 2 6; Unattributed 3 120",
		},
		tables: map[string]string{
			"SELECT order_id, amount, refunded, currency, value, gross, rated FROM conversions": `('o1',100,0,'USD',80,80,true) ('o2',50,0,'USD',40,40,true) ('o3',40,10,'USD',22.5,30,true) ('o4',10,0,'USD',0,0,false) ('o5',6,0,'EUR',6,6,true) ('o6',10,0,'GBP',0,0,false)`,
		},
	}
}

// withdrawnNull: start → Email 2/3, → Display 1/3. Email → conversion or Display, half each; Display → conversion or null, half
// each. P = 2/3 × 3/4 + 1/3 × 1/2 = 2/3, without Email 1/6, without Display 1/3: R = 3/4, 1/2. Email earns 10 and Display 20:
// a walk is worth 10, without either of them 10/3: R of the value is 2/3 for both.
func withdrawnNull() history {
	return history{
		about: "nulls, one of which a later conversion withdraws, and a journey that is open",
		earlier: []map[string]any{
			visit(at(1, "10:00"), "u", "email", "x"),
			visit(at(1, "10:00"), "v", "display", "x"),
			visit(at(39, "10:00"), "w", "email", "x"),
			reported(at(40, "10:00"), "", "Stock Counted", nil),
		},
		earlierJourneys: []string{"u null: Email (0)", "v null: Display (0)", "w pending: Email (0)"},
		messages: []map[string]any{
			order(at(50, "10:00"), "u", "u1", 10),
			visit(at(8, "10:00"), "y", "email", "x"),
			visit(at(15, "10:00"), "y", "display", "x"),
			order(at(36, "10:00"), "y", "y1", 20),
		},
		outcomes: []outcome{{
			journeys: []string{"u converted: Email (10)", "v null: Display (0)", "w pending: Email (0)", "y converted: Email > Display (20)"},
			credit: `first: Email 2 30
				last, last_non_direct: Email 1 10; Display 1 20
				linear, position, w_shaped, full_path, shapley: Email 1.5 20; Display .5 10
				time_decay: Email 4/3 50/3; Display 2/3 40/3
				markov: Email 1.2 15; Display .8 15
				markov split: Email 1.6 22; Display .4 8`,
			by: map[string]string{"campaign": "first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, shapley: x 2 30"},
		}},
		reports: map[string]string{
			// Day 36 is 5 February, and v's null ended on day 31. start → Email 1/2, → Display 1/2; Email → Display; P = 1/2, without
			// Email 1/4, without Display 0.
			"--to 2026-02-05": `first: Email 1 20
				last, last_non_direct: Display 1 20
				linear, position, w_shaped, full_path, shapley: Email .5 10; Display .5 10
				time_decay: Email 1/3 20/3; Display 2/3 40/3
				markov: Email 1/3 20/3; Display 2/3 40/3`,
		},
	}
}

// unlinked: Bob once logged in on Ann's tablet. With that undone, all but his own event goes to whom the tablet is linked
// to next: Ann, until he really gets it.
func unlinked() history {
	return history{
		about:   "a login on somebody else's device is undone, a later one counts",
		unlinks: []store.Unlinked{{Device: "tab", User: "bob", At: at(30, "10:00"), Reason: "lent"}},
		messages: []map[string]any{
			visit(at(1, "10:00"), "tab", "email", "x"),
			identify(at(1, "10:05"), "tab", "ann"),
			visit(at(8, "10:00"), "tab", "display", "y"),
			identify(at(8, "10:05"), "tab", "bob"),
			visit(at(15, "10:00"), "tab", "affiliate", "x"),
			identify(at(15, "10:05"), "tab", "ann"),
			reported(at(22, "10:00"), "ann", "Order Completed", map[string]any{"order_id": "o1", "revenue": 90, "currency": "EUR"}),
			page(at(36, "10:00"), "tab", "/", blog),
			identify(at(36, "10:05"), "tab", "bob"),
		},
		outcomes: []outcome{{
			journeys: []string{"ann converted: Email > Display > Affiliates (90)", "bob pending: Referral (0)"},
			credit: `first: Email 1 90
				last, last_non_direct: Affiliates 1 90
				linear, markov, shapley: Email 1/3 30; Display 1/3 30; Affiliates 1/3 30
				position, w_shaped, full_path: Email .4 36; Display .2 18; Affiliates .4 36
				time_decay: Email 1/7 90/7; Display 2/7 180/7; Affiliates 4/7 360/7`,
			by: map[string]string{"campaign": `first, last, last_non_direct: x 1 90
				linear, shapley: x 2/3 60; y 1/3 30
				position, w_shaped, full_path: x .8 72; y .2 18
				time_decay: x 5/7 450/7; y 2/7 180/7`},
		}},
		tables: map[string]string{
			"SELECT user_id, first_seen, last_seen, events FROM identities": `('ann','2026-01-01 10:05:00.000','2026-01-15 10:05:00.000',2) ('bob','2026-02-05 10:05:00.000','2026-02-05 10:05:00.000',1)`,
			"SELECT person, events, devices FROM persons":                   `('ann',6,1) ('bob',3,1)`,
		},
	}
}

// signedLinks: clicks happen when the server sees them, so times count from now, and time_decay has a half-life that leaves
// nothing to a touch a week before. markov: start → Display or Email, half each; Display → Email. P = 1; R = 1/2, 1, also of
// the value, all of which ends in Email.
func signedLinks() history {
	return history{
		about:    "a click that a session follows is one touch, as is one that nothing follows",
		settings: "link_secret: sixteen bytes ok, models: { half_life: 1h }",
		follows: func(t *testing.T, s *server, project string) []map[string]any {
			mail := linkCommand{To: "https://shop.example/sale", Source: "news", Medium: "email", Campaign: "spring", UID: "ann"}
			location := s.click(t, project, desktop, mail)
			mail.UID = "bob"
			s.click(t, project, desktop, mail)
			start := time.Now().Add(time.Second)
			bought := func(user string, revenue float64) map[string]any {
				return reported(start.Add(5*time.Minute), user, "Order Completed", map[string]any{"revenue": revenue, "currency": "EUR"})
			}
			return []map[string]any{
				visit(start.AddDate(0, 0, -7), "d", "display", "winter"),
				landed(t, start, "d", location, "https://mail.google.com/mail/u/0/"),
				identify(start.Add(time.Minute), "d", "ann"),
				bought("ann", 9), bought("bob", 6),
			}
		},
		outcomes: []outcome{{
			journeys: []string{"ann converted: Display > Email (9)", "bob converted: Email (6)"},
			credit: `first: Display 1 9; Email 1 6
				last, last_non_direct, time_decay: Email 2 15
				linear, position, w_shaped, full_path, shapley: Display .5 4.5; Email 1.5 10.5
				markov: Display 2/3 5; Email 4/3 10
				markov split: Display 1/3 3; Email 5/3 12`,
			by: map[string]string{"campaign": `first: winter 1 9; spring 1 6
				last, last_non_direct, time_decay: spring 2 15
				linear, position, w_shaped, full_path, shapley: winter .5 4.5; spring 1.5 10.5`},
		}},
		tables: map[string]string{
			"SELECT kind, person, channel, landing_page FROM touchpoints": `('link','bob','Email','/sale') ('session','ann','Display','/') ('session','ann','Email','/sale')`,
		},
	}
}
