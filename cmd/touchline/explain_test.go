package main

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	const (
		header   = "model,touch,time,days_before,channel,source,medium,campaign,credit,value,why\n"
		markov   = "in proportion to the channel's removal effect in the chain of all journeys"
		notFound = `; touchline attribute has published "Order Completed" (as of 2026-06-01T10:00:00Z)`
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
					"markov,1,2026-01-05T10:00:00Z,2.006944444444444,Organic Search,google,organic,,0.421686746987,42.168674," + markov + "\n" +
					"markov,2,2026-01-07T10:00:00Z,0.006944444444444444,Email,news,email,may,0.578313253013,57.831326," + markov + "\n" +
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
{"model":"markov","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"},
{"model":"shapley","touch":0,"time":"","days_before":null,"channel":"Unattributed","source":"","medium":"","campaign":"","credit":1,"value":20,"why":"no touch of this person is known up to the conversion"}
]
`,
				"shop, Order Completed, level person, as of 2026-06-01T10:00:00Z\n" +
					"conversion first of eve, order e1, number 1 of eve, at 2026-02-02T10:00:00Z, worth 20.00 EUR after refunds of 5.00\n", 0,
			},
			{
				"h2 --format table", `model            touch  time  days_before  channel       source  medium  campaign  credit  value  why
first                0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
last                 0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
last_non_direct      0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
linear               0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
position             0                     Unattributed                              1.00  30.00  no touch since the conversion before; the nearest touch, Display, 1.5 h before, is older than that
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
				"nothing", "", `touchline: project "shop" has no conversion with the id or order id "nothing"` + notFound +
					", \"Signed Up\" (as of 2026-06-01T10:00:00Z)\n", exitFailed,
			},
			{
				"b1 --kind Signed|Up", "", `touchline: project "shop" has no conversion with the id or order id "b1"; ` +
					"touchline attribute has published \"Signed Up\" (as of 2026-06-01T10:00:00Z)\n", exitFailed,
			},
			{
				"b1 --level account", "", `touchline: project "shop" has no journeys to "Order Completed" at level account: ` +
					"run touchline attribute --project shop --conversion \"Order Completed\" first\n", exitFailed,
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
