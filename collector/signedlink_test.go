package collector

import "testing"

func TestWithTouch(t *testing.T) {
	for target, want := range map[string]string{
		"https://shop.test":               "https://shop.test?tl_touch=ID",
		"https://shop.test/":              "https://shop.test/?tl_touch=ID",
		"https://shop.test/a?b=c%20d":     "https://shop.test/a?b=c%20d&tl_touch=ID",
		"https://shop.test/a?":            "https://shop.test/a?tl_touch=ID",
		"https://shop.test/a?b&":          "https://shop.test/a?b&tl_touch=ID",
		"https://shop.test/a#b?c":         "https://shop.test/a?tl_touch=ID#b?c",
		"https://shop.test/a?b=1#c#d":     "https://shop.test/a?b=1&tl_touch=ID#c#d",
		"https://shop.test/a?b=%2Fx%3Fy#": "https://shop.test/a?b=%2Fx%3Fy&tl_touch=ID#",
	} {
		l := Link{Target: target}
		if got := l.WithTouch("ID"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", target, got, want)
		}
	}
}
