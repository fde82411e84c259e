package importer

import (
	"strings"
	"testing"
)

func TestLedgerPrintsASum(t *testing.T) {
	l := Ledger{
		Lines: 10_025, Imported: 2000, AlreadyThere: 4, Pages: 1990, Downloads: 14,
		Skipped:   map[string]int{skipError: 8, skipAsset: 8000, skipFeed: 8},
		Malformed: []Malformed{{"a.log", 7, "is empty"}, {"b.log.gz", 1234, "has no [time]"}}, MoreMalformed: 3,
	}
	const want = `10,025 lines = 2,000 imported + 4 already there + 8,016 skipped + 5 malformed
imported or already there: 1,990 pages, 14 downloads
skipped: asset 8,000, error 8, feed 8
malformed: a.log: line 7 is empty
malformed: b.log.gz: line 1234 has no [time]
malformed: and 3 more
`
	var b strings.Builder
	n, err := l.WriteTo(&b)
	if err != nil || b.String() != want || n != int64(len(want)) {
		t.Errorf("got %d bytes, %v:\n%s\nwant\n%s", n, err, b.String(), want)
	}
}

func TestLedgerOfNothing(t *testing.T) {
	l := Ledger{}
	if got, want := l.String(), "0 lines = 0 imported + 0 already there + 0 skipped + 0 malformed\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLedgerKeepsTheFirstMalformed(t *testing.T) {
	var l Ledger
	for i := range 25 {
		l.malformed(Malformed{"a.log", i + 1, "is empty"})
	}
	if l.Lines != 25 || len(l.Malformed) != 20 || l.Malformed[19].Line != 20 || l.MoreMalformed != 5 {
		t.Errorf("%+v", l)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 100000: "100,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: got %s", n, got)
		}
	}
}
