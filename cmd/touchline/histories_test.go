package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/job"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/store"
)

// The histories of historycases_test.go go the whole way, from HTTP requests to tables and reports.

// history is what happened in one project, and what attribution must make of it.
type history struct {
	about    string
	settings string // of the project, in YAML; empty for the defaults

	// Before attribution runs for the first time, where it runs twice, and what the journeys are then.
	earlier         []map[string]any
	earlierJourneys []string

	messages []map[string]any
	follows  func(t *testing.T, s *server, project string) []map[string]any // makes messages that must know the server's answers
	unlinks  []store.Unlinked
	rates    []collector.ExchangeRate

	outcomes []outcome
	reports  map[string]string // credit by flags of attribute that choose or cut journeys otherwise
	tables   map[string]string // rows, sorted, of questions about the project's part of a view: "SELECT … FROM persons"
}

// outcome is what attribution makes of the journeys towards one kind of conversion, at one level or at both alike.
type outcome struct {
	flags    string   // of attribute: "--level account"; without a level at both
	journeys []string // "subject state: channels (value)", sorted
	// credit has a line "model, model: channel conversions value; channel …" for all models. "markov split" is the sum of
	// what credits gives the touches of single conversions; without it, it is that of markov.
	credit string
	by     map[string]string // credit by other dimensions in channel_credits, without markov
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

// visit is the first page of a session that a link with utm parameters led to.
func visit(when time.Time, device, medium, campaign string) map[string]any {
	return page(when, device, "/?utm_source=n&utm_medium="+medium+"&utm_campaign="+campaign, "")
}

// member says that the user has joined an account.
func member(when time.Time, user, account string) map[string]any {
	m := reported(when, user, "", nil)
	m["type"], m["groupId"] = "group", account
	return m
}

// ofAccount is a message that names the account itself.
func ofAccount(account string, m map[string]any) map[string]any {
	c, _ := m["context"].(map[string]any) // as inContext has made it
	c["groupId"] = account
	return m
}

func TestHistories(t *testing.T) {
	all := histories()
	var configuration strings.Builder
	configuration.WriteString("projects:\n")
	for i, h := range all {
		fmt.Fprintf(&configuration, "  - { id: h%d, write_keys: [k%d], privacy: { mode: full }, %s }\n", i, i, h.settings)
	}
	withServer(t, configuration.String(), func(ctx context.Context, s *server) {
		for i, h := range all {
			h.tell(t, s, i, h.earlier)
		}
		for i, h := range all {
			if h.earlier != nil {
				h.begin(t, s, fmt.Sprintf("h%d", i))
			}
		}
		for i, h := range all {
			if h.follows != nil {
				h.messages = h.follows(t, s, fmt.Sprintf("h%d", i))
			}
			h.tell(t, s, i, h.messages)
		}
		if err := s.delivered(ctx); err != nil {
			t.Error(err)
			return
		}
		for i, h := range all {
			t.Run(h.about, func(t *testing.T) { h.check(t, s, fmt.Sprintf("h%d", i)) })
		}
		t.Run("every conversion is credited once", s.checkWhole)
	})
}

func (h history) tell(t *testing.T, s *server, project int, messages []map[string]any) {
	if len(messages) == 0 {
		return
	}
	shuffled := slices.Clone(messages)
	slices.Reverse(shuffled) // the order of arrival means nothing
	s.post(t, fmt.Sprintf("k%d", project), shuffled)
	s.post(t, fmt.Sprintf("k%d", project), messages[:1]) // and a repeated message neither
}

// begin has attribution run for the first time.
func (h history) begin(t *testing.T, s *server, project string) {
	if err := s.delivered(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := attributeAll(t.Context(), s.installation, project); err != nil {
		t.Fatal(err)
	}
	for _, level := range attribution.Levels {
		if got := s.journeys(t, project, "Order Completed", level); !slices.Equal(got, h.earlierJourneys) {
			t.Errorf("%s, at first\n got  %q\n want %q", level, got, h.earlierJourneys)
		}
	}
}

func (h history) check(t *testing.T, s *server, project string) {
	if _, err := s.db.InsertRates(t.Context(), h.rates); err != nil {
		t.Fatal(err)
	}
	for _, u := range h.unlinks {
		if err := s.db.Unlink(t.Context(), project, u); err != nil {
			t.Fatal(err)
		}
	}
	err := s.withLock(t.Context(), s.logHolder, func(ctx context.Context) error {
		p, _, err := s.cfg.project(project)
		if err == nil {
			_, err = updateProject(ctx, s.installation, p)
		}
		if err != nil {
			return err
		}
		for _, o := range h.outcomes {
			o.check(t, s, project)
		}
		for flags, want := range h.reports {
			checkReport(t, s, project, flags, parseCredit(t, want))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for question, want := range h.tables {
		filter := " WHERE "
		if strings.Contains(question, filter) {
			filter = " AND "
		}
		got := s.column(t, "SELECT toString(tuple(*)) AS row FROM ("+question+filter+"project = '"+project+"') ORDER BY row")
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s\n got  %s\n want %s", question, text, want)
		}
	}
}

func (o outcome) check(t *testing.T, s *server, project string) {
	want := parseCredit(t, o.credit)
	split := want["markov split"]
	delete(want, "markov split")
	if split == nil {
		split = want["markov"]
	}
	levels := attribution.Levels
	if strings.Contains(o.flags, "--level") {
		levels = []string{""} // as the flags say
	}
	for _, level := range levels {
		flags := o.flags
		if level != "" {
			flags += " --level " + level
		}
		selection := checkReport(t, s, project, flags, want)
		if len(want) != len(model.All()) {
			t.Errorf("%s: the credit of %d models was computed by hand", flags, len(want))
		}
		if got := s.journeys(t, project, selection.Kind, selection.Level); !slices.Equal(got, o.journeys) {
			t.Errorf("%s, journeys\n got  %q\n want %q", flags, got, o.journeys)
		}
		o.checkTables(t, s, selection, want, split)
	}
}

func (o outcome) checkTables(t *testing.T, s *server, of attribution.Selection, want map[string]map[string]credit, split map[string]credit) {
	where := fmt.Sprintf(" WHERE project = '%s' AND kind = '%s' AND level = '%s'", of.Project.ID, of.Kind, of.Level)
	sums := "SELECT model, name, toFloat64(sum(conversions)), toFloat64(sum(value)) FROM channel_credits" + where + " AND dimension = '%s' GROUP BY model, name"
	checkCredit(t, "channel_credits"+where, s.credits(t, fmt.Sprintf(sums, "channel")), want)
	for dimension, text := range o.by {
		checkCredit(t, "channel_credits by "+dimension+where, s.credits(t, fmt.Sprintf(sums, dimension)), parseCredit(t, text))
	}
	touches := maps.Clone(want)
	touches["markov"] = split
	checkCredit(t, "credits"+where, s.credits(t, "SELECT model, channel, toFloat64(sum(c.credit)), toFloat64(sum(c.value)) FROM credits AS c"+where+
		" GROUP BY model, channel"), touches)
}

// checkReport compares with what attribute says under these flags.
func checkReport(t *testing.T, s *server, project, flags string, want map[string]map[string]credit) attribution.Selection {
	t.Helper()
	var c attributeCommand
	parser, err := kong.New(&c, kong.Vars{
		"all_models": strings.Join(slices.Sorted(maps.Keys(want)), ","), "dimensions": strings.Join(attribution.Dimensions, ","),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = parser.Parse(strings.Fields("--project " + project + " " + flags)); err != nil {
		t.Fatal(err)
	}
	selection, err := c.selection(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	models, err := job.Settings(selection.Project).Parse(c.Models)
	if err != nil {
		t.Fatal(err)
	}
	report, err := job.NewReport(t.Context(), s.db, selection, models, c.transforms())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]credit{}
	for _, m := range report.Models {
		got[m.Model] = map[string]credit{}
		for _, n := range m.Names {
			got[m.Model][n.Name] = credit{n.Conversions, n.Value}
		}
	}
	checkCredit(t, "attribute "+flags, got, want)
	return selection
}

// checkWhole sees that in all projects the credit of every conversion is exactly 1 and its value, at both levels and under
// every model, and that channel_credits adds up to that by every dimension.
func (s *server) checkWhole(t *testing.T) {
	parts := s.column(t, "SELECT concat(c.project, ' ', level, ' ', model, ' ', conversion_id) FROM credits AS c"+
		" INNER JOIN conversions AS v ON v.project = c.project AND v.kind = c.kind AND v.conversion_id = c.conversion_id"+
		" GROUP BY c.project, c.kind, level, model, conversion_id HAVING sum(c.credit) != 1 OR sum(c.value) != any(v.value)")
	if len(parts) > 0 {
		t.Errorf("the credit of these conversions is not exactly 1, or not exactly its value: %q", parts)
	}
	split := s.column(t, "SELECT toString(count()) FROM (SELECT DISTINCT project, level, model, kind, conversion_id FROM credits)")
	made := s.column(t, "SELECT toString(count() * 2 * "+strconv.Itoa(len(model.All()))+") FROM conversions")
	if !slices.Equal(split, made) {
		t.Errorf("%s credited conversions of levels and models, want %s", split, made)
	}
	sums := s.column(t, "SELECT concat(c.project, ' ', kind, ' ', level, ' ', model, ' ', dimension) FROM channel_credits AS c"+
		" INNER JOIN (SELECT project, kind, count() AS n, sum(value) AS worth FROM conversions GROUP BY project, kind) AS v"+
		" ON v.project = c.project AND v.kind = c.kind"+
		" GROUP BY c.project, kind, level, model, dimension HAVING sum(c.conversions) != any(v.n) OR sum(c.value) != any(v.worth)")
	if len(sums) > 0 {
		t.Errorf("channel_credits does not add up to the conversions and their value: %q", sums)
	}
}

// journeys are "subject state: channels (value)". The subject of an account of one is the person.
func (s *server) journeys(t *testing.T, project, kind, level string) []string {
	t.Helper()
	return s.column(t, "SELECT concat(if(account = '', person, account), ' ', state, ': ', arrayStringConcat(touches.channel, ' > '), ' (', toString(value), ')') AS j"+
		" FROM journeys WHERE project = '"+project+"' AND kind = '"+kind+"' AND level = '"+level+"' ORDER BY j")
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

// credits reads (model, name, conversions, value).
func (s *server) credits(t *testing.T, query string) map[string]map[string]credit {
	t.Helper()
	rows, err := s.db.Conn().Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	credits := map[string]map[string]credit{}
	for rows.Next() {
		var model, name string
		var c credit
		if err := rows.Scan(&model, &name, &c.conversions, &c.value); err != nil {
			t.Fatal(err)
		}
		if credits[model] == nil {
			credits[model] = map[string]credit{}
		}
		credits[model][name] = c
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return credits
}

// parseCredit reads lines of "model, model: name conversions value; name conversions value", numbers like 2, .5 or 1/3.
func parseCredit(t *testing.T, text string) map[string]map[string]credit {
	t.Helper()
	all := map[string]map[string]credit{}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		models, names, _ := strings.Cut(strings.TrimSpace(line), ": ")
		credits := map[string]credit{}
		for part := range strings.SplitSeq(names, "; ") {
			words := strings.Fields(part)
			n := len(words) - 2
			credits[strings.Join(words[:n], " ")] = credit{fraction(t, words[n]), fraction(t, words[n+1])}
		}
		for model := range strings.SplitSeq(models, ", ") {
			all[model] = credits
		}
	}
	return all
}

func fraction(t *testing.T, text string) float64 {
	t.Helper()
	over, under, divided := strings.Cut(text, "/")
	if !divided {
		under = "1"
	}
	x, err := strconv.ParseFloat(over, 64)
	if err != nil {
		t.Fatal(err)
	}
	y, err := strconv.ParseFloat(under, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x / y
}

func checkCredit(t *testing.T, what string, got, want map[string]map[string]credit) {
	t.Helper()
	// Values are kept in millionths; a channel's sum may be off by one of them for each touch.
	const unit = 5e-6
	same := func(a, b credit) bool {
		return abs(a.conversions-b.conversions) < 1e-9 && abs(a.value-b.value) < unit
	}
	for _, models := range []map[string]map[string]credit{got, want} {
		for _, credits := range models {
			maps.DeleteFunc(credits, func(_ string, c credit) bool { return same(c, credit{}) })
		}
	}
	for m := range maps.Keys(want) {
		if !maps.EqualFunc(got[m], want[m], same) {
			t.Errorf("%s, %s\n got  %v\n want %v", what, m, got[m], want[m])
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }
