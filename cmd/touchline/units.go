package main

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// wholeNumber is a number in the configuration. The library would cut off what is behind a point, without a word.
type wholeNumber int

// UnmarshalYAML reads the number.
func (n *wholeNumber) UnmarshalYAML(node ast.Node) error {
	parsed, err := strconv.Atoi(node.String())
	if err != nil {
		return &yaml.SyntaxError{Message: fmt.Sprintf("is %s; want a whole number", node), Token: node.GetToken()}
	}
	*n = wholeNumber(parsed)
	return nil
}

// parseDuration reads a positive duration: 90d, 12h, 30m.
func parseDuration(s string) (time.Duration, error) {
	wrong := fmt.Errorf("is %q; want a positive duration like 90d or 12h", s)
	text, scale := s, time.Duration(1)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		text, scale = days+"h", 24
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > 100*365*24*time.Hour/scale {
		return 0, wrong
	}
	return d * scale, nil
}

var sizePattern = regexp.MustCompile(`^(\d{1,12})\s*([KMGT]?)B$`)

// parseSize reads a size in bytes: 10GB, 500MB; a unit is 1024 of the one before.
func parseSize(s string, unset int64) (int64, error) {
	if s == "" {
		return unset, nil
	}
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("is %q; want a size like 64KB or 10GB", s)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	shift := 10 * strings.Index(" KMGT", m[2])
	if m[2] == "" {
		shift = 0
	}
	if err != nil || n == 0 || n > 1<<50>>shift {
		return 0, fmt.Errorf("is %q; want a size between 1B and 1024TB", s)
	}
	return n << shift, nil
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces ${NAME} in every setting by the environment variable, so that secrets need not stand in the file.
func (c *config) expand(lookup func(string) (string, bool)) error {
	return expandValue(reflect.ValueOf(c).Elem(), "", lookup)
}

func expandValue(v reflect.Value, path string, lookup func(string) (string, bool)) error {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			key := v.Type().Field(i).Tag.Get("yaml")
			if key == "" {
				continue
			}
			if err := expandValue(v.Field(i), strings.TrimPrefix(path+"."+key, "."), lookup); err != nil {
				return err
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := expandValue(v.Index(i), fmt.Sprintf("%s[%d]", path, i), lookup); err != nil {
				return err
			}
		}
	case reflect.String:
		var missing string
		v.SetString(variable.ReplaceAllStringFunc(v.String(), func(ref string) string {
			value, ok := lookup(ref[2 : len(ref)-1])
			if !ok {
				missing = ref
			}
			return value
		}))
		if missing != "" {
			return &configError{path, fmt.Sprintf("names %s; set that environment variable", missing)}
		}
	}
	return nil
}

// parseDay reads a bound of a report: a day in the project's time zone, or an RFC 3339 instant. A day as the upper
// bound is included whole.
func parseDay(flag, s string, zone *time.Location, upper bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		if upper {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("--%s is %q; want a day like 2026-01-31 or an instant like 2026-01-31T12:00:00Z", flag, s)
	}
	return t, nil
}

// defaultConfigFile is read when no --config is given and it is there.
const defaultConfigFile = "touchline.yaml"

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
