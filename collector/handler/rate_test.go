package handler

import (
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/collector"
)

// Requests of which nothing can be read count against the rate, and fill nothing beyond it.
func TestNonsenseIsWithinTheRate(t *testing.T) {
	f := newFixture()
	projects := collector.NewProjects([]collector.Project{
		{ID: "shop", WriteKeys: []string{"wk_shop"}, RateLimit: collector.RateLimit{Events: 1, Burst: 3}, Origins: []string{"https://shop.test"}},
	})
	f.Projects = func() *collector.Projects { return projects }
	for range 20 {
		if status, _, _ := f.do("POST", "/v1/batch", "nonsense", headers{"Authorization": basic("wk_shop")}); status != 400 {
			t.Errorf("status %d", status)
		}
		f.do("POST", "/v1/batch", "{}", headers{"Authorization": basic("wk_shop"), "Origin": "https://evil.test"})
	}
	equal(t, len(f.sink.records), 3)
}

// A key of ten events a second, twenty at once, on a clock of its own.
func TestRateLimit(t *testing.T) {
	f := newFixture()
	projects := collector.NewProjects([]collector.Project{
		{ID: "shop", WriteKeys: []string{"wk_shop"}, RateLimit: collector.RateLimit{Events: 10, Burst: 20}},
		{ID: "open", WriteKeys: []string{"wk_open"}},
	})
	f.Projects = func() *collector.Projects { return projects }
	clock := time.Now().Add(time.Hour)
	f.Now = func() time.Time { return clock }
	auth, open := headers{"Authorization": basic("wk_shop")}, headers{"Authorization": basic("wk_open")}
	batch := func(n int) string {
		return `{"batch":[` + strings.Repeat(`{"type":"page"},`, n-1) + `{"type":"page"}]}`
	}
	passes := response{status: 200, body: success}
	refused := func(seconds string) response {
		return response{status: 429, headers: headers{"Retry-After": seconds}, body: `{"success":false,"error":"` +
			`too many events for this write key's rate_limit; none was taken, send them again after ` + seconds + ` s"}`}
	}

	f.expect(t, "POST", "/v1/batch", batch(19), auth, passes)
	f.expect(t, "POST", "/v1/batch", batch(2), auth, refused("1")) // none of the two
	f.expect(t, "POST", "/v1/batch", batch(100), open, passes)     // another key
	f.expect(t, "POST", "/v1/page", `{}`, auth, passes)
	f.expect(t, "POST", "/v1/page", `{}`, auth, refused("1"))
	f.expect(t, "GET", "/p.gif?k=wk_shop&e=page", "", nil, response{status: 200, body: gif, headers: headers{
		"Content-Type": "image/gif", "Cache-Control": "no-store",
		"X-Touchline-Rejected": "too many events for this write key's rate_limit; none was taken, send them again after 1 s",
	}})
	f.expect(t, "GET", "/v1/pixel/page?data=eyJ3cml0ZUtleSI6IndrX3Nob3AifQ", "", nil, response{status: 200, body: gif, headers: headers{
		"Content-Type": "image/gif", "Cache-Control": "no-store",
		"X-Touchline-Rejected": "too many events for this write key's rate_limit; none was taken, send them again after 1 s",
	}})
	f.expect(t, "POST", "/v1/batch", batch(20), auth, refused("2"))

	// What a batch has beyond the burst is owed: 5 s for 50 events, and none the sooner.
	clock = clock.Add(2 * time.Second)
	f.expect(t, "POST", "/v1/batch", batch(50), auth, passes)
	f.expect(t, "POST", "/v1/batch", batch(50), auth, refused("5"))
	f.expect(t, "POST", "/v1/page", `{}`, auth, refused("4"))
	clock = clock.Add(3100 * time.Millisecond)
	f.expect(t, "POST", "/v1/page", `{}`, auth, passes)

	// Refused messages are work, too.
	clock = clock.Add(time.Hour)
	f.expect(t, "POST", "/v1/batch", `{"batch":[`+strings.Repeat(`{"type":"page"},`, 19)+`{"messageId":"x","type":"none"}]}`, auth, response{
		status: 200, body: `{"success":true,"rejected":[{"index":19,"messageId":"x","reason":"type is \"none\"; want track, page, screen, identify, group or alias"}]}`,
	})
	f.expect(t, "POST", "/v1/page", `{}`, auth, refused("1"))

	equal(t, f.Snapshot(), Stats{Accepted: 19 + 100 + 1 + 50 + 1 + 19, Rejected: 1, OverRate: 8})
	equal(t, f.ByProject(), map[string]ProjectStats{
		"shop": {19 + 1 + 50 + 1 + 19, map[string]int64{"invalid type": 1}, 2 + 1 + 1 + 1 + 20 + 50 + 1 + 1},
		"open": {100, map[string]int64{}, 0},
	})
	equal(t, len(f.sink.events(t)), 19+100+1+50+1+19)
}
