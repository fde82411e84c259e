package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// reported2026 is what the reports here speak of. In brackets: what becomes of it, for Order Completed.
func reported2026() []map[string]any {
	utm := func(month, day int, clock, device, path string) map[string]any {
		return page(on(month, day, clock), device, path, "")
	}
	const (
		email   = "/?utm_source=news&utm_medium=email&utm_campaign=may"
		paid    = "/?utm_source=google&utm_medium=cpc&utm_campaign=brand"
		display = "/?utm_source=n&utm_medium=display"
	)
	return []map[string]any{
		// Ann: [a1, new, 100: Organic Search > Email], [a2, returning, 50: Direct], [a null, returning: Email].
		page(on(1, 5, "10:00"), "a", "/shoes", google),
		utm(1, 7, "10:00", "a", email),
		named("first of ann", known("ann", order(on(1, 7, "10:10"), "a", "a1", 100))),
		named("signed up", known("ann", browser("track", on(1, 7, "10:11"), "a", map[string]any{
			"event": "Signed Up", "properties": map[string]any{"order_id": "a1"},
		}))),
		page(on(3, 10, "10:00"), "a", "/", ""),
		order(on(3, 10, "10:05"), "a", "a2", 50),
		utm(4, 1, "10:00", "a", email),
		// A device: [b1, new, 80: Paid Search > Organic Search > Paid Search].
		utm(1, 6, "10:00", "b", paid),
		page(on(1, 7, "10:00"), "b", "/", google),
		utm(1, 8, "10:00", "b", paid),
		order(on(1, 8, "10:10"), "b", "b1", 80),
		// [Nulls of new people: Organic Search; Email > Organic Search.]
		page(on(1, 9, "10:00"), "c", "/", google),
		utm(1, 9, "10:00", "d", email),
		page(on(1, 10, "10:00"), "d", "/", google),
		// Eve was never seen: [e1, new, 20 before a refund of 5], [e2, returning, in dollars].
		named("first of eve", reported(on(2, 2, "10:00"), "eve", "Order Completed", map[string]any{"order_id": "e1", "revenue": 25, "currency": "EUR"})),
		named("second of eve", reported(on(2, 3, "10:00"), "eve", "Order Completed", map[string]any{"order_id": "e2", "revenue": 7, "currency": "USD"})),
		reported(on(2, 9, "10:00"), "eve", "Order Refunded", map[string]any{"order_id": "e1", "revenue": 5}),
		// [g1, new, 40: Display], on 8 February at half past midnight in Berlin.
		utm(2, 7, "23:00", "g", display),
		order(on(2, 7, "23:30"), "g", "g1", 40),
		// [h1, new, 60: Display], on 8 April half an hour before midnight in Berlin; [h2, returning, 30], on the day after.
		utm(4, 8, "21:00", "h", display),
		order(on(4, 8, "21:30"), "h", "h1", 60),
		named("second of h", order(on(4, 8, "22:30"), "h", "h2", 30)),
		// [Pending: Direct.]
		page(on(5, 25, "10:00"), "f", "/", ""),
		reported(on(6, 1, "10:00"), "", "Stock Counted", nil), // as-of
	}
}

// deal2026 is two people of one account, who decide together, and one without account. In brackets: what becomes of it.
func deal2026() []map[string]any {
	return []map[string]any{
		// Account acme: [x1, new, 100: Organic Search > Email], then [x3, returning, 20: Unattributed]. By person both are
		// new: [x1: Email] of ben, [x3: Organic Search] of ann.
		grouped("acme", known("ann", page(on(1, 5, "10:00"), "a", "/", google))),
		grouped("acme", reported(on(1, 5, "12:00"), "ann", "Lead Qualified", nil)),
		grouped("acme", known("ben", page(on(1, 6, "10:00"), "b", "/?utm_source=news&utm_medium=email", ""))),
		grouped("acme", reported(on(1, 6, "12:00"), "ben", "Opportunity Created", nil)),
		named("by ben", grouped("acme", known("ben", order(on(1, 7, "10:00"), "b", "x1", 100)))),
		named("by ann", grouped("acme", reported(on(2, 2, "10:00"), "ann", "Order Completed",
			map[string]any{"order_id": "x3", "revenue": 20, "currency": "EUR"}))),
		// [x2, new, 50: Display], at both levels.
		page(on(2, 1, "10:00"), "c", "/?utm_source=n&utm_medium=display", ""),
		named("by cleo", known("cleo", order(on(2, 1, "10:10"), "c", "x2", 50))),
	}
}

// named is a message with an id that a test can tell.
func named(id string, m map[string]any) map[string]any {
	m["messageId"] = id
	return m
}

