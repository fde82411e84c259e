package enrich

import (
	_ "embed" // of the tables
	"strings"

	"golang.org/x/net/publicsuffix"
)

// The tables are lists of known names. Each file explains itself in its head.
var (
	//go:embed channels/sources.txt
	sourcesText string
	//go:embed channels/mediums.txt
	mediumsText string
	//go:embed channels/clickids.txt
	clickIDsText string

	knownSources  = parseSources(sourcesText)
	knownMediums  = parseMediums(mediumsText)
	knownClickIDs = parseClickIDs(clickIDsText)
)

// category says what kind of site a source is: a section of sources.txt.
type category string

const (
	search   category = "search"
	social   category = "social"
	video    category = "video"
	shopping category = "shopping"
	payment  category = "payment"
	login    category = "login"
)

// source is a site that visitors come from.
type source struct {
	name     string // as it is stored: "google"
	category category
}

// sources finds them by what was written in utm_source and by the referrer's host.
type sources struct {
	names  map[string]source // names, other spellings and hosts
	brands map[string]source // of "google.*": google
}

// lines yields the lines of a table with the section that each is in, without comments and blank ones.
func lines(text string) func(yield func(section, line string) bool) {
	return func(yield func(section, line string) bool) {
		section := ""
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || line[0] == '#':
			case line[0] == '[':
				section = strings.Trim(line, "[]")
			case !yield(section, line):
				return
			}
		}
	}
}

func parseSources(text string) sources {
	s := sources{map[string]source{}, map[string]source{}}
	for section, line := range lines(text) {
		name, patterns, _ := strings.Cut(line, ":")
		from := source{name, category(section)}
		s.names[name] = from
		for _, pattern := range strings.Fields(patterns) {
			if brand, ok := strings.CutSuffix(pattern, ".*"); ok {
				s.brands[brand] = from
			} else {
				s.names[pattern] = from
			}
		}
	}
	return s
}

// named returns the source that utm_source means, be it a name or a host.
func (s sources) named(utm string) source {
	if utm == "" {
		return source{}
	}
	name := strings.ToLower(utm)
	if known, ok := s.names[name]; ok {
		return known
	}
	return s.host(name)
}

// host returns the source of the longest known end of a lower-case host, or the zero source.
func (s sources) host(host string) source {
	for rest := host; ; {
		label, parent, more := strings.Cut(rest, ".")
		if !more {
			return source{}
		}
		if known, ok := s.names[rest]; ok {
			return known
		}
		if known, ok := s.brands[label]; ok {
			if suffix, _ := publicsuffix.PublicSuffix(host); suffix == parent {
				return known
			}
		}
		rest = parent
	}
}

// parseMediums returns the channel of each word.
func parseMediums(text string) map[string]string {
	mediums := map[string]string{}
	for channel, line := range lines(text) {
		for word := range strings.FieldsSeq(line) {
			mediums[word] = channel
		}
	}
	return mediums
}

// clickID is a query parameter that holds the id of a click.
type clickID struct {
	parameter string // in lower case
	rank      int    // the lowest counts when a URL has several
	source    string
	medium    string
}

func parseClickIDs(text string) map[string]clickID {
	ids := map[string]clickID{}
	for _, line := range lines(text) {
		parameter, means, _ := strings.Cut(line, ": ")
		from, medium, _ := strings.Cut(means, " ")
		ids[parameter] = clickID{parameter, len(ids) + 1, from, medium}
	}
	return ids
}
