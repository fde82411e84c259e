package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/store"
)

// reportCommand answers what analysts ask of the journeys that attribute has published.
type reportCommand struct {
	Paths     pathsReport     `cmd:"" help:"Paths of channels with most conversions, and how many of the journeys on them convert."`
	Lengths   lengthsReport   `cmd:"" help:"Touches of the journeys."`
	Lags      lagsReport      `cmd:"" help:"Days from the first touch to the conversion."`
	Assists   assistsReport   `cmd:"" help:"How often each channel is the last one, and how often it comes before the last."`
	Matrix    matrixReport    `cmd:"" help:"First channel by last channel."`
	Pairs     pairsReport     `cmd:"" help:"Of two channels: journeys and their conversion with one, the other, both, one before the other."`
	Customers customersReport `cmd:"" help:"Credit of each channel for new and for returning customers."`
	Cohorts   cohortsReport   `cmd:"" help:"What people or accounts have brought so many months after their first touch, by its month and channel."`
	Changes   changesReport   `cmd:"" help:"Credit of each channel in a period, and in the one of the same length just before."`
}

// reportFlags choose journeys.
type reportFlags struct {
	Project    string                `help:"Project." required:""`
	Conversion string                `help:"Event that counts as the conversion. Without it: the first one configured."`
	Level      string                `help:"person or account: whose journeys." enum:"person,account" default:"person"`
	From       string                `help:"First day (in the project's time zone), or an instant, in which journeys ended." placeholder:"DAY"`
	To         string                `help:"Last day, included; or an instant, not included." placeholder:"DAY"`
	Customers  attribution.Customers `help:"new: first conversions, and people who have not converted; returning: the others." enum:",new,returning" default:"" placeholder:"new|returning"`
	Format     format                `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

// topFlag bounds what a report lists; what is beyond stands in one row.
type topFlag struct {
	Top int `help:"How many rows; the others are added up." default:"20"`
}

// modelFlag chooses whose credit a report adds up.
type modelFlag struct {
	Model string `help:"Model whose credit is added up." default:"linear"`
}

// reporting is what a report has at hand.
type reporting struct {
	db        *store.DB
	stderr    io.Writer
	selection attribution.Selection
	published attribution.Coverage
}

// run opens the installation, prints what build makes of the selected journeys, and says what it speaks of.
func (f *reportFlags) run(ctx context.Context, g *globals, build func(context.Context, *reporting) (*table, error)) error {
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	r := &reporting{db: in.db, stderr: g.stderr}
	if r.selection, err = f.selection(in.cfg); err != nil {
		return usageError{err}
	}
	if r.published, err = r.db.Coverage(ctx, &r.selection); err != nil {
		return err
	}
	if r.published.AsOf.IsZero() {
		return notPublished(r.selection)
	}
	t, err := build(ctx, r)
	if err != nil {
		return err
	}
	if err := t.write(os.Stdout, f.Format); err != nil {
		return err
	}
	return writeCoverage(g.stderr, r.selection, r.published)
}

func notPublished(s attribution.Selection) error {
	return fmt.Errorf("project %q has no journeys yet: run touchline attribute --project %s first", s.Project.ID, s.Project.ID)
}

func (f *reportFlags) selection(cfg *config) (attribution.Selection, error) {
	project, _, err := cfg.project(f.Project)
	if err != nil {
		return attribution.Selection{}, err
	}
	s := attribution.Selection{Project: *project, Kind: f.Conversion, Level: f.Level, Customers: f.Customers}
	setDefault(&s.Kind, project.Conversions[0].Event)
	if err = checkKind("--conversion", project, s.Kind); err != nil {
		return s, err
	}
	if s.From, err = parseDay("from", f.From, project.Location, false); err != nil {
		return s, err
	}
	if s.To, err = parseDay("to", f.To, project.Location, true); err != nil {
		return s, err
	}
	if !s.To.IsZero() && !s.From.Before(s.To) {
		return s, fmt.Errorf("--from %s is not before --to %s", f.From, f.To)
	}
	return s, nil
}

// checkKind refuses an event that is no conversion of the project.
func checkKind(flag string, p *attribution.Project, kind string) error {
	if !slices.ContainsFunc(p.Conversions, func(c attribution.Conversion) bool { return c.Event == kind }) {
		return fmt.Errorf("%s %q is none of project %q; its configuration lists them under conversions", flag, kind, p.ID)
	}
	return nil
}

// writeCoverage says what a report speaks of, and what it leaves out.
func writeCoverage(w io.Writer, s attribution.Selection, c attribution.Coverage) error {
	touched := c.Conversions - c.Unattributed
	lines := []string{
		fmt.Sprintf("%s, %s, level %s, as of %s", s.Project.ID, s.Kind, s.Level, c.AsOf.UTC().Format(time.RFC3339)),
		fmt.Sprintf("%d conversions worth %s: %d with touches worth %s (%d of them Direct only, worth %s), %d Unattributed worth %s",
			c.Conversions, moneyText(c.Value), touched, moneyText(c.Value-c.UnattributedValue),
			c.DirectOnly, moneyText(c.DirectOnlyValue), c.Unattributed, moneyText(c.UnattributedValue)),
		fmt.Sprintf("journeys without conversion: %d ended, %d still open and in no number", c.Nulls, c.Pending),
	}
	if s.Project.Currency != "" {
		lines[1] += "; in " + s.Project.Currency
	}
	if c.Unrated > 0 {
		lines = append(lines, fmt.Sprintf("%d conversions are in a currency without a rate for their day and count without value", c.Unrated))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

func moneyText(micros int64) string { return strconv.FormatFloat(float64(micros)/1e6, 'f', 2, 64) }

func count(n int64) cell {
	s := strconv.FormatInt(n, 10)
	return cell{s, json.Number(s)}
}

func money(micros int64) cell { return number(float64(micros) / 1e6) }

// ratio is part ÷ whole, times scale; empty of nothing.
func ratio(part, whole int64, scale float64) cell {
	if whole == 0 {
		return cell{"", nil}
	}
	return number(scale * float64(part) / float64(whole))
}

// everything is the top of lists whose length is bounded by what they list.
const everything = math.MaxInt32

// groupHeader is of groupCells.
var groupHeader = []string{"conversions", "value", "nulls", "percent"}

func groupCells(g attribution.PathGroup) []cell {
	return []cell{count(g.Conversions), money(g.Value), count(g.Nulls), ratio(g.Conversions, g.Conversions+g.Nulls, 100)}
}

func checkTop(top int) error {
	if top < 1 || top > 1_000_000 {
		return usageError{fmt.Errorf("--top is %d; want 1 to 1000000", top)}
	}
	return nil
}

type pathsReport struct {
	reportFlags
	topFlag
}

func (c *pathsReport) Run(ctx context.Context, g *globals) error {
	if err := checkTop(c.Top); err != nil {
		return err
	}
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		groups, err := r.db.PathGroups(ctx, r.selection, attribution.WholePath, c.Top)
		t := &table{header: append([]string{"path"}, groupHeader...)}
		for i, path := range groups {
			name := strings.Join(path.Key, " > ")
			if c.Format.resolve(os.Stdout) == formatTable {
				name = shortPath(path.Key)
			}
			if i == c.Top {
				name = fmt.Sprintf("other (%d paths)", path.Groups)
			}
			t.rows = append(t.rows, append([]cell{text(cmp.Or(name, attribution.Unattributed))}, groupCells(path)...))
		}
		return t, err
	})
}

// shortPath keeps a table as narrow as it can be read. CSV and JSON have the whole path.
func shortPath(channels []string) string {
	const most = 10
	if len(channels) <= most {
		return strings.Join(channels, " > ")
	}
	return fmt.Sprintf("%s > and %d more", strings.Join(channels[:most], " > "), len(channels)-most)
}

type lengthsReport struct{ reportFlags }

func (c *lengthsReport) Run(ctx context.Context, g *globals) error {
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		groups, err := r.db.PathGroups(ctx, r.selection, attribution.PathLength, everything)
		slices.SortFunc(groups, func(a, b attribution.PathGroup) int { // as numbers
			return cmp.Or(cmp.Compare(len(a.Key[0]), len(b.Key[0])), cmp.Compare(a.Key[0], b.Key[0]))
		})
		t := &table{header: append([]string{"touches"}, groupHeader...)}
		for _, length := range groups {
			touches := cell{length.Key[0], json.Number(length.Key[0])}
			t.rows = append(t.rows, append([]cell{touches}, groupCells(length)...))
		}
		return t, err
	})
}

type lagsReport struct{ reportFlags }

func (c *lagsReport) Run(ctx context.Context, g *globals) error {
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		days, err := r.db.Lags(ctx, r.selection)
		return lagTable(days, r.published.Conversions-r.published.Unattributed), err
	})
}

// lagTable lists days in order, and what has none at the end. converted counts the conversions that have some.
func lagTable(days []attribution.LagDay, converted int64) *table {
	t := &table{header: []string{"days", "conversions", "value", "percent_so_far"}}
	var unattributed [][]cell
	soFar := int64(0)
	for _, d := range days {
		if d.Days < 0 {
			unattributed = append(unattributed, []cell{text(attribution.Unattributed), count(d.Conversions), money(d.Value), {"", nil}})
			continue
		}
		soFar += d.Conversions
		t.rows = append(t.rows, []cell{count(d.Days), count(d.Conversions), money(d.Value), ratio(soFar, converted, 100)})
	}
	t.rows = append(t.rows, unattributed...)
	return t
}

type assistsReport struct{ reportFlags }

func (c *assistsReport) Run(ctx context.Context, g *globals) error {
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		groups, err := r.db.PathGroups(ctx, r.selection, attribution.PathChannels, everything)
		return assistTable(groups), err
	})
}

// assists is in how many conversions a channel was the last, and in how many it came before the last; both in some.
type assists struct {
	channel         string
	closes, assists attribution.PathGroup
}

func assistTable(groups []attribution.PathGroup) *table {
	var channels []*assists
	index := map[string]*assists{}
	for _, g := range groups {
		name := cmp.Or(g.Key[0], attribution.Unattributed)
		a := index[name]
		if a == nil {
			a = &assists{channel: name}
			index[name] = a
			channels = append(channels, a)
		}
		if g.Key[1] != "" {
			a.closes.Conversions += g.Conversions
			a.closes.Value += g.Value
		}
		if g.Key[2] != "" {
			a.assists.Conversions += g.Conversions
			a.assists.Value += g.Value
		}
	}
	slices.SortFunc(channels, func(a, b *assists) int {
		return cmp.Or(cmp.Compare(b.closes.Conversions, a.closes.Conversions),
			cmp.Compare(b.assists.Conversions, a.assists.Conversions), cmp.Compare(a.channel, b.channel))
	})
	t := &table{header: []string{"channel", "closes", "closes_value", "assists", "assists_value", "assists_per_close"}}
	for _, a := range channels {
		t.rows = append(t.rows, []cell{
			text(a.channel), count(a.closes.Conversions), money(a.closes.Value),
			count(a.assists.Conversions), money(a.assists.Value), ratio(a.assists.Conversions, a.closes.Conversions, 1),
		})
	}
	return t
}

type matrixReport struct {
	reportFlags
	topFlag
}

func (c *matrixReport) Run(ctx context.Context, g *globals) error {
	if err := checkTop(c.Top); err != nil {
		return err
	}
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		groups, err := r.db.PathGroups(ctx, r.selection, attribution.PathEnds, c.Top)
		t := &table{header: append([]string{"first", "last"}, groupHeader...)}
		for i, ends := range groups {
			first, last := cmp.Or(ends.Key[0], attribution.Unattributed), cmp.Or(ends.Key[1], attribution.Unattributed)
			if i == c.Top {
				first, last = fmt.Sprintf("other (%d)", ends.Groups), ""
			}
			t.rows = append(t.rows, append([]cell{text(first), text(last)}, groupCells(ends)...))
		}
		return t, err
	})
}

type customersReport struct {
	reportFlags
	modelFlag
}

func (c *customersReport) Run(ctx context.Context, g *globals) error {
	if c.Customers != attribution.Any {
		return usageError{errors.New("report customers sets new against returning customers; leave out --customers")}
	}
	if err := c.check(); err != nil {
		return err
	}
	return c.run(ctx, g, func(ctx context.Context, r *reporting) (*table, error) {
		channels, err := r.db.CustomerCredits(ctx, r.selection, c.Model)
		if err != nil {
			return nil, err
		}
		t := &table{header: []string{"channel", "new_conversions", "new_value", "returning_conversions", "returning_value"}}
		for _, ch := range channels {
			t.rows = append(t.rows, []cell{
				text(ch.Channel), number(ch.New.Conversions), number(ch.New.Value),
				number(ch.Returning.Conversions), number(ch.Returning.Value),
			})
		}
		c.note(r)
		return t, nil
	})
}

// check finds the model.
func (f *modelFlag) check() error {
	models, err := model.Parse(f.Model)
	if err == nil && len(models) != 1 {
		err = fmt.Errorf("--model is %q; want one model", f.Model)
	}
	if err != nil {
		return usageError{err}
	}
	return nil
}

// note says what sums of credit are not.
func (f *modelFlag) note(r *reporting) {
	if f.Model == (model.Markov{}).Name() {
		fmt.Fprintln(r.stderr, "markov: sums over single conversions; the model's own totals by channel, which attribute prints, differ")
	}
}