func on(month, day int, clock string) time.Time { return at(day, clock).AddDate(0, month-1, 0) }

// withReported runs f beside an instance that has attributed what reported2026 returns.
func withReported(t *testing.T, f func(*server)) {
	const configuration = `projects:
  - id: shop
    write_keys: [k]
    timezone: Europe/Berlin
    currency: EUR
    privacy: { mode: full }
    conversions: [{ event: Order Completed, value: revenue }, { event: Signed Up }]
  - { id: odd, write_keys: [k2], currency: EUR, privacy: { mode: full } }
  - { id: empty, write_keys: [k3], privacy: { mode: full } }
  - id: deal
    write_keys: [k4]
    currency: EUR
    privacy: { mode: full }
    milestones: { lead: Lead Qualified, opportunity: Opportunity Created }
    models: { position: [30, 40, 30], half_life: 1d }
`
	withServer(t, configuration, func(ctx context.Context, s *server) {
		s.post(t, "k", reported2026())
		s.post(t, "k2", []map[string]any{
			named("of nobody", reported(on(1, 10, "10:00"), "", "Order Completed", map[string]any{"revenue": 10, "currency": "EUR"})),
			reported(on(1, 5, "10:00"), "kim", "Order Completed", map[string]any{"revenue": 20, "currency": "EUR"}),
			known("kim", page(on(2, 3, "10:00"), "d", "/", "")), // a first touch after the first conversion
		})
		s.post(t, "k4", deal2026())
		if err := s.delivered(ctx); err != nil {
			t.Error(err)
			return
		}
		for _, id := range []string{"shop", "odd", "deal"} {
			if _, err := attributeAll(ctx, s.installation, id); err != nil {
				t.Error(err)
				return
			}
		}
		f(s)
	})
}

// command runs the program beside the server, as a user would. Words of the line are apart by spaces; a word's own are "|".
func (s *server) command(t *testing.T, line string) (stdout, stderr string, code int) {
	t.Helper()
	args := strings.Split(line, " ")
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "|", " ")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append(args, "--data", s.dir)...)
	cmd.Env = append(os.Environ(), runAsTouchline+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return out.String(), errs.String(), code
}

const dealCoverage = `deal, Order Completed, level account, as of 2026-02-02T10:00:00Z
3 conversions worth 170.00: 2 with touches worth 150.00 (0 of them Direct only, worth 0.00), 1 Unattributed worth 20.00; in EUR
journeys without conversion: 0 ended, 0 still open and in no number
`

const reportedCoverage = `shop, Order Completed, level person, as of 2026-06-01T10:00:00Z
8 conversions worth 380.00: 5 with touches worth 330.00 (1 of them Direct only, worth 50.00), 3 Unattributed worth 50.00; in EUR
journeys without conversion: 3 ended, 1 still open and in no number
1 conversions are in a currency without a rate for their day and count without value
`

