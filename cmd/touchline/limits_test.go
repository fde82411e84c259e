package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/bench/instance"
	"github.com/touchline-hq/touchline/collector"
)

// configure reads a configuration whose collector and project have these settings.
func configure(t *testing.T, collector, project string) (*config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "touchline.yaml")
	writeFile(t, file, fmt.Sprintf("collector:\n  limits: { %s }\nprojects:\n  - { id: shop, write_keys: [a], privacy: { mode: full }, %s }\n", collector, project))
	cfg, err := loadConfig(file)
	if err != nil {
		err = fmt.Errorf("%s", strings.TrimPrefix(err.Error(), file))
	}
	return cfg, err
}

func TestLimits(t *testing.T) {
	standard := limits{
		event: 32 << 10, batch: 500 << 10, messages: 5000, body: 1 << 20, header: 16 << 10,
		connections: 5000, read: 15 * time.Second, write: 15 * time.Second, idle: 75 * time.Second,
	}
	cfg, err := configure(t, "", "")
	if err != nil || cfg.limits != standard || cfg.collecting[0].RateLimit != (collector.RateLimit{}) {
		t.Errorf("%+v, %+v, %v", cfg.limits, cfg.collecting[0].RateLimit, err)
	}
	cfg, err = configure(t, "event: 64KB, batch: 2MB, messages: 9000, header: 8KB, connections: 70, connections_per_ip: 7, "+
		"read_timeout: 1s, write_timeout: 500ms, idle_timeout: 2m", "rate_limit: { events: 100 }")
	own := limits{64 << 10, 2 << 20, 9000, 4 << 20, 8 << 10, 70, 7, time.Second, time.Second / 2, 2 * time.Minute}
	if err != nil || cfg.limits != own || cfg.collecting[0].RateLimit != (collector.RateLimit{Events: 100, Burst: 100}) {
		t.Errorf("%+v, %+v, %v", cfg.limits, cfg.collecting[0].RateLimit, err)
	}
	if cfg, err = configure(t, "event: 1MB", ""); err != nil || cfg.limits.batch != 1<<20 {
		t.Errorf("a batch takes %d bytes, less than an event, %v", cfg.limits.batch, err)
	}
}

func TestLimitsAreChecked(t *testing.T) {
	for _, c := range []struct{ collector, project, want string }{
		{"event: 12", "", `:2:20: collector.limits.event: is "12"; want a size like 64KB or 10GB`},
		{"event: 1GB", "", `:2:20: collector.limits.event: is "1GB"; want a size between 1024 and 16777216 bytes`},
		{"batch: 1KB", "", `:2:20: collector.limits.batch: is "1KB"; want a size between 32768 and 67108864 bytes`},
		{"header: 1KB", "", `:2:21: collector.limits.header: is "1KB"; want a size between 4096 and 1048576 bytes`},
		{"messages: -1", "", `:2:23: collector.limits.messages: is -1; want at most 100000, or 0 for the default`},
		{"connections: -1", "", `:2:26: collector.limits.connections: is -1; want at most 2147483647, or 0 for the default`},
		{"connections_per_ip: -1", "", `:2:33: collector.limits.connections_per_ip: is -1; want at most 2147483647, or 0 for the default`},
		{"read_timeout: 15", "", `:2:27: collector.limits.read_timeout: is "15"; want a duration like 15s, at most 1h`},
		{"write_timeout: 0s", "", `:2:28: collector.limits.write_timeout: is "0s"; want a duration like 15s, at most 1h`},
		{"idle_timeout: 2h", "", `:2:27: collector.limits.idle_timeout: is "2h"; want a duration like 15s, at most 1h`},
		{"messages: 1.5", "", `:2:23: is 1.5; want a whole number`},
		{"depth: 5", "", `:2:13: unknown key "depth"`},
		{"", "rate_limit: { events: -1 }", `:4:81: projects[0].rate_limit.events: is -1; want at most 1000000000, or 0 for none`},
		{"", "rate_limit: { events: 1, burst: 2000000000 }", `:4:91: projects[0].rate_limit.burst: is 2000000000; want at most 1000000000, or 0 for none`},
		{"", "rate_limit: { events: 0.5 }", `:4:81: is 0.5; want a whole number`},
		{"", "rate_limit: { events: many }", `:4:81: is many; want a whole number`},
		{"", "rate_limit: { events: 99999999999999999999 }", `:4:81: is 99999999999999999999; want a whole number`},
		{"", "rate_limit: { burst: 5 }", `:4:73: projects[0].rate_limit.events: is missing; a burst alone is no limit`},
	} {
		if _, err := configure(t, c.collector, c.project); err == nil || err.Error() != c.want {
			t.Errorf("%s %s:\ngot  %v\nwant %s", c.collector, c.project, err, c.want)
		}
	}
}

func TestSettingsOfAWrongType(t *testing.T) {
	for text, want := range map[string]string{
		"projects: [{ id: [shop] }]\n":                                ":1:18: is not a text",
		"projects: [{ id: shop, privacy: { respect_gpc: maybe } }]\n": ":1:48: is not true or false",
	} {
		if _, err := parseConfig("t.yaml", []byte(text)); err == nil || err.Error() != "t.yaml"+want {
			t.Errorf("%s:\ngot  %v\nwant t.yaml%s", text, err, want)
		}
	}
}

// A thousand events more than its burst are owed by the key for a quarter of an hour; a reload forgives nothing.
func TestRateLimitSurvivesAReload(t *testing.T) {
	settings := func(keys string) string {
		return "projects: [{ id: shop, write_keys: [" + keys + "], privacy: { mode: full }, rate_limit: { events: 1 } }]\n"
	}
	in := newInstallation(t, settings("wk_shop"))
	up := in.Up(t)
	send(t, in, messageIDs("many", 1000))
	status := func(key string) int {
		answer, err := in.Send(t.Context(), http.DefaultClient, key, []map[string]any{instance.Message("one")})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Status
	}
	if got := status("wk_shop"); got != 429 {
		t.Errorf("status %d, want 429", got)
	}
	in.Configure(t, settings("wk_shop, wk_new"))
	up.Signal(t, syscall.SIGHUP)
	instance.Eventually(t, "the new key is taken", func() error {
		if got := status("wk_new"); got != 200 {
			return fmt.Errorf("status %d", got)
		}
		return nil
	})
	if got := status("wk_shop"); got != 429 {
		t.Errorf("status %d after the reload, want 429", got)
	}
}

func TestLimitsAreCounted(t *testing.T) {
	withServer(t, "projects: [{ id: shop, write_keys: [wk_shop], privacy: { mode: full }, rate_limit: { events: 1 } }]\n",
		func(_ context.Context, s *server) {
			url := "http://" + s.listener.Addr().String()
			for range 2 {
				body := `{"writeKey":"wk_shop","batch":[` + strings.Repeat(`{"type":"page"},`, 99) + `{"type":"page"}]}`
				response, err := http.Post(url+"/v1/batch", "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close() // not read
			}
			response, err := http.Get("http://" + s.admin.Addr().String() + "/metrics")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			metrics, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{
				`touchline_events_total{outcome="over_rate",project="shop",reason=""} 100`, `touchline_requests_refused_total{reason="over_rate"} 1`,
				`touchline_requests_total{endpoint="batch",status="4xx"} 1`,
				`touchline_connections_refused_total{limit="all"} 0`, `touchline_connections_refused_total{limit="per_ip"} 0`,
			} {
				if !strings.Contains(string(metrics), want+"\n") {
					t.Errorf("metrics lack %s", want)
				}
			}
		})
}
