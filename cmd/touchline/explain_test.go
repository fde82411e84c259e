package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/attribution/model"
)

// deal is the rows of a model for the conversion x1 of account acme.
func deal(model, search, whySearch, email, whyEmail string) []string {
	return []string{
		model + ",1,2026-01-05T10:00:00Z,2,Organic Search,google,organic,," + search + "," + whySearch + "\n",
		model + ",2,2026-01-06T10:00:00Z,1,Email,news,email,," + email + "," + whyEmail + "\n",
	}
}

// unattributed is the rows of a table for a conversion without touches.
func unattributed(value, why string) []string {
	var rows []string
	for _, m := range model.All() {
		rows = append(rows, fmt.Sprintf("%-15s      0                     Unattributed                              1.00  %s  %s\n", m.Name(), value, why))
	}
	return rows
}

func TestExplain(t *testing.T) {
	const (
		header   = "model,touch,time,days_before,channel,source,medium,campaign,credit,value,why\n"
		position = "; without both milestones the rule is that of position"
	)
	withReported(t, func(s *server) {
		for _, tt := range []struct {
			line, stdout, stderr string
			code                 int
		}{
			{
				// Markov: P(conversion) is 5/8, 27/56 without Email, 25/48 without Organic Search; the removal effects are
				// 8/35 and 1/6, the shares of both together 48/83 and 35/83.
				"a1 --kind Order|Completed", header +
					"first,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,1,100,the first touch\n" +
					"first,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0,0,not the first touch\n" +
					"last,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0,0,not the last touch\n" +
					"last,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,1,100,the last touch\n" +
					"last_non_direct,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0,0,not the last touch whose channel is not Direct\n" +
					"last_non_direct,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,1,100,the last touch whose channel is not Direct\n" +
					"linear,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0.5,50,one of 2 touches\n" +
					"linear,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0.5,50,one of 2 touches\n" +
					"position,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0.5,50,first: 50 %\n" +
					"position,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0.5,50,last: 50 %\n" +
					"w_shaped,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0.5,50,first: 50 %" + position + "\n" +
					"w_shaped,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0.5,50,last: 50 %" + position + "\n" +
					"full_path,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0.5,50,first: 50 %" + position + "\n" +
					"full_path,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0.5,50,last: 50 %" + position + "\n" +
					"time_decay,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0.450650674503,45.065067,0.5^(2 d ÷ 7 d) = 0.82 of 1.82\n" +
					"time_decay,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0.549349325497,54.934933,0.5^(10 min ÷ 7 d) = 0.999 of 1.82\n" +
					"markov,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0.421686746987,42.168674,removal effect of Organic Search: 0.167 of the touches' 0.395\n" +
					"markov,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0.578313253013,57.831326,removal effect of Email: 0.229 of the touches' 0.395\n" +
					"shapley,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0.5,50,one of 2 channels\n" +
					"shapley,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0.5,50,one of 2 channels\n",
				"shop, Order Completed, level person, as of 2026-06-01T10:00:00Z\n" +
					"conversion first of ann, order a1, number 1 of ann, at 2026-01-07T10:10:00Z, worth 100.00 EUR\n", 0,
			},
			{
				"first|of|eve --format json", `[
{"model":"first","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"last","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"last_non_direct","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"linear","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"position","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"w_shaped","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"full_path","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"time_decay","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"markov","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"shapley","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"}
]
`,
				"shop, Order Completed, level person, as of 2026-06-01T10:00:00Z\n" +
					"conversion first of eve, order e1, number 1 of eve, at 2026-02-02T10:00:00Z, worth 20.00 EUR after refunds of 5.00 EUR\n", 0,
			},
			{
				"h2 --format table", `model            touch  time  days_before  channel       source  medium  campaign  credit  value  why
first                0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
last                 0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
last_non_direct      0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
linear               0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
position             0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
w_shaped             0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
full_path            0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
time_decay           0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
markov               0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
shapley              0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
`,
				"shop, Order Completed, level person, as of 2026-06-01T10:00:00Z\n" +
					"conversion second of h, order h2, number 2 of h, at 2026-04-08T22:30:00Z, worth 30.00 EUR\n", 0,
			},
			{
				"of|nobody --project odd --format json", `[
{"model":"first","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"last","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"last_non_direct","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"linear","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"position","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"w_shaped","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"full_path","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"time_decay","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"markov","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"},
{"model":"shapley","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":10,"why":"the event names neither user nor device, so nobody's touches can have led to it"}
]
`,
				"odd, Order Completed, level person, as of 2026-02-03T10:00:00Z\n" +
					"conversion of nobody, of nobody known, at 2026-01-10T10:00:00Z, worth 10.00 EUR\n", 0,
			},
			{
				"a1", "", "touchline: order \"a1\" has conversions of the kinds \"Order Completed\", \"Signed Up\": choose one with --kind\n" +
					"touchline: see touchline --help\n", exitUsage,
			},
			{
				"nothing", "", `touchline: project "shop" has no conversion with the id or order id "nothing" among ` +
					"\"Order Completed\", \"Signed Up\" as of 2026-06-01T10:00:00Z\n", exitFailed,
			},
			{
				"b1 --kind Signed|Up", "", `touchline: project "shop" has no conversion with the id or order id "b1" among ` +
					"\"Signed Up\" as of 2026-06-01T10:00:00Z\n", exitFailed,
			},
			{
				"b1 --kind Signup", "", `touchline: --kind "Signup" is none of project "shop"; its configuration lists them under conversions` +
					"\ntouchline: see touchline --help\n", exitUsage,
			},
			{
				"a1 --project empty", "", `touchline: project "empty" has no journeys yet: run touchline attribute --project empty first` + "\n", exitFailed,
			},
			{
				// By account the touches of all of its people count, and the milestones that any of them reached.
				"x1 --project deal --level account", header + strings.Join(slices.Concat(
					deal("first", "1,100", "the first touch", "0,0", "not the first touch"),
					deal("last", "0,0", "not the last touch", "1,100", "the last touch"),
					deal("last_non_direct", "0,0", "not the last touch whose channel is not Direct", "1,100", "the last touch whose channel is not Direct"),
					deal("linear", "0.5,50", "one of 2 touches", "0.5,50", "one of 2 touches"),
					deal("position", "0.5,50", "first: 50 %", "0.5,50", "last: 50 %"),
					deal("w_shaped", "0.666666666667,66.666667", `"first, last up to the lead milestone: 66.67 %"`,
						"0.333333333333,33.333333", "last up to the opportunity milestone: 33.33 %"),
					deal("full_path", "0.5,50", `"first, last up to the lead milestone: 50 %"`,
						"0.5,50", `"last up to the opportunity milestone, last: 50 %"`),
					// The touches are a day apart: half as much.
					deal("time_decay", "0.333333333333,33.333333", "0.5^(2 d ÷ 1 d) = 0.25 of 0.75",
						"0.666666666667,66.666667", "0.5^(1 d ÷ 1 d) = 0.5 of 0.75"),
					deal("markov", "0.5,50", "removal effect of Organic Search: 0.5 of the touches' 1", "0.5,50", "removal effect of Email: 0.5 of the touches' 1"),
					deal("shapley", "0.5,50", "one of 2 channels", "0.5,50", "one of 2 channels"),
				), ""),
				"deal, Order Completed, level account, as of 2026-02-02T10:00:00Z\n" +
					"conversion by ben, order x1, number 1 of account acme, by ben, at 2026-01-07T10:00:00Z, worth 100.00 EUR\n", 0,
			},
			{
				"x3 --project deal --level account --format table", "model            touch  time  days_before  channel       source  medium  campaign  credit  value  why\n" +
					strings.Join(unattributed("20.00", "no touch since the conversion before; the nearest touch, Email, 27 d before, is older than that"), ""),
				"deal, Order Completed, level account, as of 2026-02-02T10:00:00Z\n" +
					"conversion by ann, order x3, number 2 of account acme, by ann, at 2026-02-02T10:00:00Z, worth 20.00 EUR\n", 0,
			},
			{"", "", "touchline: the conversion is empty; want a conversion_id or an order id\ntouchline: see touchline --help\n", exitUsage},
		} {
			project := " --project shop"
			if strings.Contains(tt.line, "--project") {
				project = ""
			}
			stdout, stderr, code := s.command(t, "explain "+tt.line+project)
			if stdout != tt.stdout || stderr != tt.stderr || code != tt.code {
				t.Errorf("explain %s: exit code %d\n%s%s\nwant %d\n%s%s", tt.line, code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
			}
		}
	})
}
