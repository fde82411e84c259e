package decode

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"github.com/touchline-hq/touchline/event"
)

// Pixel decodes the query of a pixel into m, which is empty:
//
//	e                    page, screen, identify, group or alias; anything else is the name of a tracked event
//	uid, aid, mid        userId, anonymousId, messageId
//	url, ref             of the page
//	utm_source, utm_medium, utm_campaign, utm_term, utm_content
//	p.NAME               properties; of identify and group, traits
//
// A query is the short form of a message: it is written out as the one it stands for and decoded like any other.
// The error is for the sender; m then holds nothing of use.
func (d *Decoder) Pixel(m *Message, args *fasthttp.Args, req Request) error {
	if len(args.Peek("e")) == 0 {
		return &event.Error{Field: "e", Want: "is missing; want page, screen, identify or an event's name"}
	}
	parser := d.parsers.Get()
	defer d.parsers.Put(parser)
	message := appendQuery(make([]byte, 0, 512), args)
	v, err := parser.ParseBytes(message)
	if err != nil {
		return err
	}
	return newBatch(req, nil, len(message)).message(m, v, "")
}

func appendQuery(dst []byte, args *fasthttp.Args) []byte {
	const track = string(event.Track)
	bag := `"properties":{`
	dst = append(dst, '{')
	switch typ := args.Peek("e"); string(typ) {
	case string(event.Identify), string(event.Group):
		bag = `"traits":{`
		dst = appendMember(dst, "type", typ)
	case string(event.Page), string(event.Screen), string(event.Alias), track:
		dst = appendMember(dst, "type", typ)
	default:
		dst = appendMember(dst, "type", []byte(track))
		dst = appendMember(dst, "event", typ)
	}
	dst = appendMember(dst, "userId", args.Peek("uid"))
	dst = appendMember(dst, "anonymousId", args.Peek("aid"))
	dst = appendMember(dst, "messageId", args.Peek("mid"))
	dst = append(dst, `,"context":{"page":{`...)
	dst = appendMember(dst, "url", args.Peek("url"))
	dst = appendMember(dst, "referrer", args.Peek("ref"))
	dst = append(dst, `},"campaign":{`...)
	dst = appendMember(dst, "source", args.Peek("utm_source"))
	dst = appendMember(dst, "medium", args.Peek("utm_medium"))
	dst = appendMember(dst, "name", args.Peek("utm_campaign"))
	dst = appendMember(dst, "term", args.Peek("utm_term"))
	dst = appendMember(dst, "content", args.Peek("utm_content"))
	dst = append(append(dst, `}},`...), bag...)
	for key, value := range args.All() {
		if name, ok := bytes.CutPrefix(key, []byte("p.")); ok {
			dst = appendMember(dst, string(name), value)
		}
	}
	return append(dst, "}}"...)
}

// appendMember appends a member to the object that dst ends in, unless its value is empty.
func appendMember(dst []byte, key string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return appendString(append(appendString(dst, []byte(key)), ':'), value)
}
