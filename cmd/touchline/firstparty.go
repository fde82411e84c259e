package main

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/collector/handler"
)

type cookieConfig struct {
	Name   string `yaml:"name"`
	Domain string `yaml:"domain"`
	MaxAge string `yaml:"max_age"`
}

const (
	defaultCookieAge = 395 * 24 * time.Hour
	maxCookieAge     = 400 * 24 * time.Hour // what browsers cut it to
)

// proxies checks collector.trusted_proxies.
func (c *collectorConfig) proxies() (handler.Proxies, error) {
	var trusted handler.Proxies
	for i, text := range c.TrustedProxies {
		network, err := handler.ParseProxy(text)
		if err != nil {
			return nil, &configError{fmt.Sprintf("collector.trusted_proxies[%d]", i), err.Error()}
		}
		trusted = append(trusted, network)
	}
	return trusted, nil
}

// checkPaths checks collector.paths.
func (c *collectorConfig) checkPaths() error {
	for _, own := range slices.Sorted(maps.Keys(c.Paths)) {
		if err := handler.CheckPath(own, c.Paths[own]); err != nil {
			return &configError{fmt.Sprintf("collector.paths.'%s'", own), err.Error()}
		}
	}
	return nil
}

var (
	cookieName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
	domainName = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)+$`)
)

// complete checks collector.cookie.
func (c *cookieConfig) complete() (handler.Cookie, error) {
	cookie := handler.Cookie{Name: c.Name, Domain: strings.ToLower(c.Domain), MaxAge: defaultCookieAge}
	if c.Name == "" {
		if *c != (cookieConfig{}) {
			return cookie, &configError{"collector.cookie.name", "is missing; without a name there is no cookie"}
		}
		return handler.Cookie{}, nil
	}
	if !cookieName.MatchString(c.Name) {
		return cookie, &configError{"collector.cookie.name", fmt.Sprintf("is %q; want letters, digits, - and _", c.Name)}
	}
	if err := checkCookieDomain(cookie); err != nil {
		return cookie, err
	}
	if c.MaxAge == "" {
		return cookie, nil
	}
	var err error
	if cookie.MaxAge, err = parseDuration(c.MaxAge); err != nil {
		return cookie, &configError{"collector.cookie.max_age", err.Error()}
	}
	if cookie.MaxAge < time.Second || cookie.MaxAge > maxCookieAge {
		return cookie, &configError{"collector.cookie.max_age", fmt.Sprintf("is %q; want between 1s and 400d, the longest that browsers keep a cookie", c.MaxAge)}
	}
	return cookie, nil
}

// checkCookieDomain refuses what makes browsers drop the cookie without a word.
func checkCookieDomain(c handler.Cookie) error {
	const path = "collector.cookie.domain"
	if c.Domain == "" {
		return nil
	}
	if strings.HasPrefix(strings.ToLower(c.Name), "__host-") {
		return &configError{path, "must be empty with a name that begins with __Host-"}
	}
	if _, err := netip.ParseAddr(c.Domain); err == nil || !domainName.MatchString(c.Domain) {
		return &configError{path, fmt.Sprintf("is %q; want the site's domain, such as shop.example, without a dot in front", c.Domain)}
	}
	if suffix, _ := publicsuffix.PublicSuffix(c.Domain); suffix == c.Domain {
		return &configError{path, fmt.Sprintf("is %q, which is no one's own; browsers refuse cookies for it", c.Domain)}
	}
	return nil
}

// completeOrigins checks a project's origins and writes them as browsers do.
func (p *projectConfig) completeOrigins(path string) error {
	for i, text := range p.Origins {
		origin, err := collector.ParseOrigin(text)
		if err != nil {
			return &configError{fmt.Sprintf("%s.origins[%d]", path, i), err.Error()}
		}
		p.Origins[i] = origin
	}
	return nil
}
