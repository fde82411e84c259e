package link

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/collector"
)

const secret = "a secret of the shop"

var now = time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)

func full() collector.Link {
	return collector.Link{
		Project: "shop", Target: "https://shop.test/sale?size=9#top",
		Source: "news", Medium: "email", Campaign: "spring", Term: "shoes", Content: "größer",
		UserID: "ada", AnonymousID: "device", Label: "footer", Expires: now.Add(time.Hour),
	}
}

func secrets(project string) []byte {
	if project == "shop" {
		return []byte(secret)
	}
	return nil
}

func sign(t *testing.T, l collector.Link) string {
	t.Helper()
	token, err := Sign(&l, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The format is a promise: links that are in people's mailboxes must go on working.
func TestFormat(t *testing.T) {
	l := collector.Link{Project: "shop", Target: "https://shop.test/", Source: "news", Expires: time.Unix(1_800_000_000, 0).UTC()}
	const want = "AYCkp9oGBHNob3ASaHR0cHM6Ly9zaG9wLnRlc3QvBG5ld3MAAAAAAAAAnFi4_X6_6bcNLF-A0vCDAA"
	if got := sign(t, l); got != want {
		t.Errorf("got %s", got)
	}
	got, err := Read(want, secrets, time.Unix(1_799_999_999, 0))
	if err != nil || got != l {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestExpiry(t *testing.T) {
	token := sign(t, full())
	if got, err := Read(token, secrets, now.Add(time.Hour-1)); err != nil || got != full() {
		t.Errorf("before: %+v, %v", got, err)
	}
	if got, err := Read(token, secrets, now.Add(time.Hour)); !errors.Is(err, ErrExpired) || got != (collector.Link{}) {
		t.Errorf("after: %+v, %v", got, err)
	}
}

func TestAlteredTokens(t *testing.T) {
	token := sign(t, full())
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ \n"
	for i := range token {
		for _, c := range alphabet {
			if altered := token[:i] + string(c) + token[i+1:]; altered != token {
				refused(t, altered)
			}
		}
		refused(t, token[:i])
		refused(t, token[i+1:])
	}
	for _, more := range []string{"A", "AA", "=", ".", "\n", token} {
		refused(t, token+more)
	}
	refused(t, strings.Repeat("A", MaxToken+1))
	if _, err := Read(token, func(string) []byte { return []byte("the secret of another") }, now); !errors.Is(err, ErrInvalid) {
		t.Errorf("another secret: %v", err)
	}
	if _, err := Read(token, func(string) []byte { return nil }, now); !errors.Is(err, ErrInvalid) {
		t.Errorf("no secret: %v", err)
	}
}

func refused(t *testing.T, token string) {
	t.Helper()
	if got, err := Read(token, secrets, now); !errors.Is(err, ErrInvalid) || got != (collector.Link{}) {
		t.Fatalf("%q is taken: %+v, %v", token, got, err)
	}
}

// A project without a secret must not be taken for one whose secret is empty.
func TestEmptySecretSignsNothing(t *testing.T) {
	raw, err := base64.RawURLEncoding.DecodeString(sign(t, full()))
	if err != nil {
		t.Fatal(err)
	}
	body := raw[:len(raw)-macSize]
	forged := base64.RawURLEncoding.EncodeToString(append(body, sum(body, nil)...))
	if _, err := Read(forged, func(string) []byte { return nil }, now); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestLinksThatCannotBe(t *testing.T) {
	for want, change := range map[string]func(*collector.Link){
		"project is missing": func(l *collector.Link) { l.Project = "" },
		"target is no http or https URL; want one like https://shop.example/sale, without a user":         func(l *collector.Link) { l.Target = "//shop.test/" },
		`target has a space, a backslash or a letter beyond ASCII; write it percent-encoded, such as %20`: func(l *collector.Link) { l.Target = "https://shop.test/größe" },
		"target has tl_touch already, the mark of another click; leave that parameter out":                func(l *collector.Link) { l.Target = "https://shop.test/?a=1&tl_touch=x" },
		"label is 513 bytes long; at most 512 are taken":                                                  func(l *collector.Link) { l.Label = strings.Repeat("x", 513) },
		"target is 2049 bytes long; at most 2048 are taken":                                               func(l *collector.Link) { l.Target = "https://t/" + strings.Repeat("x", 2039) },
		"campaign is not UTF-8": func(l *collector.Link) { l.Campaign = "\xff" },
		"expiry is 0001-01-01T00:00:00Z; want a time between 1970 and 9999": func(l *collector.Link) { l.Expires = time.Time{} },
	} {
		l := full()
		change(&l)
		if token, err := Sign(&l, []byte(secret)); err == nil || err.Error() != want {
			t.Errorf("got %q, %v\nwant %s", token, err, want)
		}
		// Whoever holds the secret may have another program: what it signs is looked at as well.
		if l.Expires.IsZero() {
			continue
		}
		body := binary.AppendUvarint([]byte{version}, uint64(l.Expires.Unix()))
		for _, field := range fields(&l) {
			body = appendText(body, *field)
		}
		refused(t, base64.RawURLEncoding.EncodeToString(append(body, sum(body, []byte(secret))...)))
	}
	l := full()
	if _, err := Sign(&l, []byte("fifteen bytes..")); err == nil || err.Error() != "secret has 15 bytes; want at least 16" {
		t.Errorf("short secret: %v", err)
	}
	for _, target := range []string{
		"", "shop.test", "/sale", "javascript:alert(1)", "ftp://shop.test/", "https:///sale", "https://ada@shop.test/", "http://:80/",
		"https://shop.test/\r\nSet-Cookie: a=b", `https://shop.test\@evil.test/`, "https://shop.test/%zz\x00",
	} {
		l := full()
		l.Target = target
		if token, err := Sign(&l, []byte(secret)); err == nil {
			t.Errorf("%q is taken: %s", target, token)
		}
	}
}

func appendText(dst []byte, text string) []byte {
	return append(append(dst, byte(len(text)|0x80), byte(len(text)>>7)), text...) // a length of two bytes
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, -1, 512)
		l := collector.Link{
			Project: "shop",
			Target:  "https://shop.test/" + rapid.StringMatching(`[a-z0-9/%~.-]{0,20}(\?[a-z=&%]{0,20})?(#[a-z?]{0,5})?`).Filter(parses).Draw(t, "target"),
			Source:  text.Draw(t, "source"), Medium: text.Draw(t, "medium"), Campaign: text.Draw(t, "campaign"), Term: text.Draw(t, "term"),
			Content: text.Draw(t, "content"), UserID: text.Draw(t, "uid"), AnonymousID: text.Draw(t, "aid"), Label: text.Draw(t, "label"),
			Expires: time.Unix(rapid.Int64Range(now.Unix()+1, maxExpires).Draw(t, "expires"), 0).UTC(),
		}
		token, err := Sign(&l, []byte(secret))
		if err != nil {
			if strings.HasPrefix(err.Error(), "link is ") {
				return // too long in all
			}
			t.Fatal(err)
		}
		got, err := Read(token, secrets, now)
		if err != nil || got != l {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, l)
		}
		if u, err := url.Parse("https://t.test/r/" + token); err != nil || u.Path != "/r/"+token {
			t.Fatalf("%s does not fit into a URL: %v", token, err)
		}
		before, _ := url.Parse(l.Target)
		after, err := url.Parse(l.WithTouch("ID"))
		if err != nil || after.Query().Get(collector.TouchParameter) != "ID" || after.Fragment != before.Fragment || after.Path != before.Path {
			t.Fatalf("%s became %s", l.Target, after)
		}
	})
}

func parses(rest string) bool {
	_, err := url.Parse("https://shop.test/" + rest)
	return err == nil
}

func FuzzRead(f *testing.F) {
	l := full()
	token, err := Sign(&l, []byte(secret))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(token[:len(token)-3])
	f.Add("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("Af________________8BAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, token string) {
		got, err := Read(token, secrets, now)
		switch {
		case err != nil && got != (collector.Link{}):
			t.Errorf("a refused token says %+v", got)
		case err == nil && got != full():
			t.Errorf("forged: %+v", got)
		}
		raw, err := encoding.DecodeString(token)
		if err != nil || len(raw) == 0 {
			return
		}
		// The same bytes, rightly signed: what is read is signed again to the same link.
		signed := encoding.EncodeToString(append(raw, sum(raw, []byte(secret))...))
		l, err := Read(signed, secrets, now)
		if err != nil {
			return
		}
		again, err := Sign(&l, []byte(secret))
		if err != nil {
			t.Fatalf("%+v cannot be signed again: %v", l, err)
		}
		if twice, err := Read(again, secrets, now); err != nil || twice != l {
			t.Errorf("got %+v, %v\nwant %+v", twice, err, l)
		}
	})
}
