package enrich

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

const refusedMessage = `{"messageId":"m","type":"track","userId":"u-secret","anonymousId":{"a":"secret"},"email":"x@secret.example","timestamp":"t",
	"properties":{"url":"https://shop.example/a?token=secret","search":"?secret","n":1},"traits":{"name":"Secret"},"groupId":"secret",
	"context":{"ip":"203.0.113.77","userAgent":"Secret/1","userAgentData":{"mobile":true},"locale":"de","traits":{"a":"secret"},
		"page":{"url":"https://shop.example/a?secret","referrer":7,"title":"A","search":"?secret","path":"/a?secret"},"app":"secret"}}`

func TestRefusedMessageIsFilteredLikeAnEvent(t *testing.T) {
	client := event.Client{IP: netip.MustParseAddr("203.0.113.77"), UserAgent: "Secret/1"}
	objector := client
	objector.DoNotTrack = true
	anonymous := `{"context":{"locale":"de","page":{"path":"/a","referrer":7,"title":"A","url":"https://shop.example/a"}},"messageId":"m",` +
		`"properties":{"n":1,"url":"https://shop.example/a"},"timestamp":"t","type":"track"}`
	for name, tt := range map[string]struct {
		project collector.Project
		client  event.Client
		message string
		want    string
	}{
		"truncated": {collector.Project{IP: collector.IPTruncate, RespectGPC: true}, client, refusedMessage,
			`{"anonymousId":{"a":"secret"},"context":{"app":"secret","ip":"203.0.113.0","locale":"de","page":{"url":"https://shop.example/a?secret","referrer":7,"title":"A","search":"?secret","path":"/a?secret"},"traits":{"a":"secret"}},` +
				`"groupId":"secret","messageId":"m","properties":{"url":"https://shop.example/a?token=secret","search":"?secret","n":1},"timestamp":"t","traits":{"name":"Secret"},"type":"track","userId":"u-secret"}`},
		"objector":             {collector.Project{RespectGPC: true}, objector, refusedMessage, anonymous},
		"objector, unheard":    {collector.Project{IP: collector.IPKeep}, objector, `{"context":{"ip":1}}`, `{"context":{"ip":"203.0.113.77"}}`},
		"address dropped":      {collector.Project{IP: collector.IPDrop}, client, `{"context":{"ip":"203.0.113.77"}}`, `{}`},
		"context is no object": {collector.Project{IP: collector.IPDrop}, client, `{"context":["203.0.113.77"],"type":5}`, `{"type":5}`},
		"no object":            {collector.Project{}, client, `[1]`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(Privacy{}.Message(&tt.project, &tt.client, []byte(tt.message)))
			if got != tt.want {
				t.Errorf("\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
	p := &collector.Project{RespectGPC: true}
	for reason, want := range map[string]string{
		`timestamp is "secret"; want`:                                   `timestamp is "…"; want`,
		`timestamp is "a\"secret\\\"b"; want`:                           `timestamp is "…"; want`,
		`type is "secret`:                                               `type is "…"`,
		`properties.revenue is 4111111111111111; at most 9e12 is taken`: `properties.revenue is "…"; at most 9e12 is taken`,
		`userId is 600 bytes long; at most 512 are taken`:               `userId is 600 bytes long; at most 512 are taken`,
	} {
		if got := (Privacy{}).Detail(p, &objector, reason); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := (Privacy{}).Detail(p, &client, `timestamp is "secret"; want`); got != `timestamp is "secret"; want` {
		t.Error(got)
	}
}

// Whatever somebody who objects sends, neither ids nor queries are kept.
func FuzzPrivacyMessage(f *testing.F) {
	f.Add([]byte(refusedMessage))
	f.Add([]byte(`{"context":null,"properties":[]}`))
	f.Add([]byte(`7`))
	f.Fuzz(func(t *testing.T, message []byte) {
		got := Privacy{}.Message(&collector.Project{RespectGPC: true}, &event.Client{DoNotTrack: true}, message)
		if got == nil {
			return
		}
		var kept struct {
			Context map[string]json.RawMessage
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(got, &kept) != nil || json.Unmarshal(got, &members) != nil {
			t.Fatalf("%q", got)
		}
		for _, name := range []string{"userId", "anonymousId", "previousId", "groupId", "traits"} {
			if _, ok := members[name]; ok {
				t.Errorf("%s is in %s", name, got)
			}
		}
		for _, name := range []string{"ip", "userAgent", "traits"} {
			if _, ok := kept.Context[name]; ok {
				t.Errorf("context.%s is in %s", name, got)
			}
		}
		var page struct{ URL, Path, Referrer string }
		if json.Unmarshal(kept.Context["page"], &page) == nil && strings.ContainsAny(page.URL+page.Path+page.Referrer, "?#") {
			t.Errorf("%+v", page)
		}
	})
}
