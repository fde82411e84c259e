// Command client sends every message of Segment's client for Go: client URL WRITE_KEY
package main

import (
	"log"
	"net"
	"os"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

func main() {
	client, err := analytics.NewWithConfig(os.Args[2], analytics.Config{
		Endpoint: os.Args[1],
		Callback: outcome{},
		DefaultContext: &analytics.Context{
			App:   analytics.AppInfo{Name: "Kasse", Version: "2.1"},
			Extra: map[string]any{"region": "Süd"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, message := range messages() {
		if err := client.Enqueue(message); err != nil {
			log.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		log.Fatal(err)
	}
}

// outcome ends the program when a message is not taken.
type outcome struct{}

func (outcome) Success(analytics.Message) {}

func (outcome) Failure(_ analytics.Message, err error) { log.Fatal(err) }

func at(second int) time.Time { return time.Date(2026, 1, 15, 9, 30, second, 69_321_264, time.UTC) }

func messages() []analytics.Message {
	context := &analytics.Context{
		IP:        net.IPv4(203, 0, 113, 7),
		UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
		Locale:    "fr-FR", Timezone: "Europe/Paris", GroupID: "acme",
		Campaign: analytics.CampaignInfo{Name: "été", Source: "bing", Medium: "cpc", Term: "lampes", Content: "b"},
		Page: analytics.PageInfo{
			URL: "https://shop.example/lampes?msclkid=m-1", Path: "/lampes", Search: "?msclkid=m-1",
			Title: "Lampes d’été", Referrer: "https://www.bing.com/",
		},
		Screen: analytics.ScreenInfo{Width: 390, Height: 844, Density: 3},
		Traits: analytics.NewTraits().Set("plan", "pro"),
		Extra:  map[string]any{"consent": map[string]any{"categoryPreferences": map[string]bool{"Advertising": true}}},
	}
	return []analytics.Message{
		analytics.Identify{
			MessageId: "go-1", Timestamp: at(1), UserId: "chloé", AnonymousId: "device-1", Context: context,
			Traits:       analytics.NewTraits().SetEmail("chloe@shop.example").SetName("Chloé").SetAge(36).SetCreatedAt(at(0)),
			Integrations: analytics.NewIntegrations().EnableAll().Disable("Mixpanel"),
		},
		analytics.Track{
			MessageId: "go-2", Timestamp: at(2), UserId: "chloé", AnonymousId: "device-1", Context: context, Event: "Order Completed",
			Properties: analytics.NewProperties().SetOrderId("o-1").SetRevenue(99.5).SetCurrency("EUR").SetTotal(110).
				SetProducts(analytics.Product{ID: "p-1", SKU: "s-1", Name: "Lampe", Price: 49.75}),
		},
		analytics.Page{
			MessageId: "go-3", Timestamp: at(3), AnonymousId: "device-1", Context: context, Name: "Accueil",
			Properties: analytics.NewProperties().SetURL("https://shop.example/accueil").SetTitle("Accueil").SetCategory("Docs"),
		},
		&analytics.Screen{MessageId: "go-4", Timestamp: at(4), UserId: "chloé", Name: "Main", Properties: analytics.NewProperties().Set("variant", "bleu")},
		analytics.Group{
			MessageId: "go-5", Timestamp: at(5), UserId: "chloé", GroupId: "acme",
			Traits: analytics.NewTraits().SetName("ACME SARL").Set("employees", 120),
		},
		analytics.Alias{MessageId: "go-6", Timestamp: at(6), PreviousId: "ancienne-chloé", UserId: "chloé"},
		analytics.Track{
			MessageId: "go-7", Timestamp: at(7), AnonymousId: "device-2", Event: "日本語 <b>&\u2028\"\\",
			Context: &analytics.Context{App: analytics.AppInfo{Name: "Caisse"}},
		},
		analytics.Track{AnonymousId: "device-2", Event: "Left to the client"},
	}
}
