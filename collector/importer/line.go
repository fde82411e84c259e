package importer

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// sample is what a line should look like, for error messages.
const sample = `203.0.113.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512 "-" "Mozilla/5.0 …"`

// entry is one line of an access log, escapes undone, "-" turned into "".
type entry struct {
	Addr      string // address or host name of the client, as logged
	Time      time.Time
	Request   string // the request line; may be anything that a client sent
	Status    int
	Referrer  string
	UserAgent string
}

// IP returns the client's address, or the zero Addr when the log has a host name.
func (e *entry) IP() netip.Addr {
	ip, err := netip.ParseAddr(e.Addr)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

// parseLine reads one line of the combined format,
//
//	%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"
//
// without its line end. Fields after the user agent are ignored: many servers append some. The common format, which
// ends after the size, is refused: without referrer and user agent every visit would be direct and no bot be known.
func parseLine(line string) (entry, error) {
	var e entry
	rest, err := e.parseClient(line)
	if err != nil {
		return e, err
	}
	if rest, err = e.parseTime(rest); err != nil {
		return e, err
	}
	if e.Request, rest, err = quoted("request", rest); err != nil {
		return e, err
	}
	if rest, err = e.parseStatusAndSize(rest); err != nil {
		return e, err
	}
	if rest == "" {
		return e, errors.New("ends after the size: common log format, which has no referrer and user agent; combined is needed")
	}
	if e.Referrer, rest, err = quoted("referrer", rest); err != nil {
		return e, err
	}
	e.UserAgent, _, err = quoted("user agent", rest)
	return e, err
}

// parseClient reads the three words before the time. A user name may hold spaces, but only after the ident "-" that
// all servers write, so that a prefix (of syslog, of vhost_combined) is not taken for an address.
func (e *entry) parseClient(line string) (rest string, err error) {
	if strings.TrimSpace(line) == "" {
		return "", errors.New("is empty")
	}
	words, rest, ok := strings.Cut(line, " [")
	if !ok {
		return "", errors.New("has no [time]")
	}
	addr, words, _ := strings.Cut(words, " ")
	ident, user, _ := strings.Cut(words, " ")
	if _, err := netip.ParseAddr(ident); err == nil {
		return "", errors.New("has an address as its second word: remove the virtual host at the start")
	}
	if addr == "" || ident == "" || user == "" || ident != "-" && strings.Contains(user, " ") {
		return "", errors.New("must have address, ident and user before the [time]")
	}
	e.Addr = addr
	return rest, nil
}

func (e *entry) parseTime(s string) (rest string, err error) {
	text, rest, ok := strings.Cut(s, "] ")
	if !ok {
		return "", errors.New("has no end of [time]")
	}
	t, err := time.Parse("02/Jan/2006:15:04:05 -0700", text)
	if err != nil {
		return "", fmt.Errorf("has time %q; want 17/May/2015:10:05:03 +0000", clip(text))
	}
	if t.Year() < 1990 || t.Year() > 2099 {
		return "", fmt.Errorf("has time %q; want a year from 1990 to 2099", text)
	}
	e.Time = t.UTC()
	return rest, nil
}

func (e *entry) parseStatusAndSize(s string) (rest string, err error) {
	status, s, _ := strings.Cut(s, " ")
	size, rest, _ := strings.Cut(s, " ")
	if e.Status, err = strconv.Atoi(status); err != nil || len(status) != 3 || e.Status < 0 {
		return "", fmt.Errorf("has status %q; want three digits", clip(status))
	}
	if _, err := strconv.ParseUint(size, 10, 64); err != nil && size != "-" {
		return "", fmt.Errorf(`has size %q; want a number or "-"`, clip(size))
	}
	return rest, nil
}

// quoted reads a field in quotes at the start of s. A quote ends it only when followed by a space or the end of the
// line, because some servers do not escape quotes.
func quoted(name, s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		return "", "", fmt.Errorf("has no quote before the %s", name)
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"' && i+1 == len(s):
			return unescape(s[1:i]), "", nil
		case s[i] == '"' && s[i+1] == ' ':
			return unescape(s[1:i]), s[i+2:], nil
		}
	}
	return "", "", fmt.Errorf("has no quote after the %s", name)
}

// unescape undoes the escapes of Apache (\" \\ \n \r \t \xhh) and nginx (\xHH). Any other backslash stays as it is:
// not every server escapes. What is not UTF-8 afterwards becomes U+FFFD, and so does NUL.
func unescape(s string) string {
	if s == "-" {
		return ""
	}
	if strings.Contains(s, `\`) {
		s = unescapeBackslashes(s)
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func unescapeBackslashes(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		switch s[i] {
		case '"', '\\':
			b = append(b, s[i])
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		default:
			if n, ok := hexEscape(s[i:]); ok {
				b = append(b, n)
				i += 2
			} else {
				b = append(b, '\\', s[i])
			}
		}
	}
	return string(b)
}

// hexEscape reads xHH at the start of s.
func hexEscape(s string) (byte, bool) {
	if len(s) < 3 || s[0] != 'x' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:3], 16, 8)
	return byte(n), err == nil
}

// clip shortens foreign text for an error message.
func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
