package handler

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/event"
)

func proxies(t testing.TB, texts ...string) Proxies {
	t.Helper()
	var p Proxies
	for _, text := range texts {
		network, err := ParseProxy(text)
		if err != nil {
			t.Fatal(err)
		}
		p = append(p, network)
	}
	return p
}

func TestParseProxy(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.7": "10.0.0.7/32", "10.0.0.7/8": "10.0.0.0/8", "::1": "::1/128", "2001:db8::/32": "2001:db8::/32",
		"::ffff:10.0.0.7": "10.0.0.7/32", "0.0.0.0/0": "0.0.0.0/0",
		"": "", "proxy.test": "", "10.0.0.0/33": "", "10.0.0": "", "::ffff:10.0.0.0/104": "", "fe80::1%eth0": "", "10.0.0.1:80": "",
	} {
		got, err := ParseProxy(text)
		if err != nil && want == "" {
			continue
		}
		if err != nil || got.String() != want {
			t.Errorf("%q: got %v, %v; want %q", text, got, err, want)
		}
	}
}

// request is a request's header with several lines of a name.
func request(lines ...string) *fasthttp.RequestHeader {
	var h fasthttp.RequestHeader
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return &h
}

func TestClientBehindProxies(t *testing.T) {
	const (
		proxy = "10.0.0.7" // trusted, as all of 10/8, 2001:db8:10::/48 and 198.51.100.1
		xff   = "X-Forwarded-For: "
		fwd   = "Forwarded: "
	)
	trusted := proxies(t, "10.0.0.0/8", "2001:db8:10::/48", "198.51.100.1")
	for _, c := range []struct {
		about string
		peer  string
		lines []string
		want  string // "" is unknown
	}{
		{"a stranger's word", "192.0.2.9", []string{xff + "203.0.113.5", fwd + "for=203.0.113.5"}, "192.0.2.9"},
		{"the proxy itself", proxy, nil, proxy},
		{"no entry", proxy, []string{xff + " , ,", fwd + ","}, proxy},
		{"one", proxy, []string{xff + "203.0.113.5"}, "203.0.113.5"},
		{"forged by the client", proxy, []string{xff + "203.0.113.66, 203.0.113.5"}, "203.0.113.5"},
		{"forged in a line of its own", proxy, []string{xff + "203.0.113.66", xff + "203.0.113.5"}, "203.0.113.5"},
		{"two proxies", proxy, []string{xff + "203.0.113.66, 203.0.113.5, 198.51.100.1"}, "203.0.113.5"},
		{"two proxies in lines", proxy, []string{xff + "203.0.113.66, 203.0.113.5", xff + "10.9.9.9,2001:db8:10::1"}, "203.0.113.5"},
		{"a proxy that is not trusted", proxy, []string{xff + "203.0.113.5, 198.51.100.2"}, "198.51.100.2"},
		{"from within", proxy, []string{xff + "10.1.1.1, 10.2.2.2"}, "10.1.1.1"},
		{"over IPv6", "2001:db8:10::7", []string{xff + "2001:db8::5"}, "2001:db8::5"},
		{"mapped", proxy, []string{xff + "203.0.113.5, ::ffff:10.0.0.1"}, "203.0.113.5"},
		{"mapped client", proxy, []string{xff + "::ffff:203.0.113.5"}, "203.0.113.5"},
		{"port", proxy, []string{xff + "203.0.113.5:51234"}, "203.0.113.5"},
		{"brackets", proxy, []string{xff + "[2001:db8::5]"}, "2001:db8::5"},
		{"brackets and port", proxy, []string{xff + "[2001:db8::5]:443, [2001:db8:10::5]:443"}, "2001:db8::5"},
		{"space", proxy, []string{xff + "\t203.0.113.5 ,  10.0.0.1 , "}, "203.0.113.5"},

		{"unknown", proxy, []string{xff + "203.0.113.66, unknown"}, ""},
		{"unknown before a proxy", proxy, []string{xff + "unknown, 10.0.0.1"}, ""},
		{"garbage", proxy, []string{xff + "203.0.113.66, 1.2.3"}, ""},
		{"garbage before the client", proxy, []string{xff + "<script>, 203.0.113.5"}, "203.0.113.5"},
		{"nowhere", proxy, []string{xff + "0.0.0.0"}, ""},
		{"nowhere in IPv6", proxy, []string{xff + "::"}, ""},
		{"zone", proxy, []string{xff + "fe80::1%eth0"}, ""},
		{"long", proxy, []string{xff + strings.Repeat("1", 5000)}, ""},
		{"open bracket", proxy, []string{xff + "[2001:db8::5"}, ""},
		{"after the bracket", proxy, []string{xff + "[2001:db8::5]443"}, ""},
		{"only a port", proxy, []string{xff + ":443"}, ""},

		{"Forwarded", proxy, []string{fwd + "for=203.0.113.5;proto=https;by=10.0.0.7"}, "203.0.113.5"},
		{"Forwarded, for last", proxy, []string{fwd + "By=10.0.0.7; Proto=http; For=203.0.113.5"}, "203.0.113.5"},
		{"Forwarded, quoted", proxy, []string{fwd + `for="203.0.113.5:80"`}, "203.0.113.5"},
		{"Forwarded, IPv6", proxy, []string{fwd + `for="[2001:db8::5]:4711"`}, "2001:db8::5"},
		{"Forwarded, two proxies", proxy, []string{fwd + `for=203.0.113.66, for=203.0.113.5`, fwd + `for="[2001:db8:10::1]"`}, "203.0.113.5"},
		{"Forwarded, hidden", proxy, []string{fwd + "for=203.0.113.66, for=_hidden"}, ""},
		{"Forwarded, hidden with port", proxy, []string{fwd + `for="_gazonk:_80"`}, ""},
		{"Forwarded, unknown", proxy, []string{fwd + "for=unknown"}, ""},
		{"Forwarded, nobody", proxy, []string{fwd + "for=203.0.113.66, proto=https"}, ""},
		{"Forwarded, a longer name", proxy, []string{fwd + "forged=203.0.113.66;xfor=203.0.113.66"}, ""},
		{"Forwarded, an open quote", proxy, []string{fwd + `for="203.0.113.66;x="a, for=203.0.113.5`}, "203.0.113.5"},
		{"Forwarded, a quote that would close", proxy, []string{fwd + `for=203.0.113.66;x=", for="[2001:db8::5]"`}, "2001:db8::5"},

		{"both agree", proxy, []string{xff + "203.0.113.5", fwd + "for=203.0.113.5"}, "203.0.113.5"},
		{"both, by different ways", proxy, []string{xff + "203.0.113.5, 10.0.0.1", fwd + "for=203.0.113.5"}, "203.0.113.5"},
		{"both differ", proxy, []string{xff + "203.0.113.5", fwd + "for=203.0.113.66"}, ""},
		{"both, one is hidden", proxy, []string{xff + "203.0.113.5", fwd + "for=_hidden"}, ""},
		{"both, one is empty", proxy, []string{xff + ",", fwd + "for=203.0.113.5"}, "203.0.113.5"},
	} {
		got := trusted.client(request(c.lines...), netip.MustParseAddr(c.peer))
		want, _ := netip.ParseAddr(c.want)
		if got != want {
			t.Errorf("%s: %s %q: got %v, want %v", c.about, c.peer, c.lines, got, want)
		}
	}
	if got := (Proxies)(nil).client(request(xff+"203.0.113.5"), netip.MustParseAddr(proxy)); got.String() != proxy {
		t.Errorf("without configuration: got %v", got)
	}
}

