package decode

import "github.com/valyala/fastjson"

// mergedContext is a message's own context over the one that its batch shares: the own wins, key by key. Either may be
// nil.
type mergedContext struct{ own, shared *fastjson.Value }

func (c mergedContext) get(key string) *fastjson.Value {
	if v := c.own.Get(key); v != nil {
		return v
	}
	return c.shared.Get(key)
}

// appendRest appends the context without what is kept elsewhere or, like the user agent, not at all. Nothing within its
// values may have been looked at.
func (c mergedContext) appendRest(dst []byte, withTraits bool) []byte {
	dst = append(dst, '{')
	add := func(key []byte, v *fastjson.Value) {
		if isColumn(key) || string(key) == "traits" && !withTraits {
			return
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, key), ':')
		if v.Type() == fastjson.TypeString { // now unescaped; fastjson would escape it like Go
			dst = appendString(dst, v.GetStringBytes())
			return
		}
		dst = v.MarshalTo(dst)
	}
	c.own.GetObject().Visit(add)
	named := c.ownNames()
	c.shared.GetObject().Visit(func(key []byte, v *fastjson.Value) {
		if !named(key) {
			add(key, v)
		}
	})
	return append(dst, '}')
}

// ownNames tells which keys the own context has. Where they are many it needs an index: without one, two contexts of forty
// thousand keys each, which compress to a kilobyte, would take seconds.
func (c mergedContext) ownNames() func(key []byte) bool {
	const few = 32
	own := c.own.GetObject()
	if own == nil || own.Len() <= few {
		return func(key []byte) bool { return c.own.Get(string(key)) != nil }
	}
	index := make(map[string]struct{}, own.Len())
	own.Visit(func(key []byte, _ *fastjson.Value) { index[string(key)] = struct{}{} })
	return func(key []byte) bool {
		_, ok := index[string(key)]
		return ok
	}
}

// isColumn reports whether what a context has under key is a column of its own or feeds some: the address and the user
// agent become geography, browser and device, and are never stored as they are.
func isColumn(key []byte) bool {
	switch string(key) {
	case "page", "campaign", "library", "locale", "timezone", "screen", "groupId", "consent",
		"ip", "userAgent", "userAgentData":
		return true
	}
	return false
}
