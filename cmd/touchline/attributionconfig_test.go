package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/attribution"
)

func TestConfigurationOfAttribution(t *testing.T) {
	name := filepath.Join(t.TempDir(), "touchline.yaml")
	load := func(settings string) (*config, error) {
		writeFile(t, name, "projects:\n  - id: shop\n    write_keys: [k]\n    privacy: { mode: full }\n"+settings)
		return loadConfig(name)
	}
	base := attribution.Project{
		ID: "shop", Location: time.UTC, Currency: "EUR", Conversions: []attribution.Conversion{{Event: "Order Completed", Value: "revenue"}},
		Lookback: 90 * 24 * time.Hour, Inactivity: 30 * 24 * time.Hour,
		Position: [3]float64{0.4, 0.2, 0.4}, HalfLife: 168 * time.Hour,
	}
	full := base
	full.Milestones = attribution.Milestones{Lead: "Lead Created", Opportunity: "Demo Held"}
	full.Touches = []string{"Email Opened", "Ad Seen"}
	full.RoleTrait, full.InterestTrait = "job_title", "interest"
	full.Position, full.HalfLife = [3]float64{0.3, 0.1, 0.6}, 36*time.Hour
	for settings, want := range map[string]attribution.Project{
		"": base,
		`    milestones: { lead: Lead Created, opportunity: Demo Held }
    touches: ["Email Opened", "Ad Seen"]
    traits: { role: job_title, interest: interest }
    models: { position: [30, 10, 60], half_life: 36h }
`: full,
	} {
		c, err := load(settings)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.attributed[0]; !reflect.DeepEqual(got, want) || len(c.warnings) > 0 {
			t.Errorf("%q: got %+v\nwant %+v\nwarnings %q", settings, got, want, c.warnings)
		}
	}
	long := strings.Repeat("x", 201)
	for settings, want := range map[string]string{
		"    milestones: { leed: A }\n":                      `:5:19: unknown key "leed"`,
		"    milestones: { lead: " + long + " }\n":           ":5:25: projects[0].milestones.lead: is 201 bytes long; at most 200 are taken",
		"    milestones: { opportunity: ' A' }\n":            `:5:32: projects[0].milestones.opportunity: " A" has spaces around it`,
		"    milestones: { lead: A, opportunity: A }\n":      `:5:41: projects[0].milestones.opportunity: "A" is the lead, too`,
		"    touches: [A, '']\n":                             ":5:18: projects[0].touches[1]: is empty; name an event",
		"    touches: [A, B, A]\n":                           `:5:21: projects[0].touches[2]: "A" is there twice`,
		"    touches: [Touchpoint]\n":                        `:5:15: projects[0].touches[0]: "Touchpoint" is a touch in any case`,
		"    touches: [Order Completed]\n":                   `:5:15: projects[0].touches[0]: "Order Completed" is a conversion`,
		"    touches: [" + long + "]\n":                      ":5:15: projects[0].touches[0]: is 201 bytes long",
		"    touches: [" + strings.Repeat("x,", 101) + "]\n": ":5:14: projects[0].touches: has 101 events; at most 100 are taken",
		"    traits: { role: 'a ' }\n":                       `:5:21: projects[0].traits.role: "a " has spaces`,
		"    traits: { interest: " + long + " }\n":           ":5:25: projects[0].traits.interest: is 201 bytes long",
		"    models: { position: [50, 50] }\n":               ":5:25: projects[0].models.position: has 2 numbers; want three",
		"    models: { position: [] }\n":                     ":5:25: projects[0].models.position: has 0 numbers; want three",
		"    models: { position: [40, 20, 41] }\n":           ":5:25: projects[0].models.position: adds up to 101 per cent; want 100",
		"    models: { position: [40, -20, 80] }\n":          ":5:30: projects[0].models.position[1]: is -20; want per cent",
		"    models: { position: [0, 100, 0] }\n":            ":5:25: projects[0].models.position: leaves nothing for the first",
		"    models: { position: [40, 20.5, 39.5] }\n":       ":5:30: is 20.5; want a whole number",
		"    models: { half_life: 7 }\n":                     `:5:26: projects[0].models.half_life: is "7"; want a positive duration`,
		"    models: { halflife: 7d }\n":                     `:5:15: unknown key "halflife"`,
	} {
		if _, err := load(settings); err == nil || !strings.HasPrefix(err.Error(), name+want) {
			t.Errorf("%.60q: %v, want %s", settings, err, want)
		}
	}
}
