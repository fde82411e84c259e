package importer

import "testing"

func TestParseRequest(t *testing.T) {
	for line, want := range map[string]struct {
		request
		ok bool
	}{
		"GET / HTTP/1.1":                       {request{"GET", "/", ""}, true},
		"GET /a/b?c=d&e HTTP/2.0":              {request{"GET", "/a/b", "c=d&e"}, true},
		"GET /a%20b HTTP/1.1":                  {request{"GET", "/a%20b", ""}, true},
		"GET /a b c HTTP/1.1":                  {request{"GET", "/a b c", ""}, true},
		"GET /a?b#c HTTP/1.1":                  {request{"GET", "/a", "b"}, true},
		"GET /a#c?b HTTP/1.1":                  {request{"GET", "/a", ""}, true},
		"GET /old":                             {request{"GET", "/old", ""}, true},
		"GET //x HTTP/1.1":                     {request{"GET", "//x", ""}, true},
		"GET http://Shop.example/a?b HTTP/1.1": {request{"GET", "/a", "b"}, true},
		"GET https://shop.example HTTP/1.1":    {request{"GET", "/", ""}, true},
		"GET http://other.example/ HTTP/1.1":   {request{"GET", "/", ""}, false},
		"GET  HTTP/1.1":                        {request{"GET", "/", ""}, false},
		"GET":                                  {request{"GET", "/", ""}, false},
		"CONNECT other.example:443 HTTP/1.1":   {request{"CONNECT", "", ""}, true},
		"OPTIONS * HTTP/1.0":                   {request{"OPTIONS", "", ""}, true},
		"M-SEARCH * HTTP/1.1":                  {request{"M-SEARCH", "", ""}, true},
		"":                                     {},
		"get / HTTP/1.1":                       {},
		"\x16\x03\x01\x00":                     {},
		"\x00 / HTTP/1.1":                      {},
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / X": {},
	} {
		t.Run(line, func(t *testing.T) {
			r, ok := parseRequest(line, "shop.example")
			if r != want.request || ok != want.ok {
				t.Errorf("got %+v %v, want %+v %v", r, ok, want.request, want.ok)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	const page = "page"
	for _, c := range []struct {
		method string
		status int
		target string
		want   string // a reason, "page" or the extension of a download
	}{
		{"GET", 200, "/", page},
		{"GET", 204, "/", page},
		{"GET", 304, "/", page},
		{"GET", 206, "/", skipPartial},
		{"GET", 301, "/", skipRedirect},
		{"GET", 302, "/a.pdf", skipRedirect},
		{"GET", 404, "/", skipError},
		{"GET", 404, "/a.css", skipError},
		{"GET", 499, "/", skipError},
		{"GET", 500, "/", skipError},
		{"GET", 101, "/", skipStatus},
		{"GET", 0, "/", skipStatus},
		{"GET", 600, "/", skipStatus},
		{"HEAD", 200, "/", skipMethod},
		{"POST", 200, "/", skipMethod},
		{"POST", 404, "/", skipMethod},
		{"get", 200, "/", skipMethod},

		{"GET", 200, "/index.html", page},
		{"GET", 200, "/index.XHTML", page},
		{"GET", 200, "/a.php", page},
		{"GET", 200, "/a.aspx", page},
		{"GET", 200, "/a.jsp;jsessionid=1.node2", page},
		{"GET", 200, "/blog/1.2", page},
		{"GET", 200, "/@jane.doe", page},
		{"GET", 200, "/v1.css/", page},
		{"GET", 200, "/.css", page},
		{"GET", 200, "/a.b.", page},
		{"GET", 200, "/page?file=a.zip", page},
		{"GET", 200, "/scripts/a.py", page},

		{"GET", 200, "/a.css", skipAsset},
		{"GET", 200, "/a.css;v=2", skipAsset},
		{"GET", 200, "/a.min.JS", skipAsset},
		{"GET", 200, "/a.js.map", skipAsset},
		{"GET", 200, "/favicon.ico", skipAsset},
		{"GET", 200, "/robots.txt", skipAsset},
		{"GET", 200, "/api/a.json", skipAsset},
		{"GET", 200, "/a.mp4", skipAsset},
		{"GET", 206, "/a.mp4", skipAsset},
		{"GET", 304, "/a.woff2", skipAsset},

		{"GET", 200, "/a.pdf", "pdf"},
		{"GET", 304, "/a.pdf", "pdf"},
		{"GET", 206, "/a.pdf", skipPartial},
		{"GET", 200, "/a.ZIP", "zip"},
		{"GET", 200, "/a-1.2.tar.gz", "tar.gz"},
		{"GET", 200, "/a.Tar.XZ", "tar.xz"},
		{"GET", 200, "/a.gz", "gz"},
		{"GET", 200, "/tar.gz", "gz"},
		{"GET", 200, "/a.exe?v=1", "exe"},
		{"GET", 200, "/a-1.0.gem", "gem"},

		{"GET", 200, "/sitemap.xml", skipFeed},
		{"GET", 200, "/blog.rss", skipFeed},
		{"GET", 200, "/blog/feed", skipFeed},
		{"GET", 200, "/blog/Feed/", skipFeed},
		{"GET", 200, "/atom/", skipFeed},
		{"GET", 200, "/feed/article", page},
		{"GET", 200, "/?feed=rss2", skipFeed},
		{"GET", 200, "/blog/?x=1&flav=rss20", skipFeed},
		{"GET", 200, "/?flav=atom", skipFeed},
		{"GET", 200, "/?format=feed&type=rss", skipFeed},
		{"GET", 200, "/?format=html", page},
		{"GET", 200, "/?q=rss", page},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			r, _ := parseRequest("GET "+c.target+" HTTP/1.1", "shop.example")
			r.Method = c.method
			skip, extension := classify(r, c.status)
			got := skip + extension
			if got == "" {
				got = page
			}
			if got != c.want {
				t.Errorf("%d: got %s, want %s", c.status, got, c.want)
			}
		})
	}
}

// A word in two lists would depend on the order of the rules.
func TestExtensionsAreInOneListOnly(t *testing.T) {
	lists := []map[string]bool{feedExtensions, assetExtensions, downloadExtensions}
	for i, a := range lists {
		for _, b := range lists[:i] {
			for ext := range a {
				if b[ext] {
					t.Errorf(".%s is in two lists", ext)
				}
			}
		}
	}
}
