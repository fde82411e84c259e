package decode

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/event"
)

func BenchmarkBatch100(b *testing.B) {
	message := `{"timestamp":"2027-01-15T07:59:58.250Z","integrations":{},"event":"Order Completed","type":"track",
		"properties":{"order_id":"o-7","revenue":19.99,"currency":"USD","products":[{"product_id":"p-1","quantity":2,"price":10}]},
		"context":{"ip":"198.51.100.9","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
		"campaign":{"name":"autumn","source":"bing","medium":"cpc"},"page":{"url":"https://shop.test/p/1","referrer":"https://www.bing.com/"},
		"library":{"name":"@segment/analytics-node","version":"3.1.0"}},
		"userId":"ada","anonymousId":"dev-1","messageId":"node-next-1795348149959-b97345be-7c8e-4ba9-9c71-33c9b0a22bf2"}`
	body := []byte(`{"batch":[` + strings.Repeat(message+",", 99) + message + `],"sentAt":"2027-01-15T07:59:59Z"}`)
	var d Decoder
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if result, err := d.Batch(body, Request{ReceivedAt: received}); err != nil || len(result.Messages) != 100 {
			b.Fatal(result.Rejected, err)
		}
	}
}

func BenchmarkPixel(b *testing.B) {
	var args fasthttp.Args
	args.Parse("k=wk_1&e=page&aid=dev-1&mid=m-1&url=https://shop.test/a?b&ref=https://r.test/&utm_source=news&utm_medium=email")
	var d Decoder
	b.ReportAllocs()
	for b.Loop() {
		var m Message
		if err := d.Pixel(&m, &args, Request{ReceivedAt: received, Origin: event.OriginPixel, NewID: func() string { return "fresh" }}); err != nil {
			b.Fatal(err)
		}
	}
}
