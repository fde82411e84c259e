package simulate

import (
	"encoding/json"
	"iter"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config is a third of the demo's size: the tests run with the race detector, too.
var config = Config{Seed: 7, Scale: 1.0 / 3, End: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}

// expectation is what holds of a world.
type expectation struct {
	project          string
	received         func() []received
	site             string
	messages         func(Config) iter.Seq[Message]
	truth            func(Config) Truth
	least, most      int        // messages
	conversionShares [2]float64 // of the subjects
}

var worlds = []expectation{
	{"shop", shopMessages, "shop.example", Shop, ShopTruth, 20_000, 30_000, [2]float64{0.04, 0.08}},
	{"b2b", b2bMessages, "b2b.example", B2B, B2BTruth, 5_000, 8_300, [2]float64{0.1, 0.2}},
}

// What the worlds send, generated once.
var (
	shopMessages = sync.OnceValue(func() []received { return receive(Shop(config)) })
	b2bMessages  = sync.OnceValue(func() []received { return receive(B2B(config)) })
)

// received is what a collector could read of a message.
type received struct {
	message
	at   time.Time // of the Message; its timestamp must say the same
	size int
	err  error // of decoding
}

func receive(seq iter.Seq[Message]) []received {
	var all []received
	for m := range seq {
		var got received
		got.err = json.Unmarshal(m.JSON, &got.message)
		got.at, got.size = m.Time, len(m.JSON)
		all = append(all, got)
	}
	return all
}

func bodies(seq iter.Seq[Message]) []string {
	var all []string
	for m := range seq {
		all = append(all, m.Project+" "+string(m.JSON))
	}
	return all
}

func TestSameConfigSameBytes(t *testing.T) {
	for _, w := range worlds {
		cfg := config
		cfg.Scale = 0.1
		a, b := bodies(w.messages(cfg)), bodies(w.messages(cfg))
		if len(a) == 0 || !slices.Equal(a, b) {
			t.Errorf("%s: two runs of one config differ", w.project)
		}
		cfg.Seed++
		if common := overlap(a, bodies(w.messages(cfg))); common != 0 {
			t.Errorf("%s: another seed repeats %d messages", w.project, common)
		}
	}
}

// Everybody's life depends on the seed alone, not on how many others there are.
func TestMorePeopleChangeNobody(t *testing.T) {
	for _, w := range worlds {
		small, large := config, config
		small.Scale, large.Scale = 0.1, 0.2
		a, b := bodies(w.messages(small)), bodies(w.messages(large))
		if len(b) < len(a)*3/2 || overlap(a, b) != len(a) {
			t.Errorf("%s: of %d messages %d are among the %d of twice the people", w.project, len(a), overlap(a, b), len(b))
		}
	}
}

func overlap(a, b []string) int {
	in := make(map[string]bool, len(a))
	for _, s := range a {
		in[s] = true
	}
	n := 0
	for _, s := range b {
		if in[s] {
			n++
		}
	}
	return n
}

func TestNoDaysNoPeople(t *testing.T) {
	for _, w := range worlds {
		for _, cfg := range []Config{{Days: -3}, {Scale: -1}, {Days: -3, Scale: -1}, {Scale: math.NaN()}} {
			cfg.End = config.End
			if got := bodies(w.messages(cfg)); len(got) != 0 {
				t.Errorf("%s: %+v gives %d messages", w.project, cfg, len(got))
			}
		}
	}
}

func TestMessagesAreWhatClientsSend(t *testing.T) {
	for _, w := range worlds {
		all := w.received()
		if len(all) < w.least || len(all) > w.most {
			t.Errorf("%s: %d messages, want %d to %d", w.project, len(all), w.least, w.most)
		}
		ids := make(map[string]bool)
		last := config.End.AddDate(0, 0, -240)
		for _, m := range all {
			if m.at.Before(last) || !m.at.Before(config.End) {
				t.Fatalf("%s: %v after %v, to end before %v", w.project, m.at, last, config.End)
			}
			last = m.at
			if ids[m.MessageID] {
				t.Fatalf("%s: second message %s", w.project, m.MessageID)
			}
			ids[m.MessageID] = true
			if problem := shape(m, w.site); problem != "" {
				t.Fatalf("%s: %s: %+v", w.project, problem, m)
			}
		}
	}
}

// shape names the first thing that a client would not have sent.
func shape(m received, site string) string {
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", m.Timestamp); m.err != nil || err != nil || !at.Equal(m.at) {
		return "not JSON, or with another time than the Message's"
	}
	if m.MessageID == "" || m.size > 32<<10 {
		return "no id, or larger than a collector takes"
	}
	switch {
	case m.Type == "page" && m.Name == "":
		return "a page without name"
	case m.Type == "track" && m.Event == "":
		return "a track without event"
	case m.Type == "group" && m.GroupID == "":
		return "a group without groupId"
	case !slices.Contains([]string{"page", "track", "group", "identify"}, m.Type):
		return "unknown type"
	}
	c := m.Context
	if c.Library.Name == "analytics-node" {
		if m.AnonymousID != "" || m.UserID == "" || c.Page != nil || c.UserAgent != "" || c.IP != "" {
			return "a back end that speaks like a browser"
		}
		return ""
	}
	if c.Library.Name != "analytics.js" || m.AnonymousID == "" || c.Page == nil || c.UserAgent == "" || c.Timezone == "" {
		return "an incomplete browser"
	}
	if ip, err := netip.ParseAddr(c.IP); err != nil || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return "not a public address"
	}
	u, err := url.Parse(c.Page.URL)
	if err != nil || u.Host != site || u.Path != c.Page.Path || strings.TrimPrefix(c.Page.Search, "?") != u.RawQuery || c.Page.Title == "" {
		return "a page that contradicts itself"
	}
	if q := u.Query(); c.Campaign != nil && (m.Type != "page" && q.Get("utm_source") == "" ||
		q.Get("utm_source") != c.Campaign.Source || q.Get("utm_medium") != c.Campaign.Medium || q.Get("utm_campaign") != c.Campaign.Name) {
		return "a campaign that is not the address's"
	}
	return ""
}

