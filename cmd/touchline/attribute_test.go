package main

import (
	"path/filepath"
	"testing"
)

// One journey: Press, Email, the lead, Direct, the opportunity, Trade Fairs, the order. What the flags of attribute make of
// it is worked out by hand.
func TestAttributeSeesJourneysAsItsFlagsSay(t *testing.T) {
	in := newInstallation(t, `projects:
  - id: shop
    write_keys: [wk_shop]
    privacy: { mode: full }
    milestones: { lead: Lead Qualified, opportunity: Opportunity Created }
`)
	events := filepath.Join(t.TempDir(), "events.csv")
	writeFile(t, events, `timestamp,user_id,event,channel,value
2026-01-01T10:00:00Z,ann,Touchpoint,Press,
2026-01-05T10:00:00Z,ann,Touchpoint,Email,
2026-01-06T09:00:00Z,ann,Lead Qualified,,
2026-01-07T10:00:00Z,ann,Touchpoint,Direct,
2026-01-08T10:00:00Z,ann,Opportunity Created,,
2026-01-09T10:00:00Z,ann,Touchpoint,Trade Fairs,
2026-01-10T10:00:00Z,ann,Order Completed,,100
`)
	output(t, in, "import", "events", events, "--project", "shop")
	for _, tt := range []struct {
		about string
		flags []string
		want  string
	}{
		{"as the project is configured", nil, `channel,w_shaped,full_path
Direct,30,25
Email,30,25
Press,30,25
Trade Fairs,10,25
`},
		{"without Direct touches the last one up to the opportunity is the Email", []string{"--direct", "ignore"}, `channel,w_shaped,full_path
Email,60,50
Press,30,25
Trade Fairs,10,25
`},
		{"in the lookback there is no lead: position; what is before it ended without a conversion", []string{"--lookback", "4d"}, `channel,w_shaped,full_path
Direct,50,50
Trade Fairs,50,50
Email,0,0
Press,0,0
`},
	} {
		t.Run(tt.about, func(t *testing.T) {
			args := append([]string{"attribute", "--project", "shop", "--models", "w_shaped,full_path", "--compare", "value"}, tt.flags...)
			if got := output(t, in, args...); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}
