package handler

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// CheckPath says what is wrong with an entry of Config.Paths, or nil.
func CheckPath(own, target string) error {
	if !slices.Contains(standardPaths, target) {
		return fmt.Errorf("is %q, which is no path of the collector; want one of %s", target, strings.Join(standardPaths, ", "))
	}
	if err := checkOwn(own); err != nil {
		return err
	}
	if strings.HasSuffix(own, "/") != strings.HasSuffix(target, "/") {
		return fmt.Errorf("stands for %q; either both end in a slash, and all below is meant, or neither", target)
	}
	return nil
}

func checkOwn(own string) error {
	plain := strings.TrimSuffix(own, "/")
	if len(plain) < 2 || plain[0] != '/' || path.Clean(plain) != plain || strings.ContainsAny(own, "?#%\\ ") {
		return errors.New("own path must begin with a slash and be plain: no query, no escapes, no empty or dotted parts")
	}
	if e := EndpointAt([]byte(own)); e != nil {
		return fmt.Errorf("own path is one of endpoint %s already, which stays", e.Name)
	}
	if isTwin([]byte(own)) {
		return fmt.Errorf("own path begins with %s and ends in %s, as the versions of the standard script do, which stay", twinPrefix, twinSuffix)
	}
	return nil
}

// prefixesOf returns the own paths that are prefixes, the longest first.
func prefixesOf(paths map[string]string) []string {
	var prefixes []string
	for own := range paths {
		if strings.HasSuffix(own, "/") {
			prefixes = append(prefixes, own)
		}
	}
	slices.SortFunc(prefixes, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return prefixes
}

// standardPath returns the path that an own one stands for.
func (h *Handler) standardPath(own []byte) (string, bool) {
	if target, ok := h.Paths[string(own)]; ok {
		return target, true
	}
	for _, prefix := range h.ownPrefixes {
		if len(own) > len(prefix) && string(own[:len(prefix)]) == prefix {
			return h.Paths[prefix] + strings.ReplaceAll(string(own[len(prefix):]), "%", "%25"), true // whoever sets it decodes it again
		}
	}
	return "", false
}
