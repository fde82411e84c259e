package event

import (
	"fmt"
	"strings"
)

// Bounds that every event keeps, whoever sent it.
const (
	MaxID      = 512              // bytes of an id, a message id, an order id or an event's name
	MaxConsent = 4 << 10          // bytes of consent as sent
	MaxFuture  = 10 * 60 * 1000   // ms after receipt up to which a timestamp is believed
	maxDay     = 47_482           // 2100-01-01 in days since 1970-01-01
	minDay     = 10_957           // 2000-01-01
	dayMillis  = 24 * 3600 * 1000 // ms
)

// Error is a rule that an event broke. Its text is for the sender: it names the field and says what would be right.
type Error struct {
	Field string // as the sender wrote it: "userId", not "user_id"
	Want  string
}

func (e *Error) Error() string { return e.Field + " " + e.Want }

// Validate reports the first rule that e breaks, as an *Error, or nil.
func (e *Event) Validate() error {
	switch e.Type {
	case Track:
		if e.Name == "" {
			return &Error{"event", "is required for track"}
		}
	case Group:
		if e.AccountID == "" {
			return &Error{"groupId", "is required for group"}
		}
	case Alias:
		if e.UserID == "" || e.PreviousID == "" {
			return &Error{"userId and previousId", "are required for alias"}
		}
	case Identify:
		if e.UserID == "" && e.AnonymousID == "" {
			return &Error{"userId or anonymousId", "is required for identify"}
		}
	case Page, Screen:
	default:
		return &Error{"type", fmt.Sprintf("is %q; want track, page, screen, identify, group or alias", clip(string(e.Type)))}
	}
	for _, f := range [...]struct{ name, value string }{
		{"messageId", e.MessageID}, {"event", e.Name}, {"anonymousId", e.AnonymousID},
		{"userId", e.UserID}, {"groupId", e.AccountID}, {"previousId", e.PreviousID}, {"properties.order_id", e.OrderID},
	} {
		if len(f.value) > MaxID {
			return tooLong(f.name, f.value, MaxID)
		}
	}
	if len(e.Consent) > MaxConsent {
		return tooLong("context.consent", e.Consent, MaxConsent)
	}
	return nil
}

func tooLong(field, value string, most int) error {
	return &Error{field, fmt.Sprintf("is %d bytes long; at most %d are taken", len(value), most)}
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// SetStorageKey fills ClientDay and ClientKey from what the client sent. It must run before anything corrects the
// clock or replaces an id: a retry repeats what was sent, and only what was sent.
func (e *Event) SetStorageKey() {
	e.ClientDay = 0
	if day := floorDiv(e.ClientTimestamp, dayMillis); day >= minDay && day < maxDay {
		e.ClientDay = int32(day)
	}
	id := e.AnonymousID
	if id == "" {
		id = e.UserID
	}
	e.ClientKey = fnv1a(id)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// fnv1a is the 64-bit FNV-1a hash. It only spreads rows; nothing depends on its quality.
func fnv1a(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