func TestReports(t *testing.T) {
	withReported(t, func(s *server) {
		for _, tt := range []struct{ line, stdout, stderr string }{
			{
				"paths", `path,conversions,value,nulls,percent
Unattributed,3,50,0,100
Display,2,100,0,100
Organic Search > Email,1,100,0,100
Paid Search > Organic Search > Paid Search,1,80,0,100
Direct,1,50,0,100
Email,0,0,1,0
Email > Organic Search,0,0,1,0
Organic Search,0,0,1,0
`, reportedCoverage,
			},
			{
				"paths --top 3", `path,conversions,value,nulls,percent
Unattributed,3,50,0,100
Display,2,100,0,100
Organic Search > Email,1,100,0,100
other (5 paths),2,130,3,40
`, reportedCoverage,
			},
			{
				"paths --customers returning", `path,conversions,value,nulls,percent
Unattributed,2,30,0,100
Direct,1,50,0,100
Email,0,0,1,0
`, `shop, Order Completed, level person, as of 2026-06-01T10:00:00Z
3 conversions worth 80.00: 1 with touches worth 50.00 (1 of them Direct only, worth 50.00), 2 Unattributed worth 30.00; in EUR
journeys without conversion: 1 ended, 0 still open and in no number
1 conversions are in a currency without a rate for their day and count without value
`,
			},
			{
				"paths --customers new --to 2026-02-08", `path,conversions,value,nulls,percent
Organic Search > Email,1,100,0,100
Paid Search > Organic Search > Paid Search,1,80,0,100
Display,1,40,0,100
Unattributed,1,20,0,100
Organic Search,0,0,1,0
`, `shop, Order Completed, level person, as of 2026-06-01T10:00:00Z
4 conversions worth 240.00: 3 with touches worth 220.00 (0 of them Direct only, worth 0.00), 1 Unattributed worth 20.00; in EUR
journeys without conversion: 1 ended, 0 still open and in no number
`,
			},
			{
				"lengths", `touches,conversions,value,nulls,percent
0,3,50,0,100
1,3,150,2,60
2,1,100,1,50
3,1,80,0,100
`, reportedCoverage,
			},
			{
				"lengths --from 2026-01-07 --to 2026-01-07 --format json", `[
{"touches":2,"conversions":1,"value":100,"nulls":0,"percent":100}
]
`, `shop, Order Completed, level person, as of 2026-06-01T10:00:00Z
1 conversions worth 100.00: 1 with touches worth 100.00 (0 of them Direct only, worth 0.00), 0 Unattributed worth 0.00; in EUR
journeys without conversion: 0 ended, 0 still open and in no number
`,
			},
			{
				"lags", `days,conversions,value,percent_so_far
0,3,150,60
2,2,180,100
Unattributed,3,50,
`, reportedCoverage,
			},
			{
				"assists", `channel,closes,closes_value,assists,assists_value,assists_per_close
Unattributed,3,50,0,0,0
Display,2,100,0,0,0
Paid Search,1,80,1,80,1
Direct,1,50,0,0,0
Email,1,100,0,0,0
Organic Search,0,0,2,180,
`, reportedCoverage,
			},
			{
				"matrix --top 7", `first,last,conversions,value,nulls,percent
Unattributed,Unattributed,3,50,0,100
Display,Display,2,100,0,100
Organic Search,Email,1,100,0,100
Paid Search,Paid Search,1,80,0,100
Direct,Direct,1,50,0,100
Email,Email,0,0,1,0
Email,Organic Search,0,0,1,0
other (1),,0,0,1,0
`, reportedCoverage,
			},
			{
				"pairs", `a,b,a_only,a_only_percent,b_only,b_only_percent,both,both_percent,a_before_b,a_before_b_percent,b_before_a,b_before_a_percent
Email,Organic Search,1,0,2,50,2,50,1,0,1,100
Organic Search,Paid Search,3,33.333333333333336,0,,1,100,0,,1,100
`, reportedCoverage,
			},
			{
				"pairs --top 1 --format table", `a      b               a_only  a_only_percent  b_only  b_only_percent  both  both_percent  a_before_b  a_before_b_percent  b_before_a  b_before_a_percent
Email  Organic Search       1            0.00       2           50.00     2         50.00           1                0.00           1              100.00
`, reportedCoverage,
			},
			{
				// Of b1's 80 each touch has a third; what rounding leaves over is with the last.
				"customers", `channel,new_conversions,new_value,returning_conversions,returning_value
Display,2,100,0,0
Unattributed,1,20,2,30
Organic Search,0.833333333333,76.666666,0,0
Paid Search,0.666666666667,53.333334,0,0
Email,0.5,50,0,0
Direct,0,0,1,50
`, reportedCoverage,
			},
			{
				"customers --model markov --from 2026-02-08", `channel,new_conversions,new_value,returning_conversions,returning_value
Display,2,100,0,0
Direct,0,0,1,50
Unattributed,0,0,1,30
`, `markov: sums over single conversions; the model's own totals by channel, which attribute prints, differ
shop, Order Completed, level person, as of 2026-06-01T10:00:00Z
4 conversions worth 180.00: 3 with touches worth 150.00 (1 of them Direct only, worth 50.00), 1 Unattributed worth 30.00; in EUR
journeys without conversion: 3 ended, 1 still open and in no number
`,
			},
			{
				"cohorts --to 2026-01-31", `month,channel,people,months_after,conversions,value,value_per_person
2026-01,Organic Search,2,0,1,100,50
2026-01,Organic Search,2,1,1,100,50
2026-01,Organic Search,2,2,2,150,75
2026-01,Organic Search,2,3,2,150,75
2026-01,Organic Search,2,4,2,150,75
2026-01,Organic Search,2,5,2,150,75
2026-01,Email,1,0,0,0,0
2026-01,Email,1,1,0,0,0
2026-01,Email,1,2,0,0,0
2026-01,Email,1,3,0,0,0
2026-01,Email,1,4,0,0,0
2026-01,Email,1,5,0,0,0
2026-01,Paid Search,1,0,1,80,80
2026-01,Paid Search,1,1,1,80,80
2026-01,Paid Search,1,2,1,80,80
2026-01,Paid Search,1,3,1,80,80
2026-01,Paid Search,1,4,1,80,80
2026-01,Paid Search,1,5,1,80,80
`, reportedCoverage,
			},
			{
				"cohorts --from 2026-02-08 --customers new", `month,channel,people,months_after,conversions,value,value_per_person
2026-05,Direct,1,0,0,0,0
2026-05,Direct,1,1,0,0,0
2026-04,Display,1,0,1,60,60
2026-04,Display,1,1,1,60,60
2026-04,Display,1,2,1,60,60
2026-02,Display,1,0,1,40,40
2026-02,Display,1,1,1,40,40
2026-02,Display,1,2,1,40,40
2026-02,Display,1,3,1,40,40
2026-02,Display,1,4,1,40,40
`, `shop, Order Completed, level person, as of 2026-06-01T10:00:00Z
5 conversions worth 300.00: 4 with touches worth 280.00 (0 of them Direct only, worth 0.00), 1 Unattributed worth 20.00; in EUR
journeys without conversion: 2 ended, 1 still open and in no number
`,
			},
			{
				"cohorts --project odd", `month,channel,people,months_after,conversions,value,value_per_person
2026-02,Direct,1,0,1,20,20
2026-01,Unattributed,0,0,1,10,
2026-01,Unattributed,0,1,1,10,
`, `odd, Order Completed, level person, as of 2026-02-03T10:00:00Z
2 conversions worth 30.00: 0 with touches worth 0.00 (0 of them Direct only, worth 0.00), 2 Unattributed worth 30.00; in EUR
journeys without conversion: 0 ended, 1 still open and in no number
`,
			},
			{
				"paths --project deal --level account", `path,conversions,value,nulls,percent
Organic Search > Email,1,100,0,100
Display,1,50,0,100
Unattributed,1,20,0,100
`, dealCoverage,
			},
			{
				"paths --project deal --level account --customers returning", `path,conversions,value,nulls,percent
Unattributed,1,20,0,100
`, `deal, Order Completed, level account, as of 2026-02-02T10:00:00Z
1 conversions worth 20.00: 0 with touches worth 0.00 (0 of them Direct only, worth 0.00), 1 Unattributed worth 20.00; in EUR
journeys without conversion: 0 ended, 0 still open and in no number
`,
			},
			{
				"paths --project deal --customers new", `path,conversions,value,nulls,percent
Email,1,100,0,100
Display,1,50,0,100
Organic Search,1,20,0,100
`, `deal, Order Completed, level person, as of 2026-02-02T10:00:00Z
3 conversions worth 170.00: 3 with touches worth 170.00 (0 of them Direct only, worth 0.00), 0 Unattributed worth 0.00; in EUR
journeys without conversion: 0 ended, 0 still open and in no number
`,
			},
			{
				"lags --project deal --level account", `days,conversions,value,percent_so_far
0,1,50,50
2,1,100,100
Unattributed,1,20,
`, dealCoverage,
			},
			{
				"customers --project deal --level account", `channel,new_conversions,new_value,returning_conversions,returning_value
Display,1,50,0,0
Email,0.5,50,0,0
Organic Search,0.5,50,0,0
Unattributed,0,0,1,20
`, dealCoverage,
			},
			{
				// Nobody was touched: markov has no chain, and credits nobody's touch like the other models.
				"customers --project odd --model markov", `channel,new_conversions,new_value,returning_conversions,returning_value
Unattributed,2,30,0,0
`, `markov: sums over single conversions; the model's own totals by channel, which attribute prints, differ
odd, Order Completed, level person, as of 2026-02-03T10:00:00Z
2 conversions worth 30.00: 0 with touches worth 0.00 (0 of them Direct only, worth 0.00), 2 Unattributed worth 30.00; in EUR
journeys without conversion: 0 ended, 1 still open and in no number
`,
			},
			{
				"cohorts --project deal --level account", `month,channel,people,months_after,conversions,value,value_per_person
2026-02,Display,1,0,1,50,50
2026-01,Organic Search,1,0,1,100,100
2026-01,Organic Search,1,1,2,120,120
`, dealCoverage,
			},
			{
				"changes --project deal --level account --from 2026-02-01 --to 2026-02-28", `channel,conversions,conversions_before,conversions_difference,value,value_before,value_difference
Display,1,0,1,50,0,50
Unattributed,1,0,1,20,0,20
Email,0,0.5,-0.5,0,50,-50
Organic Search,0,0.5,-0.5,0,50,-50
`, `before: 28 days from 2026-01-04, 1 conversions worth 100.00
the period ends after as-of: it is not over yet
deal, Order Completed, level account, as of 2026-02-02T10:00:00Z
2 conversions worth 70.00: 1 with touches worth 50.00 (0 of them Direct only, worth 0.00), 1 Unattributed worth 20.00; in EUR
journeys without conversion: 0 ended, 0 still open and in no number
`,
			},
			{
				// Thirty days, of which the one of summer time has 23 hours.
				"changes --from 2026-03-10 --to 2026-04-08", `channel,conversions,conversions_before,conversions_difference,value,value_before,value_difference
Display,1,1,0,60,40,20
Direct,1,0,1,50,0,50
`, `before: 30 days from 2026-02-08, 1 conversions worth 40.00
shop, Order Completed, level person, as of 2026-06-01T10:00:00Z
2 conversions worth 110.00: 2 with touches worth 110.00 (1 of them Direct only, worth 50.00), 0 Unattributed worth 0.00; in EUR
journeys without conversion: 0 ended, 0 still open and in no number
`,
			},
			{
				"changes --from 2026-04-09 --to 2026-06-30 --customers returning --model last", `channel,conversions,conversions_before,conversions_difference,value,value_before,value_difference
Unattributed,1,1,0,30,0,30
Direct,0,1,-1,0,50,-50
`, `before: 83 days from 2026-01-16, 2 conversions worth 50.00
the period ends after as-of: it is not over yet
shop, Order Completed, level person, as of 2026-06-01T10:00:00Z
1 conversions worth 30.00: 0 with touches worth 0.00 (0 of them Direct only, worth 0.00), 1 Unattributed worth 30.00; in EUR
journeys without conversion: 1 ended, 0 still open and in no number
`,
			},
		} {
			project := " --project shop"
			if strings.Contains(tt.line, "--project") {
				project = ""
			}
			stdout, stderr, code := s.command(t, "report "+tt.line+project)
			if stdout != tt.stdout || stderr != tt.stderr || code != 0 {
				t.Errorf("report %s: exit code %d\n%s%s\nwant\n%s%s", tt.line, code, stdout, stderr, tt.stdout, tt.stderr)
			}
		}
		for line, want := range map[string]string{
			"paths --project shop --top 0":                             "--top is 0; want 1 to 1000000",
			"paths --project shop --from 2026-02-02 --to 2026-02-01":   "--from 2026-02-02 is not before --to 2026-02-01",
			"paths --project nobody":                                   `unknown project "nobody"; this installation has shop, odd, empty, deal`,
			"customers --project shop --customers new":                 "report customers sets new against returning customers; leave out --customers",
			"customers --project shop --model best":                    `unknown model "best"; known are first, last, last_non_direct, linear, position, w_shaped, full_path, time_decay, markov, shapley`,
			"changes --project shop --model first,last --from x":       `--model is "first,last"; want one model`,
			"changes --project shop --from 2026-01-01T00:00:00Z":       `report changes compares whole days: want --from and --to as days like 2026-01-31, not "2026-01-01T00:00:00Z" and ""`,
			"matrix --project shop --conversion Signup":                `--conversion "Signup" is none of project "shop"; its configuration lists them under conversions`,
			"lags --project shop --customers old":                      `--customers must be one of "","new","returning" but got "old"`,
			"changes --project shop --from 2026-03-02 --to 2026-03-01": "--from 2026-03-02 is not before --to 2026-03-01",
			"assists --project shop --from yesterday":                  `--from is "yesterday"; want a day like 2026-01-31 or an instant like 2026-01-31T12:00:00Z`,
		} {
			stdout, stderr, code := s.command(t, "report "+line)
			if first, _, _ := strings.Cut(stderr, "\n"); stdout != "" || first != "touchline: "+want || code != exitUsage {
				t.Errorf("report %s: exit code %d\n%s%s\nwant %s", line, code, stdout, stderr, want)
			}
		}
		for line, want := range map[string]string{
			"paths --project empty": `project "empty" has no journeys yet: run touchline attribute --project empty first`,
		} {
			stdout, stderr, code := s.command(t, "report "+line)
			if stdout != "" || stderr != "touchline: "+want+"\n" || code != exitFailed {
				t.Errorf("report %s: exit code %d\n%s%s\nwant %s", line, code, stdout, stderr, want)
			}
		}
	})
}

func TestShortPath(t *testing.T) {
	ten := strings.Split("a,b,c,d,e,f,g,h,i,j", ",")
	for want, channels := range map[string][]string{
		"": nil, "a > b > c > d > e > f > g > h > i > j": ten, "a > b > c > d > e > f > g > h > i > j > and 2 more": append(ten, "k", "l"),
	} {
		if got := shortPath(channels); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
