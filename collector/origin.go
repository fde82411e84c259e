package collector

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/net/publicsuffix"
)

var originPattern = regexp.MustCompile(`^([a-z][a-z0-9+.-]*)://(\*\.)?([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$`)

// ParseOrigin checks an origin as it is configured and returns it as browsers write it: https://shop.example,
// http://localhost:3000, or https://*.shop.example for every host below shop.example, though not for itself.
func ParseOrigin(text string) (string, error) {
	origin := strings.ToLower(text)
	if !originPattern.MatchString(origin) {
		return "", fmt.Errorf("is %q; want an origin as browsers send it, such as https://shop.example or https://*.shop.example, without a path", text)
	}
	for scheme, port := range map[string]string{"http://": ":80", "https://": ":443"} {
		if strings.HasPrefix(origin, scheme) && strings.HasSuffix(origin, port) {
			return "", fmt.Errorf("is %q; leave out %s, as browsers do", text, port)
		}
	}
	return origin, nil
}

// TakesFrom reports whether browsers may send to the project from pages of an origin.
func (p *Project) TakesFrom(origin []byte) bool {
	return len(p.Origins) == 0 || matchesAny(p.Origins, origin)
}

// TakesFrom reports whether any project takes events from pages of an origin. Named reports that one of them lists it,
// rather than taking all.
func (p *Projects) TakesFrom(origin []byte) (takes, named bool) {
	named = matchesAny(p.origins, origin)
	return named || p.anyOrigin, named
}

func matchesAny(patterns []string, origin []byte) bool {
	for _, pattern := range patterns {
		if matchesOrigin(pattern, origin) {
			return true
		}
	}
	return false
}

// matchesOrigin compares an origin with one that ParseOrigin has returned. It allocates nothing.
func matchesOrigin(pattern string, origin []byte) bool {
	scheme, domain, wildcard := strings.Cut(pattern, "*")
	if !wildcard {
		return pattern == string(origin)
	}
	end := len(origin) - len(domain)
	return end > len(scheme) && string(origin[:len(scheme)]) == scheme && string(origin[end:]) == domain &&
		areLabels(origin[len(scheme):end])
}

// areLabels keeps a wildcard to what can be in front of a domain.
func areLabels(s []byte) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// SameSite reports whether two hosts belong to one registrable domain: shop.example.co.uk and www.example.co.uk do,
// anna.github.io and bert.github.io do not, nor do two addresses.
func SameSite(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if a == b {
		return true
	}
	if a[len(a)-1] != b[len(b)-1] {
		return false
	}
	siteA, errA := publicsuffix.EffectiveTLDPlusOne(a)
	siteB, errB := publicsuffix.EffectiveTLDPlusOne(b)
	return errA == nil && errB == nil && siteA == siteB
}
