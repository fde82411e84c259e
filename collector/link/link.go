// Package link makes and reads the tokens of signed links. A token cannot be made or altered without its project's
// secret, so the collector redirects only where the project's owner wants it to: it is no open redirector.
//
//	token = base64url, without padding, of
//
//	┌─────────┬─────────┬────────────────────────────────────────────┬─────┐
//	│ version │ expires │ project target source medium campaign term │ mac │
//	│ 1 byte  │ uvarint │ content userId anonymousId label           │ 16  │
//	│         │ Unix s  │ each: uvarint length in bytes, UTF-8       │     │
//	└─────────┴─────────┴────────────────────────────────────────────┴─────┘
//
// mac is the first half of the HMAC-SHA256, under the secret, of all bytes before it.
package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Bounds of a link, in bytes.
const (
	MinSecret = 16
	MaxTarget = 2048
	MaxToken  = 8192 // what a proxy's limit of a request line leaves room for
)

const (
	version = 1
	macSize = 16 // 128 bits: nobody finds one by trying
)

// The reasons why a token is refused, for whoever clicked.
var (
	ErrInvalid = errors.New("this link is not valid: it was cut off, altered, or never was one of ours")
	ErrExpired = errors.New("this link has expired")
)

// encoding is strict: the bits that the last character has too many must be zero, so that a token has one spelling.
var encoding = base64.RawURLEncoding.Strict()

// Sign returns the token of l. The error names what is wrong with l or secret.
func Sign(l *collector.Link, secret []byte) (string, error) {
	if len(secret) < MinSecret {
		return "", fmt.Errorf("secret has %d bytes; want at least %d", len(secret), MinSecret)
	}
	if err := validate(l); err != nil {
		return "", err
	}
	token := binary.AppendUvarint([]byte{version}, uint64(l.Expires.Unix()))
	for _, field := range fields(l) {
		token = binary.AppendUvarint(token, uint64(len(*field)))
		token = append(token, *field...)
	}
	text := encoding.EncodeToString(append(token, sum(token, secret)...))
	if len(text) > MaxToken {
		return "", fmt.Errorf("link is %d characters long; at most %d fit into one", len(text), MaxToken)
	}
	return text, nil
}

// Read returns what a token says, if it was signed with its project's secret and has not expired. secret returns the
// secret of a project, or nothing. The error is ErrInvalid or ErrExpired.
func Read(token string, secret func(project string) []byte, now time.Time) (collector.Link, error) {
	if len(token) > MaxToken || strings.ContainsAny(token, "\r\n") { // which the decoder would skip
		return collector.Link{}, ErrInvalid
	}
	raw, err := encoding.DecodeString(token)
	if err != nil || len(raw) <= macSize {
		return collector.Link{}, ErrInvalid
	}
	body, mac := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	l, ok := decode(body)
	if !ok {
		return collector.Link{}, ErrInvalid
	}
	key := secret(l.Project)
	if len(key) < MinSecret || !hmac.Equal(mac, sum(body, key)) || validate(&l) != nil {
		return collector.Link{}, ErrInvalid
	}
	if !now.Before(l.Expires) {
		return collector.Link{}, ErrExpired
	}
	return l, nil
}

func sum(body, secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return mac.Sum(nil)[:macSize]
}

// fields are the texts of a link in the order of the format.
func fields(l *collector.Link) [10]*string {
	return [...]*string{
		&l.Project, &l.Target, &l.Source, &l.Medium, &l.Campaign, &l.Term, &l.Content, &l.UserID, &l.AnonymousID, &l.Label,
	}
}

// decode reads what nobody has vouched for yet. It allocates no more than body is long.
func decode(body []byte) (l collector.Link, ok bool) {
	if body[0] != version {
		return l, false
	}
	body = body[1:]
	expires, n := binary.Uvarint(body)
	if n <= 0 || expires > maxExpires {
		return l, false
	}
	body = body[n:]
	l.Expires = time.Unix(int64(expires), 0).UTC()
	for _, field := range fields(&l) {
		size, n := binary.Uvarint(body)
		if n <= 0 || size > uint64(len(body)-n) {
			return l, false
		}
		end := n + int(size)
		*field, body = string(body[n:end]), body[end:]
	}
	return l, len(body) == 0
}

// maxExpires is the year 9999, in Unix seconds: a time that every program can write.
const maxExpires = 253_402_300_799

func validate(l *collector.Link) error {
	for i, name := range [...]string{
		"project", "target", "source", "medium", "campaign", "term", "content", "uid", "aid", "label",
	} {
		limit := event.MaxID
		if name == "target" {
			limit = MaxTarget
		}
		switch text := *fields(l)[i]; {
		case len(text) > limit:
			return fmt.Errorf("%s is %d bytes long; at most %d are taken", name, len(text), limit)
		case !utf8.ValidString(text):
			return fmt.Errorf("%s is not UTF-8", name)
		}
	}
	if l.Project == "" {
		return errors.New("project is missing")
	}
	if s := l.Expires.Unix(); s <= 0 || s > maxExpires {
		return fmt.Errorf("expiry is %s; want a time between 1970 and 9999", l.Expires.UTC().Format(time.RFC3339))
	}
	return validateTarget(l.Target)
}

// validateTarget takes only what goes into a header as it is and means the same to every browser.
func validateTarget(target string) error {
	if strings.IndexFunc(target, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }) >= 0 {
		return errors.New(`target has a space, a backslash or a letter beyond ASCII; write it percent-encoded, such as %20`)
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return errors.New("target is no http or https URL; want one like https://shop.example/sale, without a user")
	}
	if u.Query().Has(collector.TouchParameter) {
		return fmt.Errorf("target has %s already, the mark of another click; leave that parameter out", collector.TouchParameter)
	}
	return nil
}
