package enrich

import (
	"encoding/json"
	"maps"
	"regexp"
	"strconv"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// The members of a message, and of a context, that become part of an event. What else a sender writes beside them is
// never kept.
var (
	messageMembers = []string{
		"messageId", "type", "event", "name", "channel", "userId", "anonymousId", "previousId", "groupId",
		"timestamp", "originalTimestamp", "sentAt", "properties", "traits", "context",
	}
	anonymousMembers = []string{"messageId", "type", "event", "name", "channel", "timestamp", "originalTimestamp", "sentAt"}
	// anonymousContext has the members of a context that tell of nobody, and theirs where they are objects.
	anonymousContext = map[string][]string{
		"page": {"path", "title", "url", "referrer"}, "campaign": {"name", "source", "medium", "term", "content"},
		"library": {"name", "version"}, "screen": {"width", "height"}, "locale": nil, "timezone": nil,
	}
)

// Message is Enrich for a refused message, a JSON object in the form of the Segment spec: it returns what the project
// keeps of it, or nil when that cannot be told.
func (Privacy) Message(p *collector.Project, c *event.Client, message []byte) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(message, &members) != nil {
		return nil
	}
	if p.RespectGPC && c.DoNotTrack {
		return marshal(anonymousMessage(members))
	}
	kept := only(members, messageMembers)
	delete(kept, "context")
	var context map[string]json.RawMessage
	_ = json.Unmarshal(members["context"], &context) // of what is no object nobody can say that it holds no address
	delete(context, "userAgent")
	delete(context, "userAgentData")
	delete(context, "ip")
	if ip := keptIP(p.IP, c.IP); ip != "" {
		if context == nil {
			context = map[string]json.RawMessage{}
		}
		context["ip"] = json.RawMessage(strconv.Quote(ip))
	}
	if len(context) > 0 {
		kept["context"] = marshal(context)
	}
	return marshal(kept)
}

// anonymousMessage is anonymize for a message.
func anonymousMessage(members map[string]json.RawMessage) map[string]json.RawMessage {
	kept := plain(only(members, anonymousMembers))
	if properties := withoutQueries(string(members["properties"])); properties != "" {
		kept["properties"] = json.RawMessage(properties)
	}
	var context map[string]json.RawMessage
	_ = json.Unmarshal(members["context"], &context) // what is no object is left out
	rest := make(map[string]json.RawMessage)
	for name, parts := range anonymousContext {
		var object map[string]json.RawMessage
		switch {
		case parts == nil:
			maps.Copy(rest, plain(only(context, []string{name})))
		case json.Unmarshal(context[name], &object) == nil:
			rest[name] = marshal(withoutQueriesIn(plain(only(object, parts))))
		}
	}
	if consent, ok := context["consent"]; ok {
		rest["consent"] = consent
	}
	kept["context"] = marshal(rest)
	return kept
}

// withoutQueriesIn cuts the addresses of a page.
func withoutQueriesIn(page map[string]json.RawMessage) map[string]json.RawMessage {
	for _, name := range []string{"url", "path", "referrer"} {
		var address string
		if json.Unmarshal(page[name], &address) == nil {
			page[name] = marshal(withoutQuery(address))
		}
	}
	return page
}

// plain leaves out what is an object or an array, where a text or a number belongs: it may hold anything.
func plain(members map[string]json.RawMessage) map[string]json.RawMessage {
	maps.DeleteFunc(members, func(_ string, value json.RawMessage) bool { return value[0] == '{' || value[0] == '[' })
	return members
}

func only(members map[string]json.RawMessage, names []string) map[string]json.RawMessage {
	kept := make(map[string]json.RawMessage, len(names))
	for _, name := range names {
		if value, ok := members[name]; ok {
			kept[name] = value
		}
	}
	return kept
}

func marshal(v any) json.RawMessage {
	text, _ := json.Marshal(v) // strings, and what was read as JSON, cannot fail
	return text
}

// repeated finds what a reason repeats of a message: a text as %q writes it, perhaps cut off, or a long number.
var repeated = regexp.MustCompile(`"(?:\\.|[^"\\])*"?|[0-9][-+.0-9eE]{6,}`)

// Detail returns what the project keeps of the reason that a sender was given: of somebody who objects to tracking
// nothing that repeats their message.
func (Privacy) Detail(p *collector.Project, c *event.Client, reason string) string {
	if p.RespectGPC && c.DoNotTrack {
		return repeated.ReplaceAllString(reason, `"…"`)
	}
	return reason
}
