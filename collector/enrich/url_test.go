package enrich

import "testing"

func TestSplitURL(t *testing.T) {
	for raw, want := range map[string]urlParts{
		"https://www.example.com/a/b?c=d#e":   {"www.example.com", "/a/b", "c=d"},
		"HTTPS://User:Secret@WWW.Example.COM": {"www.example.com", "/", ""},
		"http://example.com.:8080?x":          {"example.com", "/", "x"},
		"http://[2001:DB8::1]:80/p":           {"2001:db8::1", "/p", ""},
		"http://192.0.2.1/":                   {"192.0.2.1", "/", ""},
		"http://example.com/%zz?q=%":          {"example.com", "/%zz", "q=%"},
		"http://xn--mnchen-3ya.de/":           {"xn--mnchen-3ya.de", "/", ""},
		"http://MÜNCHEN.de/":                  {"münchen.de", "/", ""},
		"/path?a=b":                           {"", "/path", "a=b"},
		"/go/http://example.com/":             {"", "/go/http://example.com/", ""},
		"//path":                              {"", "//path", ""},
		"?utm_source=x":                       {"", "", "utm_source=x"},
		"shop.example/landing?a":              {"", "", "a"},
		"go/http://example.com/":              {"", "", ""},
		"about:blank":                         {"", "", ""},
		"android-app://com.google.android.googlequicksearchbox/": {"com.google.android.googlequicksearchbox", "/", ""},
		"https://exa mple.com/":                                  {"", "/", ""},
		"https://<script>/":                                      {"", "/", ""},
		"https://.example.com/":                                  {"", "/", ""},
		"https://example.com../":                                 {"", "/", ""},
		"https://[::1/":                                          {"::1", "/", ""},
		"https://[nonsense]/":                                    {"", "/", ""},
		"https://":                                               {"", "/", ""},
		"https://a@b@c/":                                         {"c", "/", ""},
		"https://\xff.example/":                                  {"\uFFFD.example", "/", ""},
		"":                                                       {"", "", ""},
	} {
		if got := splitURL(raw); got != want {
			t.Errorf("%q: got %+v, want %+v", raw, got, want)
		}
	}
}
