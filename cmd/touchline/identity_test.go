package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

const linksFile = `message_id,type,event,timestamp,anonymous_id,user_id,value
m1,track,Visit,2026-01-02T10:00:00Z,laptop,ann,
m2,track,Visit,2026-01-03T10:00:00Z,laptop,bob,
m3,track,Order Completed,2026-01-04T10:00:00Z,"pho` + "\x1b" + `ne",bob,1
`

func TestLinksAreListedAndUndone(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	file := t.TempDir() + "/links.csv"
	writeFile(t, file, linksFile)
	output(t, in, "import", "events", file, "--project", "shop")
	output(t, in, "attribute", "--project", "shop")

	const header = "anonymous_id,user_id,first_seen,last_seen,events\n"
	const bob = "laptop,bob,2026-01-03 10:00:00.000,2026-01-03 10:00:00.000,1\n"
	for args, want := range map[string]string{
		"--user bob":                 header + bob + "pho\x1bne,bob,2026-01-04 10:00:00.000,2026-01-04 10:00:00.000,1\n",
		"--device laptop":            header + "laptop,ann,2026-01-02 10:00:00.000,2026-01-02 10:00:00.000,1\n" + bob,
		"--device laptop --user bob": header + bob,
		"--device laptop --user cid": header,
	} {
		if got := output(t, in, append([]string{"identity", "links", "--project", "shop"}, strings.Fields(args)...)...); got != want {
			t.Errorf("%s: got %q\nwant %q", args, got, want)
		}
	}
	if got := output(t, in, "identity", "links", "--project", "shop", "--user", "bob", "--format", "table"); strings.Contains(got, "\x1b") {
		t.Errorf("the terminal gets %q", got)
	}

	began := time.Now().Truncate(time.Millisecond)
	got := output(t, in, "identity", "unlink", "--project", "shop", "--device", "laptop", "--user", "bob", "--reason", "lent it")
	said := regexp.MustCompile(`^events up to (.*) that name both \(1\) no longer link them; touchline attribute makes it so in the tables\n$`).FindStringSubmatch(got)
	if said == nil {
		t.Fatal(got)
	}
	if at, err := time.Parse(instant, said[1]); err != nil || at.Before(began) || at.After(time.Now()) {
		t.Errorf("unlinked at %s, began at %s: %v", at, began, err)
	}
	got = output(t, in, "identity", "unlinks", "--project", "shop")
	if want := fmt.Sprintf("anonymous_id,user_id,unlinked_at,reason\nlaptop,bob,%s,lent it\n", said[1]); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var list []map[string]string
	if err := json.Unmarshal([]byte(output(t, in, "identity", "unlinks", "--project", "shop", "--format", "json")), &list); err != nil || len(list) != 1 || list[0]["reason"] != "lent it" {
		t.Errorf("%v, %v", list, err)
	}

	for args, want := range map[string]string{
		"unlink --project shop --device laptop --user cid": "1 no event of project shop links device laptop to user cid; touchline identity links lists what is linked",
		"unlink --project shop --device laptop --user=":    "2 --device and --user must not be empty",
		"unlink --project shop --device laptop":            "2 missing flags: --user=ID",
		"links --project shop":                             "2 whose links? add --user or --device",
		"unlinks --project ship":                           `2 unknown project "ship"; this installation has shop`,
	} {
		stdout, stderr, code := in.Run(t, append([]string{"identity"}, strings.Fields(args)...)...)
		line, _, _ := strings.Cut(stderr, "\n")
		if got := fmt.Sprint(code, " ", strings.TrimPrefix(line, "touchline: ")); got != want || stdout != "" {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}
