package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/collector/handler"
	"github.com/touchline-hq/touchline/event"
)

func endpointsPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/endpoints.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// section returns the page from a heading to the next.
func section(page, heading string) string {
	_, rest, _ := strings.Cut(page, "\n## "+heading+"\n")
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// Every endpoint of the page is there and takes the method that the page says, and every one there is is on the page.
func TestDocumentedEndpoints(t *testing.T) {
	requests := regexp.MustCompile("`(GET|POST|OPTIONS) (/[^`?]*)").FindAllStringSubmatch(section(endpointsPage(t), "Endpoints"), -1)
	withServer(t, oneProject, func(_ context.Context, s *server) {
		status := func(method, path string) int {
			request, err := http.NewRequest(method, "http://"+s.listener.Addr().String()+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultTransport.RoundTrip(request) // follows nothing
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close() // not read
			if response.ContentLength > 0 && response.Header.Get("Content-Type") == "" {
				t.Errorf("%s %s is answered without a Content-Type", method, path)
			}
			return response.StatusCode
		}
		documented := map[string]bool{"/v1/…": true}
		for _, r := range requests {
			method, path := r[1], r[2]
			if documented[path] || path == "/metrics" {
				continue
			}
			documented[path] = true
			if got := status(method, path); got == 404 || got == 405 {
				t.Errorf("%s %s is answered %d", method, path, got)
			}
			if method == "POST" {
				if got := status("OPTIONS", path); got != 204 {
					t.Errorf("OPTIONS %s is answered %d", path, got)
				}
			}
		}
		for _, endpoint := range handler.Endpoints() {
			for _, path := range endpoint.Paths {
				if !slices.ContainsFunc(slices.Collect(maps.Keys(documented)), func(known string) bool {
					return known == path || strings.HasSuffix(path, "/") && strings.HasPrefix(known, path)
				}) {
					t.Errorf("%s is not documented", path)
				}
			}
		}
	})
}

// The rows of the limits say what the program does without a configuration.
func TestDocumentedLimits(t *testing.T) {
	l, err := (&limitsConfig{}).complete()
	if err != nil {
		t.Fatal(err)
	}
	table := section(endpointsPage(t), "Limits")
	for what, value := range map[string]string{
		"a message, decompressed | `event`":                                   kilobytes(l.event),
		"a batch, decompressed | `batch`":                                     kilobytes(l.batch),
		"messages of a batch | `messages`":                                    fmt.Sprint(l.messages),
		"a body as it arrives | twice `batch`, at least 1 MB":                 fmt.Sprintf("%s, so %d MB", kilobytes(2*l.batch), l.body>>20),
		"header of a request, with its address | `header`":                    kilobytes(l.header),
		"time for a request to arrive, with header and body | `read_timeout`": l.read.String(),
		"time for a client to take its answer | `write_timeout`":              l.write.String(),
		"time between two requests | `idle_timeout`":                          l.idle.String(),
		"connections | `connections`":                                         fmt.Sprint(l.connections),
		"connections from one address (IPv6: one /64) | `connections_per_ip`": "none",
		"an id, `messageId`, `order_id`, the name of an event |":              fmt.Sprint(event.MaxID, " bytes"),
		"`context.consent` |":                                                 fmt.Sprint(event.MaxConsent, " bytes"),
		"`url`, `path`, `referrer` |":                                         fmt.Sprint(enrich.MaxURL, " bytes"),
		"title, campaign fields, click id, locale, time zone, library |":      fmt.Sprint(enrich.MaxText, " bytes"),
	} {
		if row := "\n| " + what + " | " + value + " |"; !strings.Contains(table, row) {
			t.Errorf("the table lacks %s", row)
		}
	}
	for _, key := range []string{"event", "batch", "messages", "header", "connections", "connections_per_ip", "read_timeout", "write_timeout", "idle_timeout"} {
		if !strings.Contains(table, "| `"+key+"` |") {
			t.Errorf("the table lacks the key %s", key)
		}
	}
}

func kilobytes(n int) string { return fmt.Sprint(n>>10, " KB") }
