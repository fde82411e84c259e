package enrich

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

var project = &collector.Project{ID: "shop", IP: collector.IPTruncate, RespectGPC: true}

func visit(url, referrer string) (event.Client, event.Event) {
	return event.Client{IP: netip.MustParseAddr("192.0.2.7"), UserAgent: chromeWindows},
		event.Event{
			Project: "shop", MessageID: "m", Type: event.Page, AnonymousID: "a", Library: "js/1", Origin: event.OriginBrowser,
			ClientTimestamp: now, SentAt: now + 100, ReceivedAt: now + 150, URL: url, Referrer: referrer, Context: `{"a":1}`,
		}
}

// All steps, in an order in which the channel knows the host, and privacy comes after whatever needs what it takes.
func TestPipeline(t *testing.T) {
	pl := New(openGeo(t, geoCity))
	client, got := visit("https://www.shop.example/p?gclid=G1", "https://pay.shop.example/")
	want := got
	want.Timestamp, want.Host, want.Path = now, "www.shop.example", "/p"
	want.Country, want.Region, want.City = "DE", "Bavaria", "Munich"
	want.Browser, want.BrowserVersion, want.OS, want.OSVersion, want.Device = "Chrome", "120", "Windows", "10", "desktop"
	want.Source, want.Medium, want.Channel, want.ChannelReason = "google", "cpc", PaidSearch, ReasonClickID
	want.ClickID, want.ClickIDType, want.Context = "G1", "gclid", `{"ip":"192.0.2.0","a":1}`
	objecting := got
	pl.Enrich(project, &client, &got)
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}

	client.DoNotTrack = true
	want.AnonymousID, want.ClickID, want.Context, want.URL = "", "", "", "https://www.shop.example/p"
	pl.Enrich(project, &client, &objecting)
	if objecting != want {
		t.Errorf("got  %+v\nwant %+v", objecting, want)
	}
}

func TestPipelineWithoutGeo(t *testing.T) {
	client, got := visit("https://www.shop.example/", "")
	New(nil).Enrich(project, &client, &got)
	if got.Country != "" || got.Channel != Direct || got.Context != `{"ip":"192.0.2.0","a":1}` {
		t.Errorf("got %+v", got)
	}
}

func TestPipelineIsSafeForConcurrentUse(t *testing.T) {
	geo := openGeo(t, geoCity)
	pl := New(geo)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 500 {
				client, e := visit(fmt.Sprintf("https://www.shop.example/?utm_source=s%d", i), "")
				client.UserAgent = fmt.Sprintf("%s Extra/%d", chromeWindows, i%50)
				e.AnonymousID, e.SentAt = fmt.Sprint(i%50), e.SentAt-int64(i)*100
				pl.Enrich(project, &client, &e)
				if e.Source != fmt.Sprintf("s%d", i) || e.Country != "DE" {
					t.Errorf("worker %d: %+v", worker, e)
				}
			}
		})
	}
	for range 50 {
		if _, err := geo.Reload(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

func BenchmarkPipeline(b *testing.B) {
	for name, c := range map[string]struct{ url, referrer string }{
		"direct":   {"https://www.shop.example/products/shoes", ""},
		"internal": {"https://www.shop.example/products/shoes", "https://www.shop.example/"},
		"search":   {"https://www.shop.example/products/shoes", "https://www.google.co.uk/"},
		"utm": {
			"https://www.shop.example/?utm_source=newsletter&utm_medium=email&utm_campaign=summer&utm_content=hero", "https://mail.google.com/",
		},
	} {
		b.Run(name, func(b *testing.B) {
			pl := New(nil)
			client, given := visit(c.url, c.referrer)
			b.ReportAllocs()
			var e event.Event
			for b.Loop() {
				e = given
				pl.Enrich(project, &client, &e)
			}
		})
	}
}

func BenchmarkChannelDirect(b *testing.B) {
	_, given := visit("https://www.shop.example/products/shoes", "")
	b.ReportAllocs()
	for b.Loop() {
		e := given
		Channel{}.Enrich(project, nil, &e)
	}
}
