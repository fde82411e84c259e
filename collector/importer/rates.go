package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchline-hq/touchline/collector"
)

// RateSink stores rates of exchange.
type RateSink interface {
	// InsertRates says of each rate whether it is new. One that is there with another value is replaced. The result is valid
	// until the next call.
	InsertRates(ctx context.Context, rates []collector.ExchangeRate) (added []bool, err error)
}

// Rates imports rates of exchange, of which it needs Project and no event's sink or enricher.
type Rates struct {
	Import

	Rates RateSink
}

const (
	maxRates   = 1_000_000 // of one import, which are kept in memory until all files are read
	ratesBatch = 20_000
	maxColumns = 1000 // of a file
	ecbBase    = "EUR"
)

// Run reads files as AccessLog's Run does. They are CSV: rates by line (date, currency, rate and maybe base, which is the
// project's currency else), or as the ECB has them (a column a currency, each cell the units of it for one euro). A line is
// taken whole or not at all.
func (f *Rates) Run(ctx context.Context, files []string) (Ledger, error) {
	r := ratesRun{run: f.start(), sink: f.Rates, quoted: make(map[ratePair]int)}
	err := r.files(ctx, files, r.open)
	return r.ledger, errors.Join(err, r.insert(ctx))
}

// ratesRun is one call of Run.
type ratesRun struct {
	run
	sink   RateSink
	quoted map[ratePair]int // index of the rate
	rates  []collector.ExchangeRate
	lines  []int // of each line that was read, how many of the rates end there; as many as were new to the run
}

// ratePair is what there is one rate of.
type ratePair struct {
	day            int32
	currency, base [3]byte
}

// rateReader makes rates of the cells of a line.
type rateReader func(cells []string) ([]collector.ExchangeRate, error)

// open finds out by the header how a file is written.
func (r *ratesRun) open(src *source) (lines, func([]byte), error) {
	in := &records{src: src}
	columns, read, err := r.header(in)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: line 1 %w", src.name, err)
	}
	return in, func(record []byte) { r.take(in, record, columns, read) }, nil
}

const wantRates = "want date,currency,rate or date,currency,rate,base, or the ECB's Date,USD,JPY,…"

func (r *ratesRun) header(in *records) ([]string, rateReader, error) {
	record, err := in.Next()
	if errors.Is(err, io.EOF) {
		return nil, nil, errors.New("is missing; " + wantRates)
	}
	if err != nil {
		return nil, nil, err
	}
	columns, err := split(bytes.TrimPrefix(record, []byte("\uFEFF")))
	if err != nil {
		return nil, nil, fmt.Errorf("%w; %s", err, wantRates)
	}
	for i, name := range columns {
		columns[i] = strings.TrimSpace(name)
	}
	if n := len(columns); n > maxColumns {
		return nil, nil, fmt.Errorf("has %d columns; at most %d are taken", n, maxColumns)
	}
	if slices.ContainsFunc(columns, func(name string) bool { return strings.EqualFold(name, "rate") }) {
		read, wrong := r.byLine(columns)
		return columns, read, wrong
	}
	read, err := r.byColumn(columns)
	return columns, read, err
}

// byLine reads files with one rate a line.
func (r *ratesRun) byLine(columns []string) (rateReader, error) {
	at := map[string]int{"base": -1}
	for i, name := range columns {
		name = strings.ToLower(name)
		if !slices.Contains([]string{"date", "currency", "rate", "base"}, name) {
			return nil, fmt.Errorf("column %d is called %q; %s", i+1, clip(name), wantRates)
		}
		if first, twice := at[name]; twice && first >= 0 {
			return nil, fmt.Errorf("has two columns %s", name)
		}
		at[name] = i
	}
	if len(at) != 4 {
		return nil, fmt.Errorf("lacks a column; %s", wantRates)
	}
	return func(cells []string) ([]collector.ExchangeRate, error) {
		rate := collector.ExchangeRate{Base: r.Project.Currency}
		var err error
		if rate.Day, err = r.day(cells[at["date"]]); err != nil {
			return nil, inColumn(columns, at["date"], err)
		}
		if rate.Currency, err = currency(cells[at["currency"]]); err != nil {
			return nil, inColumn(columns, at["currency"], err)
		}
		if i := at["base"]; i >= 0 && cells[i] != "" {
			if rate.Base, err = currency(cells[i]); err != nil {
				return nil, inColumn(columns, i, err)
			}
		}
		if rate.Currency == rate.Base {
			return nil, inColumn(columns, at["currency"], fmt.Errorf("is %s like the base; a currency has no rate to itself", rate.Base))
		}
		if rate.Quoted, err = quotation(cells[at["rate"]]); err != nil {
			return nil, inColumn(columns, at["rate"], err)
		}
		return []collector.ExchangeRate{rate}, nil
	}, nil
}

