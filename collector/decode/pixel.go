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
// A query is the short form of a message and means what that would. req must have a NewID. The error is for the sender;
// m then holds nothing of use.
func (d *Decoder) Pixel(m *Message, args *fasthttp.Args, req Request) error {
	name := args.Peek("e")
	if len(name) == 0 {
		return &event.Error{Field: "e", Want: "is missing; want page, screen, identify or an event's name"}
	}
	var r reader
	r.expect(pixelSize)
	e := &m.Event
	e.Origin, e.ReceivedAt, e.Timestamp = req.Origin, req.ReceivedAt, req.ReceivedAt
	switch typ := event.Type(name); typ {
	case event.Page, event.Screen, event.Identify, event.Group, event.Alias, event.Track:
		e.Type = typ
	default:
		e.Type, e.Name = event.Track, r.clean(name)
	}
	if e.MessageID = r.clean(args.Peek("mid")); e.MessageID == "" {
		e.MessageID = req.NewID()
	}
	e.UserID, e.AnonymousID = r.clean(args.Peek("uid")), r.clean(args.Peek("aid"))
	e.Source, e.Medium, e.Campaign = r.clean(args.Peek("utm_source")), r.clean(args.Peek("utm_medium")), r.clean(args.Peek("utm_campaign"))
	e.Term, e.Content = r.clean(args.Peek("utm_term")), r.clean(args.Peek("utm_content"))
	if err := d.pixelProperties(&r, e, args); err != nil {
		return err
	}
	if e.URL == "" {
		e.URL = r.clean(args.Peek("url"))
	}
	if e.Referrer == "" {
		e.Referrer = r.clean(args.Peek("ref"))
	}
	e.SetStorageKey()
	return e.Validate()
}

// pixelSize is what the strings of a pixel's event mostly take, in bytes.
const pixelSize = 512

// pixelProperties sets what comes from p.NAME.
func (d *Decoder) pixelProperties(r *reader, e *event.Event, args *fasthttp.Args) error {
	r.scratch = append(r.scratch[:0], '{')
	for key, value := range args.All() {
		if name, ok := bytes.CutPrefix(key, []byte("p.")); ok {
			r.scratch = appendMember(r.scratch, name, value)
		}
	}
	r.scratch = append(r.scratch, '}')
	bag := r.nonEmpty(r.scratch)
	if bag == "" {
		return nil
	}
	if e.Type == event.Identify || e.Type == event.Group {
		e.Traits = bag
		return nil
	}
	e.Properties = bag
	parser := d.parsers.Get()
	defer d.parsers.Put(parser)
	properties, err := parser.Parse(bag)
	if err != nil {
		return err
	}
	if e.Type == event.Page || e.Type == event.Screen {
		e.Name = r.text(properties.Get("name"))
	}
	r.order(e, properties)
	r.place(e, nil, properties)
	return r.err
}

// appendMember appends a member to the object that dst ends in, unless its value is empty.
func appendMember(dst, key, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return appendString(append(appendString(dst, key), ':'), value)
}
