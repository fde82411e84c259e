package main

import (
	"strings"
	"testing"
)

// FuzzConfig reads anything as a configuration file: it is refused in one line that names the place, or complete.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(oneProject))
	f.Add([]byte(`collector: { listen: ":8080", admin: "${HOME}", durability: os, spool_limit: 10GB }
projects:
  - id: shop
    write_keys: [wk_shop, "${NONE_SUCH}"]
    origins: ["https://shop.example"]
    timezone: Europe/Berlin
    currency: EUR
    privacy: { mode: full, ip: truncate, respect_gpc: true, retention: 800d }
    conversions: [{ event: "Order Completed", value: revenue }]
    milestones: { lead: Lead Created, opportunity: Demo Held }
    touches: ["Email Opened"]
    traits: { role: job_title, interest: interest }
    models: { position: [30, 40, 30], half_life: 3d }
    lookback: 90d
    inactivity: 30d
`))
	f.Add([]byte("projects: [{ id: a, write_keys: [k], privacy: { mode: full, retention: 1e9d } }]\nprojectz: 1\n"))
	f.Add([]byte("a: &a [*a]\n<<: *a\n--- \x00"))
	f.Add([]byte("projects:\n  - id: a\n    origins: !x\n    b: 1\n")) // the library panics
	f.Add([]byte("projects:\n  - id: {}\n\t- x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig("touchline.yaml", text)
		if err != nil {
			if s := err.Error(); !strings.HasPrefix(s, "touchline.yaml:") || strings.ContainsAny(s, "\r\n") {
				t.Fatalf("error %q", s)
			}
			return
		}
		if len(c.Projects) == 0 || len(c.collecting) != len(c.Projects) || len(c.attributed) != len(c.Projects) || c.spoolLimit <= 0 {
			t.Fatalf("incomplete: %+v", c)
		}
	})
}