// byColumn reads the ECB's files: a day a line, a column a currency. Lines end in a comma, so the last column has no name.
func (r *ratesRun) byColumn(columns []string) (rateReader, error) {
	if !strings.EqualFold(columns[0], "date") {
		return nil, fmt.Errorf("column 1 is called %q; %s", clip(columns[0]), wantRates)
	}
	for i, name := range columns[1:] {
		code, err := currency(name)
		switch {
		case name == "" && i+2 == len(columns):
			continue
		case err != nil:
			return nil, fmt.Errorf("column %d %w; %s", i+2, err, wantRates)
		case code == ecbBase:
			return nil, fmt.Errorf("column %d is %s; rates in columns are for one euro, as the ECB has them", i+2, ecbBase)
		case slices.Contains(columns[:i+1], code):
			return nil, fmt.Errorf("has two columns %s", code)
		}
		columns[i+1] = code
	}
	return func(cells []string) ([]collector.ExchangeRate, error) {
		day, err := r.day(cells[0])
		if err != nil {
			return nil, inColumn(columns, 0, err)
		}
		var rates []collector.ExchangeRate
		for i, cell := range cells[1:] {
			if cell == "" || cell == "N/A" {
				continue
			}
			if columns[i+1] == "" {
				return nil, inColumn(columns, i+1, fmt.Errorf("is %q; want nothing in a column without a name", clip(cell)))
			}
			quoted, err := quotation(cell)
			if err != nil {
				return nil, inColumn(columns, i+1, err)
			}
			rates = append(rates, collector.ExchangeRate{Day: day, Currency: columns[i+1], Base: ecbBase, Quoted: quoted, Inverse: true})
		}
		return rates, nil
	}, nil
}

func inColumn(columns []string, i int, err error) error {
	return fmt.Errorf("column %d (%s) %w", i+1, columns[i], err)
}

// day reads the date of a rate, which is known at most a day ahead somewhere on earth.
func (r *ratesRun) day(cell string) (int32, error) {
	day, err := time.Parse(time.DateOnly, cell)
	if err != nil {
		day, err = time.Parse("2 January 2006", cell) // the ECB's file of a single day
	}
	if err != nil {
		return 0, fmt.Errorf("is %q; want a day like 2026-01-31", clip(cell))
	}
	seconds := day.Unix()
	if seconds < 0 || day.After(r.Now().Add(24*time.Hour)) {
		return 0, fmt.Errorf("is %s; want a day from 1970-01-01 to today", clip(cell))
	}
	return int32(seconds / (24 * 60 * 60)), nil
}

func currency(cell string) (string, error) {
	code := strings.ToUpper(cell)
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", fmt.Errorf("is %q; want a code of three letters as in ISO 4217", clip(cell))
	}
	return code, nil
}

var quotationForm = regexp.MustCompile(`^\d{1,10}(\.\d{1,18})?$`)

// quotation returns a rate without zeros that say nothing.
func quotation(cell string) (string, error) {
	if !quotationForm.MatchString(cell) {
		return "", fmt.Errorf("is %q; want a number like 1.0825, with a point and at most 18 decimals", clip(cell))
	}
	if n, err := strconv.ParseFloat(cell, 64); err != nil || n < 1e-9 || n > 1e9 {
		return "", fmt.Errorf("is %s; want a number from 0.000000001 to 1000000000", cell)
	}
	whole, decimals, _ := strings.Cut(cell, ".")
	whole, decimals = strings.TrimLeft(whole, "0"), strings.TrimRight(decimals, "0")
	if whole == "" {
		whole = "0"
	}
	if decimals == "" {
		return whole, nil
	}
	return whole + "." + decimals, nil
}

// take keeps the rates of a line, or enters it in the ledger.
func (r *ratesRun) take(in *records, record []byte, columns []string, read rateReader) {
	if len(bytes.TrimSpace(record)) == 0 {
		r.ledger.skip("empty")
		return
	}
	cells, err := split(record)
	if err == nil && len(cells) != len(columns) {
		err = fmt.Errorf("has %d cells and the header %d", len(cells), len(columns))
	}
	var rates []collector.ExchangeRate
	if err == nil {
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rates, err = read(cells)
	}
	if err == nil {
		err = r.keep(rates)
	}
	if err != nil {
		r.malformed(in, err)
	}
}

// keep keeps all rates of a line or, when one contradicts what was read before, none.
func (r *ratesRun) keep(rates []collector.ExchangeRate) error {
	if len(rates) == 0 {
		r.ledger.skip("without a rate")
		return nil
	}
	if len(r.rates)+len(rates) > maxRates {
		return fmt.Errorf("is beyond the %d rates that one import takes; import the rest by itself", maxRates)
	}
	for _, rate := range rates {
		if i, ok := r.quoted[pairOf(&rate)]; ok && r.rates[i] != rate {
			return fmt.Errorf("has %s for %s and %s; a line before has %s for that day", rate.Quoted, rate.Currency, rate.Base, r.rates[i].Quoted)
		}
	}
	for _, rate := range rates {
		if _, ok := r.quoted[pairOf(&rate)]; !ok {
			r.quoted[pairOf(&rate)] = len(r.rates)
			r.rates = append(r.rates, rate)
		}
	}
	r.lines = append(r.lines, len(r.rates))
	return nil
}

func pairOf(rate *collector.ExchangeRate) ratePair {
	p := ratePair{day: rate.Day}
	copy(p.currency[:], rate.Currency)
	copy(p.base[:], rate.Base)
	return p
}

// insert stores the rates and enters their lines in the ledger.
func (r *ratesRun) insert(ctx context.Context) error {
	var added []bool // of the rates that are stored
	for batch := range slices.Chunk(r.rates, ratesBatch) {
		if err := ctx.Err(); err != nil {
			r.enter(added)
			return err
		}
		fresh, err := r.sink.InsertRates(ctx, batch)
		if err != nil {
			r.enter(added)
			return fmt.Errorf("insert: %w", err)
		}
		added = append(added, fresh...)
	}
	r.enter(added)
	return nil
}

// enter enters the lines whose rates are stored: those with a new one are imported.
func (r *ratesRun) enter(added []bool) {
	start := 0
	for _, end := range r.lines {
		if end > len(added) {
			return
		}
		r.ledger.Lines++
		if slices.Contains(added[start:end], true) {
			r.ledger.Imported++
		} else {
			r.ledger.AlreadyThere++
		}
		start = end
	}
}
