package collector

import "regexp"

var quotedText = regexp.MustCompile(`'[^']*'?`)

// WithoutValues is an error's text for the log: what a database puts into quotation marks may be of an event.
func WithoutValues(err error) string { return quotedText.ReplaceAllString(err.Error(), "'…'") }
