package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/collector"
)

// rateMemory is a RateSink that keeps the latest rate of each day and pair.
type rateMemory struct {
	rates map[ratePair]collector.ExchangeRate
	fail  error
}

func (m *rateMemory) InsertRates(_ context.Context, rates []collector.ExchangeRate) ([]bool, error) {
	var added []bool
	for _, rate := range rates {
		p := pairOf(&rate)
		added = append(added, m.rates[p] != rate)
		m.rates[p] = rate
	}
	return added, m.fail
}

func newRates(files ...string) (*Rates, *rateMemory) {
	sink := &rateMemory{rates: make(map[ratePair]collector.ExchangeRate)}
	return &Rates{Rates: sink, Import: Import{
		Project: &collector.Project{ID: "shop", Currency: "CHF"}, Stdin: strings.NewReader(strings.Join(files, "")),
		Now: func() time.Time { return time.Date(2026, 1, 10, 20, 0, 0, 0, time.UTC) },
	}}, sink
}

// list writes rates as "day CUR/BAS quoted", the inverse ones as "day 1 BAS = quoted CUR".
func (m *rateMemory) list() []string {
	var list []string
	for _, r := range m.rates {
		form := "%d %s/%s %s"
		if r.Inverse {
			form = "%d 1 %[3]s = %[4]s %[2]s"
		}
		list = append(list, fmt.Sprintf(form, r.Day, r.Currency, r.Base, r.Quoted))
	}
	slices.Sort(list)
	return list
}

