package attribution

import "testing"

func TestProjectConversion(t *testing.T) {
	p := Project{Conversions: []Conversion{{Event: "Order Completed", Value: "revenue"}, {Event: "Signed Up", Value: "worth"}}}
	for kind, want := range map[string]Conversion{
		"Order Completed": {Event: "Order Completed", Value: "revenue"},
		"Signed Up":       {Event: "Signed Up", Value: "worth"},
		"signed up":       {Event: "signed up"},
		"File Downloaded": {Event: "File Downloaded"},
	} {
		if got := p.Conversion(kind); got != want {
			t.Errorf("%s: %+v, want %+v", kind, got, want)
		}
	}
}
