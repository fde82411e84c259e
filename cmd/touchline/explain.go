package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/explain"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/store"
)

// explainCommand says what led to one conversion, what each model gives each touch, and why.
type explainCommand struct {
	Conversion string `arg:"" help:"conversion_id, or order id."`
	Project    string `help:"Project." required:""`
	Kind       string `help:"Event that is the conversion, where an order id names conversions of several kinds."`
	Level      string `help:"person or account: whose journey." enum:"person,account" default:"person"`
	Format     format `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

// explained is a conversion, and why it is credited as it is.
type explained struct {
	project    attribution.Project
	level      string
	conversion attribution.PublishedConversion
	asOf       time.Time
	touches    []attribution.Touch
	credits    []attribution.PublishedCredit
	effects    map[string]float64
	nearest    *attribution.Touch // where there are no touches: the one that came closest
}

func (c *explainCommand) Run(ctx context.Context, g *globals) error {
	if c.Conversion == "" {
		return usageError{errors.New("the conversion is empty; want a conversion_id or an order id")}
	}
	in, err := g.open(ctx)
	if err != nil {
		return err
	}
	defer in.close()
	project, _, err := in.cfg.project(c.Project)
	if err != nil {
		return usageError{err}
	}
	x, err := c.explain(ctx, in.db, *project)
	if err != nil {
		return err
	}
	if err := x.writeConversion(g.stderr); err != nil {
		return err
	}
	return x.table().write(os.Stdout, c.Format)
}

func (c *explainCommand) explain(ctx context.Context, db *store.DB, project attribution.Project) (*explained, error) {
	conversion, err := c.find(ctx, db)
	if err != nil {
		return nil, err
	}
	x := &explained{project: project, level: c.Level, conversion: conversion}
	s := attribution.Selection{Project: project, Kind: conversion.Kind, Level: c.Level}
	if x.touches, x.asOf, err = db.ConversionTouches(ctx, s, conversion.ConversionID); err != nil {
		return nil, err
	}
	if x.asOf.IsZero() {
		return nil, notPublished(s)
	}
	if x.credits, err = db.ConversionCredits(ctx, s, conversion.ConversionID, conversion.Time); err != nil {
		return nil, err
	}
	for _, m := range x.credits {
		if len(m.Shares) != max(len(x.touches), 1) {
			return nil, errors.New("touchline attribute has replaced the tables in the meantime: ask again")
		}
	}
	sortByModel(x.credits)
	if len(x.touches) == 0 {
		x.nearest, err = db.NearestTouch(ctx, project.ID, conversion.Person, conversion.Identified, conversion.Time)
		return x, err
	}
	x.effects, err = db.RemovalEffects(ctx, s)
	return x, err
}

// find returns the one conversion that is asked for.
func (c *explainCommand) find(ctx context.Context, db *store.DB) (attribution.PublishedConversion, error) {
	var none attribution.PublishedConversion
	found, err := db.FindConversion(ctx, c.Project, c.Kind, c.Conversion)
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, c.unknown(ctx, db)
	}
	if len(found) > 1 && found[0].ConversionID != c.Conversion {
		var kinds []string
		for _, f := range found {
			kinds = append(kinds, fmt.Sprintf("%q", f.Kind))
		}
		return none, usageError{fmt.Errorf("order %q has conversions of the kinds %s: choose one with --kind", c.Conversion, strings.Join(kinds, ", "))}
	}
	return found[0], nil
}

// unknown says where the conversion was looked for.
func (c *explainCommand) unknown(ctx context.Context, db *store.DB) error {
	kinds, err := db.PublishedKinds(ctx, c.Project, c.Level)
	if err != nil {
		return err
	}
	var known []string
	for kind, asOf := range kinds {
		if c.Kind == "" || c.Kind == kind {
			known = append(known, fmt.Sprintf("%q (as of %s)", kind, asOf.UTC().Format(time.RFC3339)))
		}
	}
	slices.Sort(known)
	if len(known) == 0 {
		known = []string{"no kind of conversion"}
	}
	return fmt.Errorf("project %q has no conversion with the id or order id %q; touchline attribute has published %s",
		c.Project, c.Conversion, strings.Join(known, ", "))
}

// sortByModel sorts into the order in which reports list models.
func sortByModel(credits []attribution.PublishedCredit) {
	place := map[string]int{}
	for i, m := range model.All() {
		place[m.Name()] = i - len(model.All())
	}
	slices.SortStableFunc(credits, func(a, b attribution.PublishedCredit) int { return place[a.Model] - place[b.Model] })
}

// writeConversion says which conversion it is.
func (x *explained) writeConversion(w io.Writer) error {
	c := x.conversion
	order := ""
	if c.OrderID != "" {
		order = ", order " + c.OrderID
	}
	whose := "of nobody known"
	if c.Person != "" {
		whose = fmt.Sprintf("number %d of %s", c.Number, c.Person)
	}
	worth := strings.TrimRight("worth "+moneyText(c.Value)+" "+x.project.Currency, " ")
	switch {
	case c.Currency != "" && x.project.Currency != "" && c.Currency != x.project.Currency:
		worth = fmt.Sprintf("%s %s, which count without value", moneyText(c.Amount), c.Currency)
	case c.Refunded != 0:
		worth += " after refunds of " + moneyText(c.Refunded)
	}
	_, err := fmt.Fprintf(w, "%s, %s, level %s, as of %s\nconversion %s%s, %s, at %s, %s\n",
		x.project.ID, c.Kind, x.level, x.asOf.UTC().Format(time.RFC3339),
		c.ConversionID, order, whose, c.Time.UTC().Format(time.RFC3339Nano), worth)
	return err
}

// weekly is the half-life of time_decay.
const weekly = 7 * 24 * time.Hour

func (x *explained) table() *table {
	t := &table{header: []string{
		"model", "touch", "time", "days_before", "channel", "source", "medium", "campaign", "credit", "value", "why",
	}}
	words := explain.Conversion{Converted: x.conversion.Time, Touches: x.touches, HalfLife: weekly, Effects: x.effects}
	for _, m := range x.credits {
		why := words.Why(m.Model, m.Shares)
		if len(x.touches) == 0 {
			t.rows = append(t.rows, x.unattributed(m))
			continue
		}
		for i, touch := range x.touches {
			before := x.conversion.Time.Sub(touch.Time)
			t.rows = append(t.rows, []cell{
				text(m.Model), count(int64(i) + 1), text(touch.Time.UTC().Format(time.RFC3339Nano)), number(before.Hours() / 24),
				text(touch.Channel), text(touch.Source), text(touch.Medium), text(touch.Campaign),
				number(float64(m.Shares[i]) / attribution.ShareUnit), money(m.Values[i]), text(why[i]),
			})
		}
	}
	return t
}

// unattributed is the row of a conversion without touches.
func (x *explained) unattributed(m attribution.PublishedCredit) []cell {
	return []cell{
		text(m.Model), count(0), text(""), {"", nil}, text(attribution.Unattributed), text(""), text(""), text(""),
		number(float64(m.Shares[0]) / attribution.ShareUnit), money(m.Values[0]),
		text(explain.Unattributed(x.conversion, x.project.Lookback, x.nearest)),
	}
}
