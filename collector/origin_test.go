package collector

import "testing"

func TestParseOrigin(t *testing.T) {
	for text, want := range map[string]string{
		"https://shop.example":          "https://shop.example",
		"HTTPS://Shop.Example":          "https://shop.example",
		"http://localhost:3000":         "http://localhost:3000",
		"https://*.shop.example:8443":   "https://*.shop.example:8443",
		"http://[2001:db8::1]:8080":     "http://[2001:db8::1]:8080",
		"capacitor://localhost":         "capacitor://localhost",
		"https://xn--mnchen-3ya.de":     "https://xn--mnchen-3ya.de",
		"":                              "",
		"*":                             "",
		"null":                          "",
		"shop.example":                  "",
		"https://":                      "",
		"https://*":                     "",
		"https://*.":                    "",
		"https://*shop.example":         "",
		"https://www.*.example":         "",
		"https://*.*.example":           "",
		"https://shop.example/":         "",
		"https://shop.example/path":     "",
		"https://shop.example:443":      "",
		"http://*.shop.example:80":      "",
		"https://user@shop.example":     "",
		"https://münchen.de":            "",
		"https://shop.example\nX-Evil:": "",
	} {
		got, err := ParseOrigin(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestOriginsOfProjects(t *testing.T) {
	shop := Project{ID: "shop", Origins: []string{"https://shop.test", "https://*.brand.test", "http://*.local:3000"}}
	open := Project{ID: "open"}
	closed := NewProjects([]Project{shop})
	both := NewProjects([]Project{shop, open})
	for origin, want := range map[string]bool{
		"https://shop.test":              true,
		"https://www.shop.test":          false,
		"http://shop.test":               false,
		"https://shop.test:8443":         false,
		"https://shop.test.evil.test":    false,
		"https://a.brand.test":           true,
		"https://a.b.brand.test":         true,
		"https://brand.test":             false,
		"https://.brand.test":            false,
		"http://a.brand.test":            false,
		"https://evilbrand.test":         false,
		"https://a.brand.test.evil.test": false,
		"https://evil.test/.brand.test":  false,
		"https://evil.test:1.brand.test": false,
		"https://evil@a.brand.test":      false,
		"https://a.brand.test:3000":      false,
		"http://a.local:3000":            true,
		"http://a.local":                 false,
		"https://*.brand.test":           false,
		"null":                           false,
		"":                               false,
	} {
		if got := shop.TakesFrom([]byte(origin)); got != want {
			t.Errorf("project, %q: got %v", origin, got)
		}
		if takes, named := closed.TakesFrom([]byte(origin)); takes != want || named != want {
			t.Errorf("projects, %q: got %v, %v", origin, takes, named)
		}
		if takes, named := both.TakesFrom([]byte(origin)); !takes || named != want {
			t.Errorf("one open, %q: got %v, %v", origin, takes, named)
		}
		if !open.TakesFrom([]byte(origin)) {
			t.Errorf("open project, %q: refused", origin)
		}
	}
}

func TestOriginsAllocateNothing(t *testing.T) {
	projects := NewProjects([]Project{{Origins: []string{"https://shop.test", "https://*.brand.test"}}})
	origin := []byte("https://www.brand.test")
	if n := testing.AllocsPerRun(100, func() { projects.TakesFrom(origin) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSameSite(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"shop.example.com", "shop.example.com", true},
		{"www.example.co.uk", "shop.example.co.uk", true},
		{"example.com", "m.example.com", true},
		{"example.com", "example.org", false},
		{"example.com", "notexample.com", false},
		{"anna.github.io", "bert.github.io", false},
		{"a.co.uk", "b.co.uk", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "198.51.2.1", false},
		{"2001:db8::1", "2001:db8::1", true},
		{"localhost", "localhost", true},
		{"a.intranet", "b.intranet", false},
		{"", "", false},
		{"", "example.com", false},
		{"com", "example.com", false},
	} {
		if got := SameSite(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: got %v", c.a, c.b, got)
		}
		if got := SameSite(c.b, c.a); got != c.want {
			t.Errorf("%q, %q: got %v", c.b, c.a, got)
		}
	}
}
