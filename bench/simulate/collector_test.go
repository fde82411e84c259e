package simulate

import (
	"encoding/json"
	"testing"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/decode"
	"github.com/touchline-hq/touchline/collector/enrich"
	"github.com/touchline-hq/touchline/event"
)

// The collector must take every message, and see in it what the simulation means: where it came from, which channel
// brought the visit, and whether it was a person.
func TestCollectorSeesWhatIsMeant(t *testing.T) {
	var decoder decode.Decoder
	pipeline := enrich.New(nil)
	received := config.End.UnixMilli()
	for _, w := range worlds {
		cfg := config
		cfg.Scale = 0.05
		project := &collector.Project{ID: w.project, Currency: "EUR", IP: collector.IPTruncate}
		for _, sent := range receive(w.messages(cfg)) {
			body, err := json.Marshal(map[string]any{"batch": []message{sent.message}, "sentAt": config.End})
			if err != nil {
				t.Fatal(err)
			}
			result, err := decoder.Batch(body, decode.Request{ReceivedAt: received})
			if err != nil || len(result.Messages) != 1 {
				t.Fatalf("%s: %v, %+v", body, err, result)
			}
			m := result.Messages[0]
			pipeline.Enrich(project, &m.Client, &m.Event)
			e := m.Event
			origin := event.OriginBrowser
			if sent.Context.Library.Name == "analytics-node" {
				origin = event.OriginServer
			}
			if e.Origin != origin || e.IsBot != isBot(sent) || e.Timestamp != sent.at.UnixMilli() {
				t.Fatalf("%s: origin %s, bot %v, at %d", body, e.Origin, e.IsBot, e.Timestamp)
			}
			channel := touch(sent, w.site)
			if channel != "" && e.Channel != channel || channel == "" && sent.Type == "page" && enrich.IsEvidence(e.ChannelReason) {
				t.Fatalf("%s: channel %q because of %q, want %q", body, e.Channel, e.ChannelReason, channel)
			}
		}
	}
}