// What the messages say and what the truth says must be the same orders and the same touches.
func TestTruthAgreesWithMessages(t *testing.T) {
	for _, w := range worlds {
		truth := w.truth(config)
		orders, touches := map[string]float64{}, map[string]int{}
		for _, m := range w.received() {
			if isBot(m) {
				continue
			}
			if m.Event == "Order Completed" {
				orders[text(m.Properties, "order_id")] = number(m.Properties, "revenue")
			}
			if channel := touch(m, w.site); channel != "" {
				touches[channel]++
			}
		}
		value := 0.0
		for _, revenue := range orders {
			value += revenue
		}
		if len(orders) != truth.Conversions || math.Abs(value-truth.Value) > 1e-6 {
			t.Errorf("%s: messages hold %d orders of %f, the truth is %d of %f", w.project, len(orders), value, truth.Conversions, truth.Value)
		}
		shares := 0.0
		for _, c := range truth.Channels {
			if c.Touches == 0 || c.Touches != touches[c.Channel] {
				t.Errorf("%s: messages hold %d touches of %s, the truth is %d", w.project, touches[c.Channel], c.Channel, c.Touches)
			}
			shares += c.Share
		}
		if math.Abs(shares-1) > 1e-9 || len(touches) != len(truth.Channels) {
			t.Errorf("%s: shares sum to %f, channels are %v", w.project, shares, touches)
		}
	}
}

// text and number return what a message holds under a name, or its zero value.
func text(m map[string]any, name string) string    { v, _ := m[name].(string); return v }
func number(m map[string]any, name string) float64 { v, _ := m[name].(float64); return v }

func isBot(m received) bool {
	return strings.Contains(m.Context.UserAgent, "bot") || strings.Contains(m.Context.UserAgent, "Bot")
}

