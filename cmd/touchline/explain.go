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
	selection  attribution.Selection
	asOf       time.Time
	conversion attribution.PublishedConversion
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
	if err == nil && c.Kind != "" {
		err = checkKind("--kind", project, c.Kind)
	}
	if err != nil {
		return usageError{err}
	}
	x, err := c.explain(ctx, in.db, attribution.Selection{Project: *project, Kind: c.Kind, Level: c.Level})
	if err != nil {
		return err
	}
	if err := x.writeConversion(g.stderr); err != nil {
		return err
	}
	return x.table().write(os.Stdout, c.Format)
}

func (c *explainCommand) explain(ctx context.Context, db *store.DB, s attribution.Selection) (*explained, error) {
	asOf, err := db.PublishedAsOf(ctx, s.Project)
	if err != nil {
		return nil, err
	}
	if asOf.IsZero() {
		return nil, notPublished(s)
	}
	x := &explained{selection: s, asOf: asOf}
	if x.conversion, err = c.find(ctx, db, x); err != nil {
		return nil, err
	}
	x.selection.Kind = x.conversion.Kind
	if x.credits, err = db.ConversionCredits(ctx, x.selection, x.conversion.ConversionID); err != nil {
		return nil, err
	}
	for _, m := range x.credits {
		if len(m.Shares) != max(len(x.conversion.Touches), 1) {
			return nil, errors.New("touchline attribute has replaced the tables in the meantime: ask again")
		}
	}
	sortByModel(x.credits)
	if len(x.conversion.Touches) == 0 {
		x.nearest, err = db.NearestTouch(ctx, s.Project.ID, x.conversion.Subject, x.conversion.Time)
		return x, err
	}
	x.effects, err = db.RemovalEffects(ctx, x.selection)
	return x, err
}

// find returns the one conversion that is asked for.
func (c *explainCommand) find(ctx context.Context, db *store.DB, x *explained) (attribution.PublishedConversion, error) {
	var none attribution.PublishedConversion
	found, err := db.FindConversion(ctx, x.selection, c.Conversion)
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, c.unknown(x)
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
func (c *explainCommand) unknown(x *explained) error {
	kinds := []string{fmt.Sprintf("%q", c.Kind)}
	if c.Kind == "" {
		kinds = nil
		for _, conversion := range x.selection.Project.Conversions {
			kinds = append(kinds, fmt.Sprintf("%q", conversion.Event))
		}
	}
	return fmt.Errorf("project %q has no conversion with the id or order id %q among %s as of %s",
		c.Project, c.Conversion, strings.Join(kinds, ", "), x.asOf.UTC().Format(time.RFC3339))
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
	_, err := fmt.Fprintf(w, "%s, %s, level %s, as of %s\nconversion %s%s, %s, at %s, %s\n",
		x.selection.Project.ID, c.Kind, x.selection.Level, x.asOf.UTC().Format(time.RFC3339),
		c.ConversionID, order, x.whose(), c.Time.UTC().Format(time.RFC3339Nano), x.worth())
	return err
}

// whose says of whom the conversion is, and which one.
func (x *explained) whose() string {
	c := x.conversion
	switch {
	case c.Account != "" && c.Person != "":
		return fmt.Sprintf("number %d of account %s, by %s", c.Number, c.Account, c.Person)
	case c.Account != "":
		return fmt.Sprintf("number %d of account %s", c.Number, c.Account)
	case c.Person != "":
		return fmt.Sprintf("number %d of %s", c.Number, c.Person)
	default:
		return "of nobody known"
	}
}

func (x *explained) worth() string {
	c, currency := x.conversion, x.selection.Project.Currency
	if !c.Rated {
		return fmt.Sprintf("%s %s, which count without value: there is no rate to %s for its day", moneyText(c.Amount), c.Currency, currency)
	}
	worth := strings.TrimRight("worth "+moneyText(c.Value)+" "+currency, " ")
	if c.Currency != currency && currency != "" && c.Currency != "" {
		worth += fmt.Sprintf(", of %s %s", moneyText(c.Amount), c.Currency)
	}
	if c.Refunded != 0 {
		worth += strings.TrimRight(fmt.Sprintf(" after refunds of %s %s", moneyText(c.Refunded), c.Currency), " ")
	}
	return worth
}

func (x *explained) table() *table {
	t := &table{header: []string{
		"model", "touch", "time", "days_before", "channel", "source", "medium", "campaign", "credit", "value", "why",
	}}
	c := x.conversion
	words := explain.Conversion{
		Converted: c.Time, Touches: c.Touches, HalfLife: x.selection.Project.HalfLife,
		Lead: int(c.Lead), Opportunity: int(c.Opportunity), Effects: x.effects,
	}
	for _, m := range x.credits {
		if len(c.Touches) == 0 {
			t.rows = append(t.rows, x.unattributed(m))
			continue
		}
		why := words.Why(m.Model, m.Shares)
		for i, touch := range c.Touches {
			before := c.Time.Sub(touch.Time)
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
		text(explain.Unattributed(x.conversion, x.selection.Project.Lookback, x.nearest)),
	}
}
