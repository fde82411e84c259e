package store_test

import (
	"slices"
	"testing"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/store/storetest"
)

func TestRatesAreInsertedOnceAndCorrected(t *testing.T) {
	db := storetest.Open(t)
	dollar := collector.ExchangeRate{Day: 20455, Currency: "USY", Base: "EUY", Quoted: "1.08", Inverse: true}
	peso := collector.ExchangeRate{Day: 20455, Currency: "PEY", Base: "EUY", Quoted: "0.000000001"}
	next := dollar
	next.Day, next.Quoted = 20456, "1000000000"
	corrected := dollar
	corrected.Quoted = "1.0825"
	turned := dollar
	turned.Inverse = false
	for i, step := range []struct {
		rates []collector.ExchangeRate
		added []bool
		want  []string
	}{
		{nil, []bool{}, nil},
		{
			[]collector.ExchangeRate{dollar, peso}, []bool{true, true},
			[]string{"2026-01-02 PEY 0.000000001 1000000000 rate", "2026-01-02 USY 0.925925925925925926 1.08 inverse"},
		},
		{
			[]collector.ExchangeRate{next, dollar, peso}, []bool{true, false, false},
			[]string{
				"2026-01-02 PEY 0.000000001 1000000000 rate", "2026-01-02 USY 0.925925925925925926 1.08 inverse",
				"2026-01-03 USY 0.000000001 1000000000 inverse",
			},
		},
		{
			[]collector.ExchangeRate{corrected}, []bool{true},
			[]string{
				"2026-01-02 PEY 0.000000001 1000000000 rate", "2026-01-02 USY 0.923787528868360277 1.0825 inverse",
				"2026-01-03 USY 0.000000001 1000000000 inverse",
			},
		},
		{
			[]collector.ExchangeRate{turned}, []bool{true},
			[]string{
				"2026-01-02 PEY 0.000000001 1000000000 rate", "2026-01-02 USY 1.08 0.925925925925925926 rate",
				"2026-01-03 USY 0.000000001 1000000000 inverse",
			},
		},
	} {
		added, err := db.InsertRates(t.Context(), step.rates)
		if err != nil || !slices.Equal(added, step.added) {
			t.Errorf("step %d: added %v, %v; want %v", i, added, err, step.added)
		}
		got := column[string](t, db, `SELECT concatWithSeparator(' ', toString(day), currency, toString(rate), toString(inverse), quoted)
			FROM touchline.rates WHERE base = 'EUY' ORDER BY day, currency`)
		if !slices.Equal(got, step.want) {
			t.Errorf("step %d: got %q\nwant %q", i, got, step.want)
		}
	}
}

// Currencies of tests are their own, because rates belong to no project.
func TestExchangeRates(t *testing.T) {
	db := storetest.Open(t)
	run(t, db, `INSERT INTO touchline.rates_raw VALUES
		('2026-01-02', 'USX', 'EUX', 0.8,                  1.25, 'inverse', '2026-01-03 00:00:00'), -- a Friday
		('2026-01-05', 'USX', 'EUX', 0.833333333333333333, 1.2,  'inverse', '2026-01-06 00:00:00'),
		('2026-01-05', 'USX', 'EUX', 0.5,                  2,    'inverse', '2026-01-04 00:00:00'), -- corrected by the one before
		('2026-01-05', 'GBX', 'EUX', 1.142857142857142857, 0.875, 'inverse', '2026-01-06 00:00:00'),
		('2026-01-05', 'EUX', 'CHX', 0.9,                  1.111111111111111111, 'rate', '2026-01-06 00:00:00'),
		('2026-01-05', 'CHX', 'EUX', 1.1,                  0.909090909090909091, 'rate', '2026-01-06 00:00:00')`)
	factors := func(where string) []string {
		return column[string](t, db, `SELECT concat(toString(day), ' ', currency, base, ' ', toString(factor))
			FROM touchline.exchange_rates WHERE endsWith(currency, 'X') AND `+where+` ORDER BY day, currency, base`)
	}
	for _, c := range []struct {
		about, where string
		want         []string
	}{
		{"a rate holds until the next, and for seven more days", "currency = 'USX' AND base = 'EUX'", []string{
			"2026-01-02 USXEUX 0.8", "2026-01-03 USXEUX 0.8", "2026-01-04 USXEUX 0.8",
			"2026-01-05 USXEUX 0.833333333333333333", "2026-01-06 USXEUX 0.833333333333333333", "2026-01-07 USXEUX 0.833333333333333333",
			"2026-01-08 USXEUX 0.833333333333333333", "2026-01-09 USXEUX 0.833333333333333333", "2026-01-10 USXEUX 0.833333333333333333",
			"2026-01-11 USXEUX 0.833333333333333333", "2026-01-12 USXEUX 0.833333333333333333",
		}},
		{"a day, all pairs", "day = '2026-01-06'", []string{
			"2026-01-06 CHXEUX 1.1",                  // imported, though its inverse is there too
			"2026-01-06 CHXGBX 0.9625",               // 1.1 × 0.875: CHX to EUX was imported, and so was EUX to GBX, inversely
			"2026-01-06 CHXUSX 1.32",                 // 1.1 × 1.2
			"2026-01-06 EUXCHX 0.9",                  // imported
			"2026-01-06 EUXGBX 0.875",                // as it was quoted, not 1 ÷ 1.142857142857142857
			"2026-01-06 EUXUSX 1.2",                  //
			"2026-01-06 GBXCHX 1.028571428571428571", // 0.9 ÷ 0.875
			"2026-01-06 GBXEUX 1.142857142857142857", //
			"2026-01-06 GBXUSX 1.371428571428571429", // 1.2 ÷ 0.875
			"2026-01-06 USXCHX 0.75",                 // 0.9 ÷ 1.2
			"2026-01-06 USXEUX 0.833333333333333333", //
			"2026-01-06 USXGBX 0.729166666666666667", // 0.875 ÷ 1.2
		}},
	} {
		if got := factors(c.where); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q\nwant %q", c.about, got, c.want)
		}
	}
	// As the view's comment says: the amount is exact where the quotation allows it.
	got := column[string](t, db, `SELECT toString(round(toDecimal256(toDecimal64(amount, 6), 6) * factor, 6))
		FROM (SELECT arrayJoin(['120', '0.01', '999999999999.999999']) AS amount) AS a
		CROSS JOIN (SELECT factor FROM touchline.exchange_rates WHERE currency = 'USX' AND base = 'EUX' AND day = '2026-01-06') AS r`)
	if want := []string{"100", "0.008333", "833333333333.333332"}; !slices.Equal(got, want) {
		t.Errorf("amounts %q, want %q", got, want)
	}
}
