package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/bench/instance"
)

// adminURL is where the running instance's admin listener is.
func adminURL(t *testing.T, in *instance.Installation) string {
	t.Helper()
	note, err := os.ReadFile(filepath.Join(in.Dir, "instance.json"))
	if err != nil {
		t.Fatal(err)
	}
	admin := regexp.MustCompile(`"admin": "([^"]+)"`).FindStringSubmatch(string(note))
	if admin == nil {
		t.Fatalf("no admin address in %s", note)
	}
	return "http://" + admin[1]
}

// scrape returns what the running instance says of itself.
func scrape(t *testing.T, in *instance.Installation) string {
	t.Helper()
	status, text, err := get(t.Context(), adminURL(t, in)+"/metrics")
	if err != nil || status != http.StatusOK {
		t.Fatalf("metrics: %d, %v", status, err)
	}
	return text
}

// exposed are the metrics of a text as rows of the documentation's table.
func exposed(text string) (rows []string) {
	helps, types, labels := map[string]string{}, map[string]string{}, map[string]map[string]bool{}
	label := regexp.MustCompile(`([a-z_]+)="`)
	for line := range strings.Lines(text) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 4)
		switch {
		case words[0] == "#" && words[1] == "HELP":
			helps[words[2]] = words[3]
		case words[0] == "#":
			types[words[2]], labels[words[2]] = words[3], map[string]bool{}
		default:
			name, _, _ := strings.Cut(words[0], "{")
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if base := strings.TrimSuffix(name, suffix); types[base] == "histogram" {
					name = base
				}
			}
			for _, l := range label.FindAllStringSubmatch(line, -1) {
				if l[1] != "le" {
					labels[name][l[1]] = true
				}
			}
		}
	}
	for name, typ := range types {
		if !strings.HasPrefix(name, "touchline_") {
			continue
		}
		var names []string
		for l := range labels[name] {
			names = append(names, l)
		}
		slices.Sort(names)
		list := " " + strings.Join(names, ", ")
		rows = append(rows, "| `"+name+"` | "+typ+" |"+strings.TrimRight(list, " ")+" | "+helps[name]+" |")
	}
	slices.Sort(rows)
	return rows
}

func TestEveryMetricIsInTheDocumentation(t *testing.T) {
	in := newInstallation(t, withGeo(t))
	up := in.Up(t)
	post(t, in, "/v1/page", `{"writeKey":"wk_shop"}`, http.StatusOK)
	up.Signal(t, syscall.SIGTERM)
	up.Wait(t)
	up = in.Up(t, "--verbose")
	says(t, up, "scheduled run of attribution")
	post(t, in, "/v1/batch", `{"writeKey":"wk_shop","batch":[{"type":"page"},{"type":"track"}]}`, http.StatusOK)
	var got []string
	instance.Eventually(t, "the batch is delivered", func() error {
		got = exposed(scrape(t, in))
		return examined(t, in, 0, strings.Join([]string{
			"received 3 3 by this collector, 0 by others, 0 imported", "= stored 2 each message once", "+ duplicate 0",
			"+ rejected 1 invalid event", "+ pending 0", "+ expired 0",
		}, "\n"))
	})
	got = exposed(scrape(t, in))
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := regexp.MustCompile("(?m)^\\| `touchline_[a-z_]+` \\| (?:counter|gauge|histogram) .*$").FindAllString(string(text), -1)
	slices.Sort(documented)
	if !slices.Equal(got, documented) {
		t.Errorf("exposed\n%s\ndocumented\n%s", strings.Join(got, "\n"), strings.Join(documented, "\n"))
	}
}

func TestRequestsAreCountedByEndpointAndClass(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newRequestMetrics(registry)
	for _, r := range []struct {
		path   string
		status int
	}{{"/v1/b", 200}, {"/v1/batch", 204}, {"/v1/pixel/track", 200}, {"/p.gif", 200}, {"/r/x", 302}, {"/t.0a.js", 304}, {"/v1/batch", 503}, {"/' OR 1", 404}, {"/v1/t", 999}} {
		var ctx fasthttp.RequestCtx
		ctx.Request.SetRequestURI(r.path)
		m.count(func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(r.status) })(&ctx)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key := ""
			for _, l := range metric.GetLabel() {
				key += l.GetValue() + " "
			}
			if n := metric.GetCounter().GetValue(); n > 0 {
				got[key] = n
			}
			if n := metric.GetHistogram().GetSampleCount(); n > 0 {
				got[key] = float64(n)
			}
		}
	}
	want := map[string]float64{
		"batch 2xx ": 2, "batch 5xx ": 1, "pixel 2xx ": 2, "link 3xx ": 1, "script 3xx ": 1, "other 4xx ": 1, "track 5xx ": 1,
		"batch ": 3, "pixel ": 2, "link ": 1, "script ": 1, "other ": 1, "track ": 1,
	}
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s: %v, want %v", key, got[key], want[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

func BenchmarkRequestMetrics(b *testing.B) {
	m := newRequestMetrics(prometheus.NewRegistry())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, &net.TCPAddr{}, nil)
		ctx.Request.SetRequestURI("/p.gif?k=wk")
		ctx.Path()
		for pb.Next() {
			m.observe(&ctx, time.Since(ctx.Time()))
		}
	})
}
