package handler

import (
	"net"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/decode"
)

type nowhere struct{}

func (nowhere) Append([][]byte) error { return nil }
func (nowhere) Err() error            { return nil }

func benchmark(b *testing.B, method, uri, body string) {
	projects := collector.NewProjects([]collector.Project{{ID: "open", WriteKeys: []string{"wk_open"}}})
	h := New(Config{Projects: func() *collector.Projects { return projects }, Decode: new(decode.Decoder), Enrich: nothing{}, Sink: nowhere{}})
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.Header.Set("Authorization", basic("wk_open"))
	req.Header.SetUserAgent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)")
	req.SetRequestURI(uri)
	req.SetBodyString(body)
	var ctx fasthttp.RequestCtx
	ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 44), Port: 5}, nil)
	b.SetBytes(int64(len(uri) + len(body)))
	b.ReportAllocs()
	for b.Loop() {
		ctx.Response.Reset()
		h.Handle(&ctx)
		if ctx.Response.StatusCode() != fasthttp.StatusOK {
			b.Fatalf("%s", ctx.Response.Body())
		}
	}
}

func BenchmarkBatch100(b *testing.B) {
	message := `{"timestamp":"2027-01-15T07:59:58.250Z","event":"Order Completed","type":"track","properties":{"order_id":"o-7","revenue":19.99},
		"context":{"ip":"198.51.100.9","page":{"url":"https://shop.test/p/1"},"library":{"name":"analytics-node","version":"3.1.0"}},
		"userId":"ada","anonymousId":"dev-1","messageId":"node-next-1795348149959-b97345be-7c8e-4ba9-9c71-33c9b0a22bf2"}`
	benchmark(b, "POST", "/v1/batch", `{"batch":[`+strings.Repeat(message+",", 99)+message+`]}`)
}

func BenchmarkPixel(b *testing.B) {
	benchmark(b, "GET", "/p.gif?k=wk_open&e=page&aid=dev-1&mid=m-1&url=https://shop.test/a&ref=https://r.test/&utm_source=news", "")
}