// Whatever a sender writes before what the proxies append changes nothing, and its own address is what is found.
func TestClientCannotForge(t *testing.T) {
	trusted := proxies(t, "10.0.0.0/8")
	peer := netip.MustParseAddr("10.0.0.7")
	rapid.Check(t, func(t *rapid.T) {
		address := func(label string) netip.Addr {
			if rapid.Bool().Draw(t, label+" is IPv6") {
				return netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 15: rapid.Byte().Draw(t, label)})
			}
			return netip.AddrFrom4([4]byte{203, 0, 113, rapid.Byte().Draw(t, label)})
		}
		client := address("client")
		node := client.String()
		if client.Is6() {
			node = `"[` + node + `]:99"`
		}
		forged := rapid.StringMatching(`([ -~]|for=|for="|, |203\.0\.113\.66|10\.0\.0\.1){0,12}`).Draw(t, "forged")
		separate := rapid.Bool().Draw(t, "in a line of its own")
		hops := strings.Repeat(", 10.0.0.1", rapid.IntRange(0, 3).Draw(t, "hops"))
		lines := func(name, appended string) *fasthttp.RequestHeader {
			if separate {
				return request(name+": "+forged, name+": "+appended)
			}
			return request(name + ": " + forged + ", " + appended)
		}
		if got := trusted.client(lines("X-Forwarded-For", client.String()+hops), peer); got != client {
			t.Fatalf("X-Forwarded-For: got %v, want %v", got, client)
		}
		forwarded := "for=" + node + strings.ReplaceAll(hops, ", ", ", for=")
		if got := trusted.client(lines("Forwarded", forwarded), peer); got != client {
			t.Fatalf("Forwarded: got %v, want %v", got, client)
		}
	})
}

