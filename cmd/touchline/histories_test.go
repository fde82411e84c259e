package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// The histories here go the whole way, from HTTP requests to tables, and what is expected of them was computed by
// hand. Times are written as day and clock, in 2026 from 1 January, UTC.

// history is what happened in one project, and what attribution must make of it.
type history struct {
	about    string
	messages []map[string]any
	journeys []string                     // "state: channels (value)", sorted
	credit   map[string]map[string]credit // by model and channel
}

type credit struct{ conversions, value float64 }

func at(day int, clock string) time.Time {
	t, err := time.Parse("15:04:05.000", clock+"00:00:00.000"[len(clock):])
	if err != nil {
		panic(err)
	}
	return time.Date(2026, 1, day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

const desktop = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

var sequence int

// browser is a message as a page's script sends it.
func browser(typ string, when time.Time, device string, more map[string]any) map[string]any {
	sequence++
	m := map[string]any{
		"type": typ, "messageId": fmt.Sprintf("m%d", sequence), "anonymousId": device,
		"timestamp": when.Format("2006-01-02T15:04:05.000Z"),
	}
	maps.Copy(m, more)
	return inContext(m, nil)
}

// inContext gives a message the context of a page's script, and more.
func inContext(m, more map[string]any) map[string]any {
	c := map[string]any{"library": map[string]any{"name": "analytics.js", "version": "1"}, "userAgent": desktop}
	maps.Copy(c, more)
	m["context"] = c
	return m
}

// page is a page view; ref is the referrer, "" for none.
func page(when time.Time, device, path, ref string) map[string]any {
	return inContext(browser("page", when, device, nil), map[string]any{
		"page": map[string]any{"url": "https://shop.example" + path, "referrer": ref},
	})
}

// from is a message of a visit of which the script remembers the campaign.
func from(campaign, m map[string]any) map[string]any {
	c, _ := m["context"].(map[string]any) // as inContext has made it
	c["campaign"] = campaign
	return m
}

func identify(when time.Time, device, user string) map[string]any {
	return browser("identify", when, device, map[string]any{"userId": user})
}

// known is a message of a device whose user the script remembers.
func known(user string, m map[string]any) map[string]any {
	m["userId"] = user
	return m
}

// order is a purchase seen by the page's script.
func order(when time.Time, device, id string, revenue float64) map[string]any {
	return browser("track", when, device, map[string]any{
		"event": "Order Completed", "properties": map[string]any{"order_id": id, "revenue": revenue, "currency": "EUR"},
	})
}

// reported is what a server reports of a user.
func reported(when time.Time, user, event string, properties map[string]any) map[string]any {
	m := browser("track", when, "", map[string]any{"userId": user, "event": event, "properties": properties})
	delete(m, "anonymousId")
	m["context"] = map[string]any{"library": map[string]any{"name": "analytics-node", "version": "1"}}
	return m
}

const (
	google   = "https://www.google.com/"
	facebook = "https://www.facebook.com/"
	blog     = "https://blog.example.org/post"
)

// everyModel is the credit where all models agree.
func everyModel(credits map[string]credit) map[string]map[string]credit {
	all := map[string]map[string]credit{}
	for _, m := range []string{"first", "last", "last_non_direct", "linear", "position", "markov", "shapley"} {
		all[m] = credits
	}
	return all
}

func histories() []history {
	third := map[string]credit{
		"Organic Search": {1. / 3, 100. / 3}, "Paid Search": {1. / 3, 100. / 3}, "Direct": {1. / 3, 100. / 3},
	}
	return []history{
		{
			about: "one buyer, three sessions; another visitor is still on the way",
			messages: []map[string]any{
				page(at(1, "10:00"), "a", "/", google),
				page(at(3, "10:00"), "a", "/shoes?utm_source=google&utm_medium=cpc&gclid=G1", google),
				page(at(3, "10:05"), "a", "/shoes/red", "https://shop.example/shoes"),
				page(at(5, "10:00"), "a", "/", ""),
				order(at(5, "10:10"), "a", "o1", 100),
				page(at(5, "12:00"), "b", "/", google),
			},
			journeys: []string{"converted: Organic Search > Paid Search > Direct (100)", "pending: Organic Search (0)"},
			credit: map[string]map[string]credit{
				"first": {"Organic Search": {1, 100}}, "last": {"Direct": {1, 100}},
				"linear": third, "markov": third, "shapley": third,
				"last_non_direct": {"Paid Search": {1, 100}},
				"position":        {"Organic Search": {.4, 40}, "Paid Search": {.2, 20}, "Direct": {.4, 40}},
			},
		},
		{
			// The textbook example: P(conversion) = 1/3, removal effects 1/2, 1, 1.
			about: "three journeys, one of which converts",
			messages: []map[string]any{
				page(at(1, "10:00"), "a", "/", google),
				page(at(2, "10:00"), "a", "/", facebook),
				page(at(3, "10:00"), "a", "/", blog),
				order(at(3, "10:10"), "a", "o1", 1),
				page(at(1, "10:00"), "b", "/", google),
				page(at(1, "10:00"), "c", "/", facebook),
				page(at(2, "10:00"), "c", "/", blog),
				reported(at(60, "10:00"), "", "Stock Counted", nil), // moves as-of; without an id it is in no journey
			},
			journeys: []string{
				"converted: Organic Search > Organic Social > Referral (1)",
				"null: Organic Search (0)", "null: Organic Social > Referral (0)",
			},
			credit: map[string]map[string]credit{
				"first": {"Organic Search": {1, 1}}, "last": {"Referral": {1, 1}},
				"linear":  {"Organic Search": {1. / 3, 1. / 3}, "Organic Social": {1. / 3, 1. / 3}, "Referral": {1. / 3, 1. / 3}},
				"shapley": {"Organic Search": {1. / 3, 1. / 3}, "Organic Social": {1. / 3, 1. / 3}, "Referral": {1. / 3, 1. / 3}},
				"markov":  {"Organic Search": {.2, .2}, "Organic Social": {.4, .4}, "Referral": {.4, .4}},

				"last_non_direct": {"Referral": {1, 1}},
				"position":        {"Organic Search": {.4, .4}, "Organic Social": {.2, .2}, "Referral": {.4, .4}},
			},
		},
		{
			about: "two devices of one user, a shared device, users joined by alias",
			messages: []map[string]any{
				page(at(1, "10:00"), "phone", "/?utm_source=facebook&utm_medium=paid_social", ""),
				identify(at(1, "10:05"), "phone", "ann"),
				page(at(3, "10:00"), "desk", "/?utm_source=news&utm_medium=email", ""),
				identify(at(3, "10:05"), "desk", "ann"),
				known("ann", order(at(3, "10:10"), "desk", "o1", 60)),
				page(at(4, "10:00"), "desk", "/", ""), // belongs to who the device is linked to next
				identify(at(4, "10:05"), "desk", "ben"),
				known("ben", order(at(4, "10:10"), "desk", "o2", 30)),
				page(at(2, "10:00"), "old", "/?utm_source=p&utm_medium=affiliate", ""),
				identify(at(2, "10:05"), "old", "cleo@old.example"),
				browser("alias", at(5, "10:00"), "", map[string]any{"userId": "cleo", "previousId": "cleo@old.example"}),
				reported(at(6, "10:00"), "cleo", "Order Completed", map[string]any{"order_id": "o3", "revenue": "10", "currency": "eur"}),
			},
			journeys: []string{"converted: Affiliates (10)", "converted: Direct (30)", "converted: Paid Social > Email (60)"},
			credit: map[string]map[string]credit{
				"first":  {"Paid Social": {1, 60}, "Direct": {1, 30}, "Affiliates": {1, 10}},
				"last":   {"Email": {1, 60}, "Direct": {1, 30}, "Affiliates": {1, 10}},
				"linear": {"Paid Social": {.5, 30}, "Email": {.5, 30}, "Direct": {1, 30}, "Affiliates": {1, 10}},

				"last_non_direct": {"Email": {1, 60}, "Direct": {1, 30}, "Affiliates": {1, 10}},
				"position":        {"Paid Social": {.5, 30}, "Email": {.5, 30}, "Direct": {1, 30}, "Affiliates": {1, 10}},
				"shapley":         {"Paid Social": {.5, 30}, "Email": {.5, 30}, "Direct": {1, 30}, "Affiliates": {1, 10}},
				// Every path converts, each is a third: all four removal effects are 1/3. Those of the value are
				// 60/100 for Paid Social and for Email, 30/100, 10/100; their sum is 1.6.
				"markov": {
					"Paid Social": {.75, 37.5}, "Email": {.75, 37.5}, "Direct": {.75, 18.75}, "Affiliates": {.75, 6.25},
				},
			},
		},
		{
			about: "an order seen twice and refunded in part, a second one in the session, one without touches, one in dollars",
			messages: []map[string]any{
				page(at(1, "10:00"), "a", "/", blog),
				identify(at(1, "10:01"), "a", "ann"),
				order(at(1, "10:05"), "a", "o1", 100),
				reported(at(1, "10:06"), "ann", "Order Completed", map[string]any{"order_id": "o1", "revenue": 90, "currency": "EUR"}),
				order(at(1, "10:20"), "a", "o2", 40),
				reported(at(9, "10:00"), "ann", "Order Refunded", map[string]any{"order_id": "o1", "revenue": 20}),
				reported(at(120, "10:00"), "ann", "Order Completed", map[string]any{"order_id": "o3", "revenue": 5, "currency": "EUR"}),
				reported(at(121, "10:00"), "ann", "Order Completed", map[string]any{"order_id": "o4", "revenue": 7, "currency": "USD"}),
				reported(at(122, "10:00"), "ann", "Order Completed", map[string]any{"order_id": "o5", "revenue": 8, "currency": "EUR"}),
				reported(at(123, "10:00"), "ann", "Order Cancelled", map[string]any{"order_id": "o5"}),
			},
			journeys: []string{
				"converted:  (0)", "converted:  (0)", "converted:  (5)", "converted: Referral (40)", "converted: Referral (70)",
			},
			credit: everyModel(map[string]credit{"Referral": {2, 110}, "Unattributed": {3, 5}}),
		},
		{
			about: "what starts a session and what does not",
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
			journeys: []string{"converted: Email > Paid Search > Direct > Trade Fairs (8)"},
			credit: map[string]map[string]credit{
				"first": {"Email": {1, 8}}, "last": {"Trade Fairs": {1, 8}},
				"linear":  {"Email": {.25, 2}, "Paid Search": {.25, 2}, "Direct": {.25, 2}, "Trade Fairs": {.25, 2}},
				"markov":  {"Email": {.25, 2}, "Paid Search": {.25, 2}, "Direct": {.25, 2}, "Trade Fairs": {.25, 2}},
				"shapley": {"Email": {.25, 2}, "Paid Search": {.25, 2}, "Direct": {.25, 2}, "Trade Fairs": {.25, 2}},

				"last_non_direct": {"Trade Fairs": {1, 8}},
				"position":        {"Email": {.4, 3.2}, "Paid Search": {.1, .8}, "Direct": {.1, .8}, "Trade Fairs": {.4, 3.2}},
			},
		},
		{
			about: "a script that repeats the visit's campaign and click id: still one session",
			messages: func() []map[string]any {
				clicked := map[string]any{"source": "google", "medium": "cpc", "name": "may", "click_id": "G1", "click_id_type": "gclid"}
				return []map[string]any{
					from(clicked, page(at(1, "10:00"), "a", "/?utm_source=google&utm_medium=cpc&utm_campaign=may&gclid=G1", google)),
					from(clicked, page(at(1, "10:05"), "a", "/red", "https://shop.example/")),
					from(clicked, order(at(1, "10:10"), "a", "o1", 8)),
				}
			}(),
			journeys: []string{"converted: Paid Search (8)"},
			credit:   everyModel(map[string]credit{"Paid Search": {1, 8}}),
		},
		{
			about: "the lookback's edge, journeys that ended, a conversion that begins the next journey",
			messages: []map[string]any{
				page(at(1, "10:00"), "a", "/?utm_source=n&utm_medium=email", ""), // 95 days before
				page(at(51, "10:00"), "a", "/?utm_source=n&utm_medium=display", ""),
				order(at(96, "10:00"), "a", "a1", 10),
				page(at(1, "10:00"), "b", "/?utm_source=n&utm_medium=email", ""), // 90 days before: too old
				order(at(91, "10:00"), "b", "b1", 10),
				page(at(1, "10:00:00.001"), "c", "/?utm_source=n&utm_medium=email", ""), // a millisecond less
				order(at(91, "10:00"), "c", "c1", 10),
				page(at(61, "10:00"), "d", "/", facebook),
				order(at(62, "10:00"), "d", "d1", 30),
				page(at(71, "10:00"), "d", "/?utm_source=n&utm_medium=email", ""),
				order(at(72, "10:00"), "d", "d2", 50),
			},
			journeys: []string{
				"converted:  (10)", "converted: Display (10)", "converted: Email (10)", "converted: Email (50)",
				"converted: Organic Social (30)", "null: Email (0)", "null: Email (0)",
			},
			// Markov: six journeys begin, four with Email, of which half convert. P(conversion) = 2/3; removal effects
			// 1/2, 1/4, 1/4; of the value 10/16.67, 1.67/16.67, 5/16.67.
			credit: everyModel(map[string]credit{
				"Email": {2, 60}, "Display": {1, 10}, "Organic Social": {1, 30}, "Unattributed": {1, 10},
			}),
		},
	}
}

func TestHistories(t *testing.T) {
	all := histories()
	var configuration strings.Builder
	configuration.WriteString("projects:\n")
	for i := range all {
		fmt.Fprintf(&configuration, "  - { id: h%d, write_keys: [k%d], privacy: { mode: full } }\n", i, i)
	}
	withServer(t, configuration.String(), func(ctx context.Context, s *server) {
		for i, h := range all {
			shuffled := slices.Clone(h.messages)
			slices.Reverse(shuffled) // the order of arrival means nothing
			s.post(t, fmt.Sprintf("k%d", i), shuffled)
			s.post(t, fmt.Sprintf("k%d", i), h.messages[:1]) // and a repeated message neither
		}
		if err := s.delivered(ctx); err != nil {
			t.Error(err)
			return
		}
		for i, h := range all {
			t.Run(h.about, func(t *testing.T) { checkHistory(t, s, fmt.Sprintf("h%d", i), h) })
		}
	})
}

func checkHistory(t *testing.T, s *server, project string, h history) {
	report, err := attributeAll(t.Context(), s.installation, project)
	if err != nil {
		t.Fatal(err)
	}
	got := s.column(t, "SELECT concat(state, ': ', arrayStringConcat(touches.channel, ' > '), ' (', toString(value), ')') AS j"+
		" FROM journeys WHERE project = '"+project+"' AND level = 'person' ORDER BY j")
	if !slices.Equal(got, h.journeys) {
		t.Errorf("journeys\n got  %q\n want %q", got, h.journeys)
	}
	for _, m := range report.Models {
		credits := map[string]credit{}
		for _, ch := range m.Names {
			if ch.Conversions != 0 || ch.Value != 0 {
				credits[ch.Name] = credit{ch.Conversions, ch.Value}
			}
		}
		checkCredit(t, m.Model+", reported", credits, h.credit[m.Model])
		checkCredit(t, m.Model+", table channel_credits", s.channelCredits(t, project, m.Model), h.credit[m.Model])
	}
	split := s.column(t, "SELECT concat(model, ' ', conversion_id) FROM credits WHERE project = '"+project+"'"+
		" GROUP BY project, kind, level, model, conversion_id HAVING sum(credit) != 1")
	if len(split) > 0 {
		t.Errorf("the credit of these conversions is not exactly 1: %q", split)
	}
}

func (s *server) column(t *testing.T, query string) []string {
	t.Helper()
	rows, err := s.db.Conn().Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	var column []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		column = append(column, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return column
}

func (s *server) channelCredits(t *testing.T, project, model string) map[string]credit {
	t.Helper()
	rows, err := s.db.Conn().Query(t.Context(), "SELECT name, toFloat64(sum(conversions)), toFloat64(sum(value))"+
		" FROM channel_credits WHERE project = ? AND model = ? AND level = 'person' AND dimension = 'channel' GROUP BY name", project, model)
	if err != nil {
		t.Fatal(err)
	}
	credits := map[string]credit{}
	for rows.Next() {
		var name string
		var c credit
		if err := rows.Scan(&name, &c.conversions, &c.value); err != nil {
			t.Fatal(err)
		}
		credits[name] = c
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return credits
}

func checkCredit(t *testing.T, what string, got, want map[string]credit) {
	t.Helper()
	// Values are kept in millionths; a channel's sum may be off by one of them for each touch.
	const unit = 2e-6
	same := maps.EqualFunc(got, want, func(a, b credit) bool {
		return abs(a.conversions-b.conversions) < 1e-9 && abs(a.value-b.value) < unit
	})
	if !same {
		t.Errorf("%s\n got  %v\n want %v", what, got, want)
	}
}

func abs(x float64) float64 { return max(x, -x) }