// touch returns the channel of a message that begins a visit, or is a Touchpoint, as an outsider would tell it.
func touch(m received, site string) string {
	if m.Event == "Touchpoint" {
		return text(m.Properties, "channel")
	}
	if m.Type != "page" {
		return ""
	}
	if c := m.Context.Campaign; c != nil {
		return map[string]string{
			"cpc": "Paid Search", "paid_social": "Paid Social", "email": "Email", "affiliate": "Affiliates", "display": "Display",
			"influencer": "Influencers", "webinar": "Webinar", "partner": "Partners",
		}[c.Medium]
	}
	u, _ := url.Parse(m.Context.Page.Referrer)
	switch host := strings.TrimPrefix(u.Host, "www."); host {
	case site, "paypal.com":
		return ""
	case "":
		return "Direct"
	case "google.com", "bing.com", "duckduckgo.com":
		return "Organic Search"
	case "facebook.com", "instagram.com", "pinterest.com":
		return "Organic Social"
	case "chatgpt.com", "perplexity.ai":
		return "AI Assistants"
	case "g2.com":
		return "Review Sites"
	default:
		return "Referral"
	}
}

// At the demo's size every channel has caused something, none nearly everything.
func TestEveryChannelCausesSome(t *testing.T) {
	for _, w := range worlds {
		cfg := config
		cfg.Scale = 1
		truth := w.truth(cfg)
		for _, c := range truth.Channels {
			if c.Caused <= 0 || c.Share > 0.5 || c.CausedValue <= 0 || c.CausedValue >= truth.Value {
				t.Errorf("%s: %s caused %d of %d", w.project, c.Channel, c.Caused, truth.Conversions)
			}
		}
	}
}

// A channel that always persuades has caused everything, one that never does nothing.
func TestCausedByTheOneThatPersuades(t *testing.T) {
	w := shopWorld(Config{Seed: 1, End: config.End, Scale: 0.05})
	w.channels = []channel{
		{name: "strong", effect: 1, halfLife: 1e9, weights: []float64{1}},
		{name: "idle", effect: 0, halfLife: 1, weights: []float64{1}},
	}
	truth := w.truth()
	strong, idle := truth.Channels[0], truth.Channels[1]
	if truth.Conversions < 100 || strong.Caused != truth.Conversions || strong.Share != 1 || idle.Caused != 0 || idle.CausedValue != 0 {
		t.Errorf("%d conversions: strong %+v, idle %+v", truth.Conversions, strong, idle)
	}
}

func TestHazardAddsUpAndDecays(t *testing.T) {
	w := &world{channels: []channel{{effect: 0.08, halfLife: 5}, {effect: 0.01, halfLife: 2}}}
	visits := []visit{{time: config.End.Add(-10 * day)}, {time: config.End.Add(-2 * day), channel: 1}, {time: config.End, channel: 1}}
	for off, want := range map[int]float64{-1: 0.02 + 0.005 + 0.01, 0: 0.015, 1: 0.02} {
		if got := w.hazard(visits, off); math.Abs(got-want) > 1e-12 {
			t.Errorf("hazard without channel %d is %f, want %f", off, got, want)
		}
	}
}

func TestVisitsOfOneSubjectNeverOverlap(t *testing.T) {
	for _, w := range []*world{shopWorld(config), b2bWorld(config)} {
		var counts []int
		converted := 0
		for id := range w.subjects {
			visits := w.live(id, -1)
			counts = append(counts, len(visits))
			if slices.ContainsFunc(visits, func(v visit) bool { return v.step >= w.firstOrder }) {
				converted++
			}
			for i := 1; i < len(visits); i++ {
				if visits[i].time.Sub(visits[i-1].time) < visitSpan {
					t.Fatalf("%s %d: visits at %v and %v", w.project, id, visits[i-1].time, visits[i].time)
				}
			}
		}
		slices.Sort(counts)
		median, p99 := counts[len(counts)/2], counts[len(counts)*99/100]
		if median < 2 || median > 5 || p99 < 4*median {
			t.Errorf("%s: visits have median %d and 99th percentile %d, want a heavy tail", w.project, median, p99)
		}
		bounds := worlds[slices.IndexFunc(worlds, func(x expectation) bool { return x.project == w.project })].conversionShares
		if share := float64(converted) / float64(w.subjects); share < bounds[0] || share > bounds[1] {
			t.Errorf("%s: %.3f of the subjects order, want %v", w.project, share, bounds)
		}
	}
}
