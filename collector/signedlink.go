package collector

import (
	"strings"
	"time"
)

// Link is what a signed link says of a click on it. Its texts are UTF-8; all but Project and Target may be empty.
type Link struct {
	Project string
	Target  string // absolute http or https URL, in ASCII

	// What a click on it counts as.
	Source   string
	Medium   string
	Campaign string
	Term     string
	Content  string

	UserID      string // of whom the link was made for
	AnonymousID string
	Label       string // tells links of one message apart

	Expires time.Time // whole seconds
}

// TouchParameter is the parameter of a page's URL that holds the id of the click that led there.
const TouchParameter = "tl_touch"

// WithTouch returns the target with the id of a click appended to its query. id needs no escaping.
func (l *Link) WithTouch(id string) string {
	address, fragment, hasFragment := strings.Cut(l.Target, "#")
	switch {
	case !strings.Contains(address, "?"):
		address += "?"
	case !strings.HasSuffix(address, "?") && !strings.HasSuffix(address, "&"):
		address += "&"
	}
	address += TouchParameter + "=" + id
	if hasFragment {
		address += "#" + fragment
	}
	return address
}
