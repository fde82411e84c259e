package enrich

import (
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// Privacy takes from an event what its project does not keep. It must be the last step: those before it need the
// address, the query and the ids.
type Privacy struct{}

// Enrich makes the event of somebody who objects to tracking anonymous, and replaces context.ip, whatever the client
// wrote there, by what the project keeps of the address. A project that states no mode keeps a truncated one.
func (Privacy) Enrich(p *collector.Project, c *event.Client, e *event.Event) {
	if p.RespectGPC && c.DoNotTrack {
		anonymize(e)
		return
	}
	e.Context = withIP(e.Context, keptIP(p.IP, c.IP))
}

// anonymize drops the ids and everything that may hold one. The order, the channel and the place stay: they count, and
// tell of nobody.
func anonymize(e *event.Event) {
	e.AnonymousID, e.UserID, e.AccountID, e.PreviousID = "", "", "", ""
	e.ClientKey, e.ClickID = 0, ""
	e.Traits, e.Context = "", ""
	e.URL, e.Path, e.Referrer = withoutQuery(e.URL), withoutQuery(e.Path), withoutQuery(e.Referrer)
	e.Properties = withoutQueries(e.Properties)
}

// withoutQueries takes the queries out of the addresses that Segment's browser client repeats in the properties of a
// page. Properties that are no JSON object are given up: nobody can say what they hold.
func withoutQueries(properties string) string {
	if properties == "" {
		return ""
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(properties), &members); err != nil {
		return ""
	}
	delete(members, "search")
	for _, name := range []string{"url", "path", "referrer"} {
		if address, ok := members[name].(string); ok {
			members[name] = withoutQuery(address)
		}
	}
	rest, err := json.Marshal(members)
	if err != nil || len(members) == 0 {
		return ""
	}
	return string(rest)
}

// withoutQuery takes from an address what may name a person beside its path: query, fragment, and a user before the host.
func withoutQuery(url string) string {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	scheme, rest, ok := strings.Cut(url, "://")
	authority, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); ok && at >= 0 {
		return scheme + "://" + rest[at+1:]
	}
	return url
}

// keptIP returns the text of what is kept of an address; "" is nothing.
func keptIP(mode collector.IPMode, ip netip.Addr) string {
	if !ip.IsValid() || mode == collector.IPDrop {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	if mode == collector.IPKeep {
		return ip.String()
	}
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	network, _ := ip.Prefix(bits) // fails only for more bits than an address has
	return network.Addr().String()
}

// withIP returns the JSON object context with its member ip set, or removed for "". A context that is no JSON object
// is given up: nobody can say that it holds no address. It is the standard library's JSON because fastjson writes
// control characters in a way that no other parser reads.
func withIP(context, ip string) string {
	if !mayHaveIP(context) {
		return prependIP(context, ip)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(context), &members); err != nil {
		return prependIP("", ip)
	}
	delete(members, "ip")
	rest, err := json.Marshal(members)
	if err != nil || len(members) == 0 {
		return prependIP("", ip)
	}
	return prependIP(string(rest), ip)
}

// mayHaveIP reports whether context can have a member ip, which may be spelled with \u escapes. It spares most events
// the parsing.
func mayHaveIP(context string) bool {
	return context != "" && (context[0] != '{' || strings.Contains(context, `"ip"`) || strings.Contains(context, `\u`))
}

// prependIP adds the member ip to a JSON object that has none; the empty object is "".
func prependIP(object, ip string) string {
	members := strings.TrimSpace(strings.TrimPrefix(object, "{")) // and the closing brace
	empty := members == "" || members == "}"
	switch {
	case ip == "" && empty:
		return ""
	case ip == "":
		return object
	case empty:
		return `{"ip":"` + ip + `"}`
	}
	return `{"ip":"` + ip + `",` + members
}