func TestProxiesAllocateNothing(t *testing.T) {
	trusted, peer := proxies(t, "10.0.0.0/8", "2001:db8:10::/48"), netip.MustParseAddr("10.0.0.7")
	for _, h := range []*fasthttp.RequestHeader{
		request("X-Forwarded-For: 2001:db8::5, 10.0.0.1", "X-Forwarded-For: 10.0.0.2"),
		request(`Forwarded: for="[2001:db8::5]:80";proto=https, for=10.0.0.1`),
		request("X-Forwarded-For: unknown", "Forwarded: for=_hidden"),
	} {
		if n := testing.AllocsPerRun(100, func() { trusted.client(h, peer) }); n != 0 {
			t.Errorf("%s: %v allocations", h, n)
		}
	}
}

// The address of the person, not of the proxy, is what the enrichment gets.
func TestAddressForEnrichment(t *testing.T) {
	for _, c := range []struct {
		trusted string
		want    string
	}{{"192.0.2.44", "203.0.113.5"}, {"192.0.2.45", "192.0.2.44"}} {
		f := newFixture()
		f.Proxies = proxies(t, c.trusted)
		h := headers{"X-Forwarded-For": "203.0.113.5", "Origin": "https://x.test"}
		f.do("POST", "/v1/page", `{"writeKey":"wk_open"}`, h)
		f.do("GET", "/p.gif?k=wk_open&e=page", "", h)
		want := event.Client{IP: netip.MustParseAddr(c.want)}
		equal(t, f.enrich.clients, []event.Client{want, want})
	}
}

func TestHTTPS(t *testing.T) {
	for _, c := range []struct {
		lines []string
		peer  string
		want  bool
	}{
		{nil, "10.0.0.7", false},
		{[]string{"X-Forwarded-Proto: https"}, "10.0.0.7", true},
		{[]string{"X-Forwarded-Proto: HTTPS, http"}, "10.0.0.7", true},
		{[]string{"X-Forwarded-Proto: http, https"}, "10.0.0.7", false},
		{[]string{"X-Forwarded-Proto: http", "Forwarded: proto=https"}, "10.0.0.7", false},
		{[]string{`Forwarded: for=203.0.113.5;proto="https", for=10.0.0.1;proto=http`}, "10.0.0.7", true},
		{[]string{"Forwarded: for=203.0.113.5, for=10.0.0.1;proto=https"}, "10.0.0.7", false},
		{[]string{"X-Forwarded-Proto: https", "Forwarded: proto=https"}, "192.0.2.9", false},
	} {
		var ctx fasthttp.RequestCtx
		req := &fasthttp.Request{}
		request(c.lines...).CopyTo(&req.Header)
		ctx.Init(req, &net.TCPAddr{IP: net.ParseIP(c.peer), Port: 5}, nil)
		if got := proxies(t, "10.0.0.0/8").https(&ctx); got != c.want {
			t.Errorf("%q from %s: got %v", c.lines, c.peer, got)
		}
	}
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{
		"203.0.113.5, 10.0.0.1", "[2001:db8::5]:80", `for="[2001:db8::5]:80";proto=https, for=_x`, "unknown", ",,", "::ffff:10.0.0.1", "fe80::1%eth0",
	} {
		f.Add(seed, seed)
	}
	trusted, peer := proxies(f, "10.0.0.0/8", "2001:db8:10::/48"), netip.MustParseAddr("10.0.0.7")
	client := netip.MustParseAddr("203.0.113.5")
	f.Fuzz(func(t *testing.T, forwardedFor, forwarded string) {
		got := trusted.client(request("X-Forwarded-For: "+forwardedFor, "Forwarded: "+forwarded), peer)
		if got.Is4In6() || got.Zone() != "" || got.IsUnspecified() {
			t.Errorf("got %v", got)
		}
		appended := request("X-Forwarded-For: "+forwardedFor+",203.0.113.5", "Forwarded: "+forwarded+", for=203.0.113.5")
		if got := trusted.client(appended, peer); got != client {
			t.Errorf("got %v, want what the proxy has appended", got)
		}
	})
}
