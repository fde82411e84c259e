package decode

import (
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/event"
)

func pixel(query string) (Message, error) {
	var args fasthttp.Args
	args.Parse(query)
	var d Decoder
	var m Message
	err := d.Pixel(&m, &args, Request{ReceivedAt: received, Origin: event.OriginPixel, NewID: func() string { return "fresh" }})
	if err != nil {
		return Message{}, err // what is left in m means nothing
	}
	return m, nil
}

func TestPixel(t *testing.T) {
	for query, want := range map[string]event.Event{
		"k=wk&e=page&uid=ada&aid=dev-1&mid=m-1&url=https%3A%2F%2Fshop.test%2Fa%3Fb&ref=https://r.test/&p.name=Home" +
			"&utm_source=news&utm_medium=email&utm_campaign=may&utm_term=t&utm_content=c": {
			MessageID: "m-1", Type: event.Page, Name: "Home", UserID: "ada", AnonymousID: "dev-1",
			URL: "https://shop.test/a?b", Referrer: "https://r.test/",
			Source: "news", Medium: "email", Campaign: "may", Term: "t", Content: "c", Properties: `{"name":"Home"}`,
		},
		"e=Order+Completed&p.revenue=9.90&p.currency=eur&p.order_id=o1&p.=empty&p.none=": {
			MessageID: "fresh", Type: event.Track, Name: "Order Completed", Value: 9_900_000, Currency: "EUR", OrderID: "o1",
			Properties: `{"revenue":"9.90","currency":"eur","order_id":"o1","":"empty"}`,
		},
		"e=identify&uid=ada&p.plan=a%22b%00%ff": {
			MessageID: "fresh", Type: event.Identify, UserID: "ada", Traits: `{"plan":"a\"b\u0000` + "\uFFFD" + `"}`,
		},
	} {
		want.Origin = event.OriginPixel
		got, err := pixel(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		diff(t, got, Message{Event: stored(want)})
	}
}

func TestPixelRefusals(t *testing.T) {
	for query, want := range map[string]string{
		"":                  "e is missing; want page, screen, identify or an event's name",
		"e=track":           "event is required for track",
		"e=identify":        "userId or anonymousId is required for identify",
		"e=X&p.revenue=12€": `properties.revenue is "12€"; want a number`,
	} {
		got, err := pixel(query)
		if err == nil || err.Error() != want || got != (Message{}) {
			t.Errorf("%s: got %+v, %v, want %s", query, got, err, want)
		}
	}
}

func FuzzPixel(f *testing.F) {
	f.Add("e=page&url=https://a.test/&p.x=1&p.x=2&utm_source=%ff%00")
	f.Add("e=%22%5c&mid=%1f&p.%22=%22")
	f.Fuzz(func(t *testing.T, query string) {
		m, err := pixel(query)
		if err == nil {
			check(t, Result{Messages: []Message{m}})
		}
	})
}
