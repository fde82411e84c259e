package importer

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const tail = ` "GET / HTTP/1.1" 200 512 "https://www.google.com/" "Mozilla/5.0 (X11)"`

var at = time.Date(2015, 5, 17, 10, 5, 3, 0, time.UTC)

func TestParseLine(t *testing.T) {
	plain := entry{"203.0.113.7", at, "GET / HTTP/1.1", 200, "https://www.google.com/", "Mozilla/5.0 (X11)"}
	with := func(change func(*entry)) entry {
		e := plain
		change(&e)
		return e
	}
	const prefix = `203.0.113.7 - - [17/May/2015:10:05:03 +0000]`
	for name, c := range map[string]struct {
		line string
		want entry
	}{
		"plain":        {prefix + tail, plain},
		"offset":       {`203.0.113.7 - - [17/May/2015:12:05:03 +0200]` + tail, plain},
		"user":         {`203.0.113.7 - jane [17/May/2015:10:05:03 +0000]` + tail, plain},
		"user, spaces": {`203.0.113.7 - Jane Doe [17/May/2015:10:05:03 +0000]` + tail, plain},
		"ident":        {`203.0.113.7 jd jane [17/May/2015:10:05:03 +0000]` + tail, plain},
		"IPv6":         {`2001:db8::7 - - [17/May/2015:10:05:03 +0000]` + tail, with(func(e *entry) { e.Addr = "2001:db8::7" })},
		"host name":    {`cable-7.isp.example - - [17/May/2015:10:05:03 +0000]` + tail, with(func(e *entry) { e.Addr = "cable-7.isp.example" })},
		"more fields":  {prefix + tail + ` "198.51.100.1" 0.003`, plain},
		"nothing sent": {prefix + ` "-" 408 - "-" "-"`, entry{Addr: "203.0.113.7", Time: at, Status: 408}},
		"binary":       {prefix + ` "\x16\x03\x01" 400 0 "" ""`, entry{Addr: "203.0.113.7", Time: at, Request: "\x16\x03\x01", Status: 400}},
		"escaped quotes": {prefix + ` "GET /?q=\"a\" HTTP/1.1" 200 - "-" "say \"hi\" \\ \x22x\x22"`,
			entry{"203.0.113.7", at, `GET /?q="a" HTTP/1.1`, 200, "", `say "hi" \ "x"`}},
		"bare quotes": {prefix + ` "GET / HTTP/1.1" 200 - "-" "a "b"c d"`, entry{"203.0.113.7", at, "GET / HTTP/1.1", 200, "", `a "b"c d`}},
		"other escapes": {prefix + ` "GET / HTTP/1.1" 200 - "-" "\t\n\r \q \xZZ \x4"`,
			entry{"203.0.113.7", at, "GET / HTTP/1.1", 200, "", "\t\n\r \\q \\xZZ \\x4"}},
		"escaped UTF-8": {prefix + ` "GET / HTTP/1.1" 200 - "-" "\xc3\xa4"`, entry{"203.0.113.7", at, "GET / HTTP/1.1", 200, "", "ä"}},
		"not UTF-8":     {prefix + ` "GET / HTTP/1.1" 200 - "-" "a\xe4b` + "\xe5" + `c\x00d"`, entry{"203.0.113.7", at, "GET / HTTP/1.1", 200, "", "a\uFFFDb\uFFFDc\uFFFDd"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseLine(c.line)
			if err != nil || got != c.want {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestParseLineRefuses(t *testing.T) {
	const prefix = `203.0.113.7 - - [17/May/2015:10:05:03 +0000] `
	for line, want := range map[string]string{
		"":                         "is empty",
		" \t":                      "is empty",
		"hello":                    "has no [time]",
		"203.0.113.7 - [17/May":    "must have address, ident and user before the [time]",
		"203.0.113.7 - - [17/May":  "has no end of [time]",
		"203.0.113.7 - - [now] \"": `has time "now"; want 17/May/2015:10:05:03 +0000`,
		`203.0.113.7 - - [01/Jan/1970:00:00:00 +0000]` + tail:                      `has time "01/Jan/1970:00:00:00 +0000"; want a year from 1990 to 2099`,
		`203.0.113.7 - - [01/Jan/2100:00:00:00 +0000]` + tail:                      `has time "01/Jan/2100:00:00:00 +0000"; want a year from 1990 to 2099`,
		`203.0.113.7 - - [31/Feb/2015:00:00:00 +0000]` + tail:                      `has time "31/Feb/2015:00:00:00 +0000"; want 17/May/2015:10:05:03 +0000`,
		`shop.example:443 203.0.113.7 - - [17/May/2015:10:05:03 +0000]` + tail:     "has an address as its second word: remove the virtual host at the start",
		`shop.example 203.0.113.7 - [17/May/2015:10:05:03 +0000]` + tail:           "has an address as its second word: remove the virtual host at the start",
		`shop.example 203.0.113.7 jane [17/May/2015:10:05:03 +0000]` + tail:        "has an address as its second word: remove the virtual host at the start",
		`May 17 10:05:03 web: 203.0.113.7 - - [17/May/2015:10:05:03 +0000]` + tail: "must have address, ident and user before the [time]",
		prefix + `GET /`:                            "has no quote before the request",
		prefix + `"GET / HTTP/1.1`:                  "has no quote after the request",
		prefix + `"GET / HTTP/1.1\" 200 5`:          "has no quote after the request",
		prefix + `"GET / HTTP/1.1"200 5`:            "has no quote after the request",
		prefix + `"GET / HTTP/1.1" OK 5`:            `has status "OK"; want three digits`,
		prefix + `"GET / HTTP/1.1" 20 5`:            `has status "20"; want three digits`,
		prefix + `"GET / HTTP/1.1" -20 5`:           `has status "-20"; want three digits`,
		prefix + `"GET / HTTP/1.1" 200`:             `has size ""; want a number or "-"`,
		prefix + `"GET / HTTP/1.1" 200 x`:           `has size "x"; want a number or "-"`,
		prefix + `"GET / HTTP/1.1" 200 5`:           "ends after the size: common log format, which has no referrer and user agent; combined is needed",
		prefix + `"GET / HTTP/1.1" 200 5 "a`:        "has no quote after the referrer",
		prefix + `"GET / HTTP/1.1" 200 5 "a"`:       "has no quote before the user agent",
		prefix + `"GET / HTTP/1.1" 200 5 "a" "b\"`:  "has no quote after the user agent",
		prefix + `"GET / HTTP/1.1" 200 5 "a" - "b"`: "has no quote before the user agent",
	} {
		t.Run(line, func(t *testing.T) {
			got, err := parseLine(line)
			if err == nil || err.Error() != want {
				t.Errorf("got  %+v, %v\nwant %s", got, err, want)
			}
		})
	}
}

func TestEntryIP(t *testing.T) {
	for addr, want := range map[string]netip.Addr{
		"203.0.113.7":        netip.MustParseAddr("203.0.113.7"),
		"::ffff:203.0.113.7": netip.MustParseAddr("203.0.113.7"),
		"2001:db8::7":        netip.MustParseAddr("2001:db8::7"),
		"fe80::1%eth0":       netip.MustParseAddr("fe80::1"),
		"isp.example":        {},
		"-":                  {},
	} {
		if got := (&entry{Addr: addr}).IP(); got != want {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add(`203.0.113.7 - - [17/May/2015:10:05:03 +0000]` + tail)
	f.Add(`2001:db8::7 - jane doe [17/May/2015:10:05:03 -0930] "\x16\x03" 400 - "-" "a \"b\" \\"`)
	f.Add(`203.0.113.7 - - [17/May/2015:10:05:03 +0000] "GET http://shop.example/a b?q#f HTTP/1.0" 304 0 "" "\`)
	f.Add(`- - - [] "" 0 0 "" ""`)
	f.Add("0 0 0 [\n] ")
	f.Fuzz(func(t *testing.T, line string) {
		e, err := parseLine(line)
		if err != nil {
			if len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("the error is not one short line: %q", err)
			}
			return
		}
		for _, s := range []string{e.Request, e.Referrer, e.UserAgent} {
			if !utf8.ValidString(s) {
				t.Errorf("%q is not UTF-8", s)
			}
		}
		if e.Addr == "" || e.Time.UnixMilli() <= 0 || e.Status < 0 || e.Status > 999 {
			t.Errorf("%+v", e)
		}
		r, ok := parseRequest(e.Request, "shop.example")
		skip, extension := classify(r, e.Status)
		if ok && skip == "" && (r.Path == "" || r.Path[0] != '/' || strings.ContainsAny(r.Path, "?#")) {
			t.Errorf("visit with path %q", r.Path)
		}
		if skip != "" && extension != "" {
			t.Errorf("skipped for %s and a download .%s", skip, extension)
		}
	})
}
