package enrich

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// urlParts are pieces of a URL, cut out without copying, save for a host with upper-case letters.
type urlParts struct {
	host  string // lower case, without user, port, brackets and final dot; "" when there is none or it is nonsense
	path  string // as it stands, still escaped; "/" when a URL with a host has none
	query string // without "?"
}

// splitURL cuts a URL, or a bare path as web servers log it. It takes what url.Parse refuses for a stray "%" or space:
// browsers send such URLs, and their host and campaign are known all the same.
func splitURL(raw string) (u urlParts) {
	rest, _, _ := strings.Cut(raw, "#")
	rest, u.query, _ = strings.Cut(rest, "?")
	if strings.HasPrefix(rest, "/") {
		u.path = rest
		return u
	}
	scheme, authority, ok := strings.Cut(rest, "://")
	if !ok || strings.Contains(scheme, "/") {
		return u
	}
	u.path = "/"
	if i := strings.IndexByte(authority, '/'); i >= 0 {
		authority, u.path = authority[:i], authority[i:]
	}
	u.host = hostname(authority)
	return u
}

// hostname returns the host of a URL's authority, or "" when it holds what no host's name can.
func hostname(authority string) string {
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	if strings.HasPrefix(host, "[") {
		host, _, _ = strings.Cut(host[1:], "]")
		if _, err := netip.ParseAddr(host); err != nil {
			return ""
		}
		return strings.ToLower(host)
	}
	host, _, _ = strings.Cut(host, ":")
	host = strings.TrimSuffix(host, ".")
	if len(host) > 253 || strings.Trim(host, ".") != host {
		return ""
	}
	for i := range len(host) {
		if c := host[i]; c < utf8.RuneSelf && !isAlnum(c) && c != '.' && c != '-' && c != '_' {
			return ""
		}
	}
	return strings.ToLower(host)
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
