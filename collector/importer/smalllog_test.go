package importer

import (
	"os/exec"
	"strings"
	"testing"
)

// What small.log holds was worked out by hand, from the list of visits that it was written from. The script and the
// import are held against that and thereby against each other.
const smallLog = "testdata/small.log"

func TestImportSmallLog(t *testing.T) {
	var sink memory
	l, err := newLog(&sink).Run(t.Context(), []string{smallLog})
	if err != nil {
		t.Fatal(err)
	}
	const want = `122 lines = 91 imported + 0 already there + 30 skipped + 1 malformed
imported or already there: 86 pages, 5 downloads
skipped: asset 10, feed 4, method 4, error 3, partial 3, redirect 3, request 3
malformed: testdata/small.log: line 115 has no quote after the user agent
`
	if l.String() != want {
		t.Errorf("got\n%s\nwant\n%s", l.String(), want)
	}
}

func TestScriptCountsSmallLog(t *testing.T) {
	for by, want := range map[string]string{
		"hits": `hits,lines
asset,10
download,5
error,3
feed,4
malformed,1
method,4
page,86
partial,3
redirect,3
request,3
`,
		"channel": `channel,sessions
AI Assistants,1
Affiliates,1
Direct,14
Display,1
Email,1
Organic Search,16
Organic Social,4
Organic Video,1
Paid Search,3
Referral,3
`,
		"referrer_host": `referrer_host,sessions
,12
chatgpt.com,1
deals.example,1
duckduckgo.com,2
hiking.example,1
l.facebook.com,2
magazine.example,1
outdoor.example,1
search.brave.com,1
shop.example,1
shop.example.lookalike.test,1
t.co,1
www.baidu.com,1
www.bing.com,2
www.ecosia.org,1
www.google.com,11
www.linkedin.com,1
www.paypal.com,1
www.shop.example,1
www.youtube.com,1
yandex.ru,1
`,
	} {
		t.Run(by, func(t *testing.T) {
			var problems strings.Builder
			script := exec.CommandContext(t.Context(), "python3", "testdata/count.py", "--host", "shop.example", "--by", by, smallLog)
			script.Stderr = &problems
			got, err := script.Output()
			if err != nil || string(got) != want {
				t.Errorf("%v %s\ngot\n%s\nwant\n%s", err, problems.String(), got, want)
			}
		})
	}
}
