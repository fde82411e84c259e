package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/collector"
)

func TestChannelRulesOfTheConfiguration(t *testing.T) {
	name := filepath.Join(t.TempDir(), "touchline.yaml")
	load := func(rules string) (*config, error) {
		writeFile(t, name, "projects:\n  - id: shop\n    write_keys: [k]\n    privacy: { mode: full }\n    channels:\n"+rules)
		return loadConfig(name)
	}
	c, err := load("      - { channel: Partner, source: \"ACME*\", referrer: \"*.Acme.example\" }\n      - { channel: Ads, click_id: g* }\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []collector.ChannelRule{{Channel: "Partner", Source: "acme*", Referrer: "*.acme.example"}, {Channel: "Ads", ClickID: "g*"}}
	if got := c.collecting[0].Channels; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for rules, want := range map[string]string{
		"      - { source: a }\n":                                            ":6:11: projects[0].channels[0].channel: is missing",
		"      - { channel: A, source: a }\n      - channel: B\n":            ":7:9: projects[0].channels[1]: has no condition",
		"      - { channel: A, sauce: a }\n":                                 `:6:23: unknown key "sauce"`,
		"      - { channel: A, referrer: \"https://a.example\" }\n":          `:6:33: projects[0].channels[0].referrer: is "https://a.example"; want a host`,
		"      - { channel: A, click_id: glcid }\n":                          `:6:33: projects[0].channels[0].click_id: is "glcid"; want one of `,
		"      - { channel: A, medium: " + strings.Repeat("m", 101) + " }\n": ":6:31: projects[0].channels[0].medium: is 101 bytes long; at most 100 are taken",
		strings.Repeat("      - { channel: A, medium: m }\n", 1001):          ":6:", // 1001 rules
	} {
		if _, err := load(rules); err == nil || !strings.HasPrefix(err.Error(), name+want) {
			t.Errorf("%.60q: %v, want %s", rules, err, want)
		}
	}
}

func TestReloadTakesRulesAndSaysWhatNeedsARestart(t *testing.T) {
	in := newInstallation(t, "projects:\n  - { id: shop, write_keys: [wk_shop], privacy: { mode: full } }\n  - { id: other, write_keys: [wk_other], privacy: { mode: full } }\n")
	up := in.Up(t)
	channels := func(want string) error {
		got := strings.Join(strings.Fields(output(t, in, "sql", "SELECT concat(message_id, ':', channel) FROM events ORDER BY message_id")), " ")
		if got != "concat(message_id,':',channel) "+want && !strings.HasSuffix(got, " "+want) {
			return fmt.Errorf("%s, want %s", got, want)
		}
		return nil
	}
	page := func(id string) string {
		return fmt.Sprintf(`{"messageId":%q,"writeKey":"wk_shop","context":{"page":{"url":"https://shop.example/?utm_source=acme&utm_medium=email"}}}`, id)
	}
	post(t, in, "/v1/page", page("a"), http.StatusOK)
	text, err := os.ReadFile(in.Config)
	if err != nil {
		t.Fatal(err)
	}
	collectorLine, _, _ := strings.Cut(string(text), "\n")
	writeFile(t, in.Config, strings.Replace(collectorLine, "127.0.0.1:0", "127.0.0.1:1", 1)+`
data: ./elsewhere
projects:
  - { id: shop, write_keys: [wk_shop], privacy: { mode: full, retention: 100d }, channels: [{ channel: Partner, source: acme }] }
`)
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(in.Config, later, later); err != nil {
		t.Fatal(err)
	}
	if stdout, _, _ := in.Run(t, "doctor"); !strings.Contains(stdout, "note   configuration   changed at ") {
		t.Errorf("doctor does not say that the file has changed: %s", stdout)
	}
	up.Signal(t, syscall.SIGHUP)
	instance.Eventually(t, "what reloading did", func() error {
		for _, line := range []string{
			"reloaded projects, keys and rules from " + in.Config,
			"note: project other is no longer in the configuration: its keys are refused, its events stay",
			"note: restart to apply what differs from what is in use: data, collector.admin",
		} {
			if said := up.Stderr(t); !strings.Contains(said, line+"\n") {
				return fmt.Errorf("%q is not in %s", line, said)
			}
		}
		return nil
	})
	post(t, in, "/v1/page", page("b"), http.StatusOK)
	post(t, in, "/v1/page", `{"writeKey":"wk_other"}`, http.StatusUnauthorized)
	old := instance.Message("c")
	sendMessages(t, in, []map[string]any{old})
	instance.Eventually(t, "both are stored", func() error {
		return channels("a:Email b:Partner c:Direct")
	})
}
