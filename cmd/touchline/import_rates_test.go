package main

import (
	"path/filepath"
	"testing"
)

func TestImportedRatesConvert(t *testing.T) {
	in := newInstallation(t, "projects: [{ id: shop, write_keys: [k], currency: CHF, privacy: { mode: full } }]\n")
	dir := t.TempDir()
	ecb, own := filepath.Join(dir, "eurofxref-hist.csv"), filepath.Join(dir, "own.csv")
	writeFile(t, ecb, "Date,USD,CHF,GBP,\n2026-01-05,1.2,0.9,N/A,\n2026-01-02,1.25,0.95,0.8,\n")
	writeFile(t, own, "date,currency,rate\n2026-01-05,GBP,1.1\n2026-01-06,GBP,0\n")
	malformed := "malformed: " + own + ": line 3 column 3 (rate) is 0; want a number from 0.000000001 to 1000000000\n"
	for _, want := range []string{
		"4 lines = 3 imported + 0 already there + 0 skipped + 1 malformed\n" + malformed,
		"4 lines = 0 imported + 3 already there + 0 skipped + 1 malformed\n" + malformed,
	} {
		if got := output(t, in, "import", "rates", ecb, own, "--project", "shop"); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	const question = `SELECT day, currency, factor FROM exchange_rates
		WHERE base = 'CHF' AND day IN ('2026-01-04', '2026-01-05') ORDER BY day, currency`
	const want = `day,currency,factor
2026-01-04,EUR,0.95
2026-01-04,GBP,1.1875
2026-01-04,USD,0.76
2026-01-05,EUR,0.9
2026-01-05,GBP,1.1
2026-01-05,USD,0.75
`
	if got := output(t, in, "sql", question); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