func TestImportRates(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
		l    Ledger
	}{
		"lines": {
			"\uFEFFCurrency, Date ,rate\r\nusd,2026-01-02,0.90\r\nUSD, 2026-01-03 ,1\r\n\r\nEUR,1970-01-01,1000000000.0\nGBP,2026-01-11,0.000000001\n",
			[]string{"0 EUR/CHF 1000000000", "20455 USD/CHF 0.9", "20456 USD/CHF 1", "20464 GBP/CHF 0.000000001"},
			Ledger{Lines: 5, Imported: 4, Skipped: map[string]int{"empty": 1}},
		},
		"lines with a base": {
			"date,currency,rate,base\n2026-01-02,USD,0.9,EUR\n2026-01-02,USD,0.8,\n2026-01-02,EUR,1.1,USD\n",
			[]string{"20455 EUR/USD 1.1", "20455 USD/CHF 0.8", "20455 USD/EUR 0.9"},
			Ledger{Lines: 3, Imported: 3},
		},
		"columns": {
			"Date,USD,JPY,\n2026-01-05,1.08,N/A,\n2026-01-02,1.0900,170,\n2025-12-31,N/A,,\n",
			[]string{"20455 1 EUR = 1.09 USD", "20455 1 EUR = 170 JPY", "20458 1 EUR = 1.08 USD"},
			Ledger{Lines: 3, Imported: 2, Skipped: map[string]int{"without a rate": 1}},
		},
		"a single day of columns": {
			"Date, USD, JPY, \n02 January 2026, 1.08, 170.1, \n",
			[]string{"20455 1 EUR = 1.08 USD", "20455 1 EUR = 170.1 JPY"},
			Ledger{Lines: 1, Imported: 1},
		},
		"twice, and contradicting": {
			"date,currency,rate\n2026-01-02,USD,0.9\n2026-01-02,USD,0.90\n2026-01-02,USD,0.91\n",
			[]string{"20455 USD/CHF 0.9"},
			Ledger{Lines: 3, Imported: 1, AlreadyThere: 1, Malformed: []Malformed{
				{"stdin", 4, "has 0.91 for USD and CHF; a line before has 0.9 for that day"},
			}},
		},
		"a line is taken whole": {
			"Date,USD,JPY\n2026-01-02,1.08,-170\n2026-01-05,1.08,171\n2026-01-05,1.09,171\n",
			[]string{"20458 1 EUR = 1.08 USD", "20458 1 EUR = 171 JPY"},
			Ledger{Lines: 3, Imported: 1, Malformed: []Malformed{
				{"stdin", 2, `column 3 (JPY) is "-170"; want a number like 1.0825, with a point and at most 18 decimals`},
				{"stdin", 4, "has 1.09 for USD and EUR; a line before has 1.08 for that day"},
			}},
		},
		"mistakes": {
			`date,currency,rate,base
2026-01-02,USD,"1,08",
2026-01-02,USD,-1,
2026-01-02,USD,0,
2026-01-02,USD,0.0000000009,
2026-01-02,USD,1000000000.1,
2026-01-02,USD,1.0000000000000000001,
2026-01-02,USD,1e3,
2026-01-02,USD,NaN,
2026-01-02,USD,,
02.01.2026,USD,1,
1969-12-31,USD,1,
2026-01-12,USD,1,
2026-01-02,Dollar,1,
2026-01-02,USD,1,€
2026-01-02,CHF,1,
2026-01-02,USD,1,usd
2026-01-02,USD
2026-01-02,U"SD,1,
`, nil,
			Ledger{Lines: 18, Malformed: []Malformed{
				{"stdin", 2, `column 3 (rate) is "1,08"; want a number like 1.0825, with a point and at most 18 decimals`},
				{"stdin", 3, `column 3 (rate) is "-1"; want a number like 1.0825, with a point and at most 18 decimals`},
				{"stdin", 4, `column 3 (rate) is 0; want a number from 0.000000001 to 1000000000`},
				{"stdin", 5, `column 3 (rate) is 0.0000000009; want a number from 0.000000001 to 1000000000`},
				{"stdin", 6, `column 3 (rate) is 1000000000.1; want a number from 0.000000001 to 1000000000`},
				{"stdin", 7, `column 3 (rate) is "1.0000000000000000001"; want a number like 1.0825, with a point and at most 18 decimals`},
				{"stdin", 8, `column 3 (rate) is "1e3"; want a number like 1.0825, with a point and at most 18 decimals`},
				{"stdin", 9, `column 3 (rate) is "NaN"; want a number like 1.0825, with a point and at most 18 decimals`},
				{"stdin", 10, `column 3 (rate) is ""; want a number like 1.0825, with a point and at most 18 decimals`},
				{"stdin", 11, `column 1 (date) is "02.01.2026"; want a day like 2026-01-31`},
				{"stdin", 12, `column 1 (date) is 1969-12-31; want a day from 1970-01-01 to today`},
				{"stdin", 13, `column 1 (date) is 2026-01-12; want a day from 1970-01-01 to today`},
				{"stdin", 14, `column 2 (currency) is "Dollar"; want a code of three letters as in ISO 4217`},
				{"stdin", 15, `column 4 (base) is "€"; want a code of three letters as in ISO 4217`},
				{"stdin", 16, `column 2 (currency) is CHF like the base; a currency has no rate to itself`},
				{"stdin", 17, `column 2 (currency) is USD like the base; a currency has no rate to itself`},
				{"stdin", 18, `has 2 cells and the header 4`},
				{"stdin", 19, `has a quote that is not closed within 64 KB`},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, sink := newRates(c.text)
			l, err := f.Run(t.Context(), []string{"-"})
			if err != nil || !reflect.DeepEqual(l, c.l) {
				t.Errorf("ledger %+v, %v\nwant   %+v", l, err, c.l)
			}
			if got := sink.list(); !slices.Equal(got, c.want) {
				t.Errorf("rates %q\nwant  %q", got, c.want)
			}
		})
	}
}

