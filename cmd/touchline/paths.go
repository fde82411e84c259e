package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/attribution/pathfile"
	"github.com/touchline-hq/touchline/attribution/transform"
)

// pathsCommand runs models on a file of paths, without any server.
type pathsCommand struct {
	File   string `arg:"" help:"CSV with a header: path (channels joined by ' > '), conversions, value, nulls, hours."`
	Models string `help:"Models, separated by commas: ${models}, and time_decay if the file has the column hours." default:"${models}"`
	modelFlags
	transformFlags
	Show   string `help:"credit; or of markov's chain: removal (effects of removing each channel), transitions, orders (which one fits)." enum:"credit,removal,transitions,orders" default:"credit"`
	Format format `help:"auto, table, csv or json." enum:"auto,table,csv,json" default:"auto"`
}

func (c *pathsCommand) Run() error { return c.write(os.Stdout) }

func (c *pathsCommand) write(w io.Writer) error {
	settings, err := c.settings()
	if err != nil {
		return usageError{err}
	}
	models, err := c.models(settings)
	if err != nil {
		return usageError{err}
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	paths, err := pathfile.Read(file, c.File)
	if err != nil {
		return err
	}
	transformed, fold := transform.Apply(paths, c.transforms()...)
	var t *table
	switch c.Show {
	case "removal":
		t, err = removalTable(settings.Markov, transformed)
	case "transitions":
		t, err = transitionTable(settings.Markov, transformed)
	case "orders":
		t, err = orderTable(transformed)
	default:
		t, err = fitTable(models, paths.Channels, transformed, fold)
	}
	if err != nil {
		return err
	}
	return t.write(w, c.Format)
}

// models returns the models asked for. A file of paths says nothing of milestones.
func (c *pathsCommand) models(settings model.Settings) ([]attribution.Model, error) {
	models, err := settings.Parse(c.Models)
	for _, m := range models {
		if _, milestoned := m.(attribution.Milestoned); milestoned {
			return nil, fmt.Errorf("paths does not have the model %s: a file of paths says nothing of milestones", m.Name())
		}
	}
	return models, err
}

// fitTable is the credit of channels, under models that learn from transformed paths.
func fitTable(models []attribution.Model, channels []string, transformed *attribution.Paths, fold func(attribution.Fitted) attribution.Fitted) (*table, error) {
	fitted, errs := make([]attribution.Fitted, len(models)), make([]error, len(models))
	var fits sync.WaitGroup
	for i, m := range models {
		fits.Go(func() { fitted[i], errs[i] = m.Fit(transformed) })
	}
	fits.Wait()
	t := &table{header: creditHeader}
	for i, m := range models {
		if errs[i] != nil {
			return nil, errs[i]
		}
		t.rows = append(t.rows, creditRows(m.Name(), channels, fold(fitted[i]).Totals())...)
	}
	return t, nil
}

var creditHeader = []string{"model", "channel", "conversions", "value"}

// creditRows lists channels by their credit, the largest first.
func creditRows(name string, channels []string, credits []attribution.Credit) [][]cell {
	var rows [][]cell
	for _, i := range byConversions(credits) {
		rows = append(rows, []cell{text(name), text(channels[i]), number(credits[i].Conversions), number(credits[i].Value)})
	}
	return rows
}

// byConversions returns the positions of credits, the largest first.
func byConversions(credits []attribution.Credit) []int {
	order := make([]int, len(credits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(credits[b].Conversions, credits[a].Conversions) })
	return order
}

// removalTable lists channels by how many conversions would be lost without them, the most first.
func removalTable(m model.Markov, paths *attribution.Paths) (*table, error) {
	x, err := m.Explain(paths)
	if err != nil {
		return nil, err
	}
	t := &table{header: []string{"channel", "removal_effect", "removal_effect_value", "p_conversion", "p_conversion_without"}}
	for _, i := range byConversions(x.Removal) {
		effect := x.Removal[i]
		t.rows = append(t.rows, []cell{
			text(paths.Channels[i]), probability(effect.Conversions).cell(), probability(effect.Value).cell(),
			probability(x.Conversion).cell(), probability(x.Conversion * (1 - effect.Conversions)).cell(),
		})
	}
	return t, nil
}

func transitionTable(m model.Markov, paths *attribution.Paths) (*table, error) {
	x, err := m.Explain(paths)
	if err != nil {
		return nil, err
	}
	t := &table{header: []string{"from", "to", "probability"}}
	for _, step := range x.Transitions {
		t.rows = append(t.rows, []cell{text(step.From), text(step.To), probability(step.Probability).cell()})
	}
	return t, nil
}

func whole(n int) cell { return cell{strconv.Itoa(n), json.Number(strconv.Itoa(n))} }

// orderTable says how well each order fits, and which one is chosen by what.
func orderTable(paths *attribution.Paths) (*table, error) {
	fits, err := model.CompareOrders(paths)
	if err != nil {
		return nil, err
	}
	best := map[string]int{"penalized_auc": model.BestByAUC(fits), "held_out": model.BestByLikelihood(fits)}
	t := &table{header: []string{"order", "states", "auc", "penalized_auc", "held_out_log_likelihood", "best_by"}}
	for _, f := range fits {
		var by []string
		for _, measure := range []string{"held_out", "penalized_auc"} {
			if best[measure] == f.Order {
				by = append(by, measure)
			}
		}
		t.rows = append(t.rows, []cell{
			whole(f.Order), whole(f.States), probability(f.AUC).cell(), probability(f.PenalizedAUC).cell(),
			probability(f.Likelihood).cell(), text(strings.Join(by, " ")),
		})
	}
	return t, nil
}
