package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestImportedTouchpointsAreTouches(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	dir := t.TempDir()
	file, orders := filepath.Join(dir, "fair.txt"), filepath.Join(dir, "orders.csv")
	writeFile(t, file, `when,who,anonymous_id,account_id,channel,medium,campaign,cost,currency,hall
2026-01-02T10:00:00Z,ann,,acme,trade fairs,,Expo,120.50,EUR,7
2026-01-03T10:00:00+01:00,,phone,,,email,,,,
2026-01-04T10:00:00Z,,,,Press,,,,,
2026-01-04T10:00:00Z,ann,,,,,,,,
,ann,,,Press,,,,,
2026-01-04T10:00:00Z,ann,,,Press,,,-1,,
`)
	writeFile(t, orders, "timestamp,user_id,event,value\n2026-01-05T10:00:00Z,ann,Order Completed,10\n")
	output(t, in, "import", "events", orders, "--project", "shop")
	const refused = `malformed: FILE: line 4 is refused: user_id or anonymous_id is missing
malformed: FILE: line 5 is refused: channel or source or medium is missing
malformed: FILE: line 6 is refused: timestamp is missing
malformed: FILE: line 7 is refused: cost is "-1"; want a number like 12.50, at least 0 and at most 9e12
`
	for _, want := range []string{
		"6 lines = 2 imported + 0 already there + 0 skipped + 4 malformed\n",
		"6 lines = 0 imported + 2 already there + 0 skipped + 4 malformed\n",
	} {
		got := output(t, in, "import", "touchpoints", file, "--project", "shop", "--map", "timestamp=when,user_id=who", "--ignore", "hall")
		if got = strings.ReplaceAll(got, file, "FILE"); got != want+refused {
			t.Errorf("got %s\nwant %s", got, want+refused)
		}
	}
	const question = `SELECT type, event, timestamp, user_id, anonymous_id, account_id, channel, channel_reason, medium, campaign, properties, currency, origin
		FROM events WHERE event = 'Touchpoint' ORDER BY timestamp`
	const want = `type,event,timestamp,user_id,anonymous_id,account_id,channel,channel_reason,medium,campaign,properties,currency,origin
track,Touchpoint,2026-01-02 10:00:00.000,ann,,acme,Trade Fairs,explicit,,Expo,"{""cost"":120.50}",EUR,import
track,Touchpoint,2026-01-03 09:00:00.000,,phone,,Email,utm,email,,,,import
`
	if got := output(t, in, "sql", question); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	const credits = "model,channel,conversions,value\nlinear,Trade Fairs,1,10\n"
	if got := output(t, in, "attribute", "--project", "shop", "--models", "linear", "--format", "csv"); got != credits {
		t.Errorf("credit is %s", got)
	}
	for header, want := range map[string]string{
		"timestamp,user_id":               "channel or source or medium is missing; name the column so, or say which one it is with --map FIELD=COLUMN",
		"timestamp,channel":               "user_id or anonymous_id is missing; name",
		"user_id,channel,when":            `no field is called "when"; say which one with --map`,
		"timestamp,user_id,channel,event": `no field is called "event"; say`,
	} {
		writeFile(t, file, header+"\n")
		_, stderr, code := in.Run(t, "import", "touchpoints", file, "--project", "shop")
		if code != exitFailed || !strings.HasPrefix(stderr, "touchline: "+file+": "+want) {
			t.Errorf("%s: %d %s\nwant %s", header, code, stderr, want)
		}
	}
}