func TestImportOfRatesStopsBeforeInserting(t *testing.T) {
	const want = "want date,currency,rate or date,currency,rate,base, or the ECB's Date,USD,JPY,…"
	good := write(t, "good.csv", []byte("date,currency,rate\n2026-01-02,USD,1\n"))
	for text, complaint := range map[string]string{
		"":                               "is missing; " + want,
		"date;currency;rate\n":           `column 1 is called "date;currency;rate"; ` + want,
		"day,currency,rate\n":            `column 1 is called "day"; ` + want,
		"date,currency,rate,rate\n":      "has two columns rate",
		"currency,rate,base\n":           "lacks a column; " + want,
		"Date,USD,Dollar\n":              `column 3 is "Dollar"; want a code of three letters as in ISO 4217; ` + want,
		"Date,,USD\n":                    `column 2 is ""; want a code of three letters as in ISO 4217; ` + want,
		"Date,USD,EUR\n":                 "column 3 is EUR; rates in columns are for one euro, as the ECB has them",
		"Date,USD,usd\n":                 "has two columns USD",
		"date,\"currency,rate\n":         "has a quote that is not closed within 64 KB",
		"date,x\"\"\n":                   "is no CSV: bare \" in non-quoted-field at byte 7; " + want,
		strings.Repeat(",", 1000) + "\n": "has 1001 columns; at most 1000 are taken",
	} {
		file := write(t, "a.csv", []byte(text))
		f, sink := newRates()
		l, err := f.Run(t.Context(), []string{good, file})
		if want := file + ": line 1 " + complaint; err == nil || err.Error() != want || l.Lines > 0 || len(sink.rates) > 0 {
			t.Errorf("%.40q: %v, %+v\nwant %s", text, err, l, want)
		}
	}
	f, sink := newRates()
	sink.fail = errors.New("full")
	if l, err := f.Run(t.Context(), []string{good}); err == nil || err.Error() != "insert: full" || l.Lines > 0 {
		t.Errorf("%v, %+v", err, l)
	}
}

// What comes before damage counts.
func TestImportOfRatesFromADamagedFile(t *testing.T) {
	var text strings.Builder
	text.WriteString("date,currency,rate\n")
	for i := range 3000 {
		fmt.Fprintf(&text, "%s,USD,1.%d\n", time.Unix(int64(i)*24*60*60, 0).UTC().Format(time.DateOnly), i*i*i+1)
	}
	gz := gzipped(t, text.String())
	f, sink := newRates()
	l, err := f.Run(t.Context(), []string{write(t, "a.csv.gz", gz[:len(gz)-2000])})
	if err == nil || l.Lines == 0 || l.Lines != l.Imported || len(sink.rates) != l.Imported || l.Imported >= 3000 {
		t.Errorf("%v, %+v, %d rates", err, l, len(sink.rates))
	}
}

// FuzzRates holds that every line of any file is accounted for, that a repeated import adds nothing, and that what is stored
// keeps the rules.
func FuzzRates(f *testing.F) {
	for _, seed := range []string{
		"", "date,currency,rate\n2026-01-02,USD,0.9\n2026-01-02,USD,0.9\n\n2026-01-03,USD,1,5\n",
		"Date,USD,JPY,\n2026-01-05,1.08,N/A,\n2026-01-02,\"1.09\",170,\n",
		"base,date,currency,rate\nEUR,02 January 2026,USD,0.000000000000000001\n\"", "\uFEFFDate, USD, \r\n1999-01-04, 1.1789, \r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		rates, sink := newRates()
		var ledgers [2]Ledger
		for i := range ledgers {
			rates.Stdin = bytes.NewReader(text)
			l, err := rates.Run(t.Context(), []string{"-"})
			if err != nil {
				if !strings.HasPrefix(err.Error(), "stdin: ") || strings.ContainsAny(err.Error(), "\r\n") {
					t.Fatalf("error %q", err)
				}
				return
			}
			skipped := l.Skipped["empty"] + l.Skipped["without a rate"]
			if l.Lines != l.Imported+l.AlreadyThere+skipped+len(l.Malformed)+l.MoreMalformed {
				t.Fatalf("%+v", l)
			}
			ledgers[i] = l
		}
		if first, second := ledgers[0], ledgers[1]; second.Imported != 0 || second.AlreadyThere != first.Imported+first.AlreadyThere {
			t.Fatalf("first %+v\nsecond %+v", first, second)
		}
		for _, r := range sink.rates {
			if again, err := quotation(r.Quoted); err != nil || again != r.Quoted || r.Currency == r.Base || r.Day < 0 || len(r.Currency) != 3 || len(r.Base) != 3 {
				t.Fatalf("%+v", r)
			}
		}
	})
}
