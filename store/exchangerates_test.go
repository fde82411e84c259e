package store_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/store/storetest"
)

// quotations are rates of a few days and currencies, as view exchange_rates is meant to read them.
type quotations map[string]collector.ExchangeRate // by day, currency and base

func quotationKey(day int32, currency, base string) string {
	return fmt.Sprint(day, " ", currency, " ", base)
}

// held is the rate of a pair on a day, which is that of the last day that has one.
func (q quotations) held(day int32, currency, base string) *big.Rat {
	for back := range int32(8) {
		if r, ok := q[quotationKey(day-back, currency, base)]; ok {
			x, _ := new(big.Rat).SetString(r.Quoted)
			if r.Inverse {
				x.Inv(x)
			}
			return x
		}
	}
	return nil
}

// direct prefers a pair to its inverse, and says which it is.
func (q quotations) direct(day int32, currency, base string) (x *big.Rat, inverse int) {
	if x = q.held(day, currency, base); x != nil {
		return x, 0
	}
	if x = q.held(day, base, currency); x != nil {
		return x.Inv(x), 1
	}
	return nil, 0
}

// factor goes by way of the third currency that needs the fewest inverses, of the first leg before the second.
func (q quotations) factor(day int32, currencies []string, currency, base string) *big.Rat {
	if x, _ := q.direct(day, currency, base); x != nil {
		return x
	}
	var best *big.Rat
	least := 4
	for _, via := range currencies { // in order of their names
		first, a := q.direct(day, currency, via)
		second, b := q.direct(day, via, base)
		if first != nil && second != nil && 2*a+b < least {
			best, least = first.Mul(first, second), 2*a+b
		}
	}
	return best
}

// worlds are quotations of currencies of their own, so that one question answers for many.
const worlds = 100

func currenciesOf(world int) []string {
	return []string{fmt.Sprint("A", world), fmt.Sprint("B", world), fmt.Sprint("C", world), fmt.Sprint("D", world)}
}

func quotationsOf(world int) quotations {
	return rapid.Custom(func(t *rapid.T) quotations {
		q := make(quotations)
		for range rapid.IntRange(1, 12).Draw(t, "rates") {
			pair := rapid.Permutation(currenciesOf(world)).Draw(t, "pair")
			r := collector.ExchangeRate{
				Day: rapid.Int32Range(100, 115).Draw(t, "day"), Currency: pair[0], Base: pair[1],
				Quoted:  rapid.SampledFrom([]string{"0.000000001", "0.3", "1.2", "7", "1000000000"}).Draw(t, "quoted"),
				Inverse: rapid.Bool().Draw(t, "inverse"),
			}
			q[quotationKey(r.Day, r.Currency, r.Base)] = r
		}
		return q
	}).Example(world)
}

func TestExchangeRatesAgainstTheirDefinition(t *testing.T) {
	db := storetest.Open(t)
	var rates []collector.ExchangeRate
	for world := range worlds {
		rates = slices.AppendSeq(rates, maps.Values(quotationsOf(world)))
	}
	if _, err := db.InsertRates(t.Context(), rates); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Conn().Query(t.Context(), `SELECT day, currency, base, toString(factor) FROM touchline.exchange_rates
		WHERE match(currency, '^[ABCD][0-9]+$')`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	got := make(map[string]string)
	for rows.Next() {
		var day time.Time
		var currency, base, factor string
		if err := rows.Scan(&day, &currency, &base, &factor); err != nil {
			t.Fatal(err)
		}
		key := quotationKey(int32(day.Unix()/86400), currency, base)
		if got[key] != "" {
			t.Errorf("%s is there twice", key)
		}
		got[key] = factor
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for world := range worlds {
		wantFactors(t, quotationsOf(world), currenciesOf(world), got)
	}
	if len(got) > 0 {
		t.Errorf("too many: %v", got)
	}
}

// wantFactors compares all days and pairs and takes them from got; a factor may be off by one in its last decimal.
func wantFactors(t *testing.T, q quotations, currencies []string, got map[string]string) {
	unit := big.NewRat(1, 1_000_000_000_000_000_000)
	for day := int32(95); day < 130; day++ {
		for _, currency := range currencies {
			for _, base := range currencies {
				if currency == base {
					continue
				}
				key := quotationKey(day, currency, base)
				want := q.factor(day, currencies, currency, base)
				factor, ok := new(big.Rat).SetString(got[key])
				delete(got, key)
				switch {
				case want == nil && !ok:
				case want == nil || !ok:
					t.Errorf("%s: factor %v, want %v", key, factor, want)
				case factor.Sub(factor, want).Abs(factor).Cmp(unit) > 0:
					t.Errorf("%s: the factor is off %v by %s", key, want, factor.FloatString(20))
				}
			}
		}
	}
}
