package decode

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/touchline-hq/touchline/collector"
	"github.com/touchline-hq/touchline/event"
)

// batch is what the messages of one body share.
type batch struct {
	req        Request
	context    *fastjson.Value // default under each message's context; may be nil
	contextRaw string          // context as sent
	sentAt     int64
	maxEvent   int            // bytes; 0: not to be checked
	hashes     map[string]int // how often a hashed id was given

	reader // err is of one message
}

// newBatch takes what messages share from the top of their body, of size bytes; root may be nil.
func newBatch(req Request, root *fastjson.Value, size int) *batch {
	b := &batch{req: req, context: root.Get("context")}
	b.expect(size)
	if b.context != nil {
		b.contextRaw = string(b.context.MarshalTo(nil))
	}
	b.sentAt, _ = b.instant(root.Get("sentAt"))
	return b
}

// decode adds message number index to the result.
func (b *batch) decode(result *Result, index int, v *fastjson.Value, typ event.Type) {
	result.Messages = append(result.Messages, Message{})
	last := len(result.Messages) - 1
	e := &result.Messages[last].Event
	if err := b.message(&result.Messages[last], v, typ); err != nil {
		e.Seq = uint32(index)
		refused := result.Messages[last]
		result.Rejected = append(result.Rejected, Rejection{
			Index: index, MessageID: clipID(e.MessageID), Reason: err.Error(), Class: collector.ReasonOf(err), Decoded: &refused,
		})
		result.Messages = result.Messages[:last]
		return
	}
	e.Seq = uint32(index)
}

// sizeError is a collector.ErrTooLarge of one message.
type sizeError struct{ size, most int }

func (e sizeError) Error() string {
	return fmt.Sprintf("message is %d bytes long; at most %d are taken", e.size, e.most)
}

func (sizeError) Is(target error) bool { return target == collector.ErrTooLarge }

func clipID(id string) string {
	if len(id) <= event.MaxID {
		return id
	}
	return strings.ToValidUTF8(id[:event.MaxID], "")
}

// message fills m from v; typ "" leaves the type to the message.
//
// The order matters: what is kept as JSON is taken before anything within it is looked up. A string that was looked at
// is unescaped, and fastjson would write it with the escapes of Go instead of those of JSON.
func (b *batch) message(m *Message, v *fastjson.Value, typ event.Type) error {
	if typeOf(v) != fastjson.TypeObject {
		return &event.Error{Field: "message", Want: "is " + kind(v) + "; want an object"}
	}
	size := b.measure(v)
	r := &b.reader
	r.err = nil
	e := &m.Event
	if e.MessageID = r.id(v.Get("messageId"), "messageId"); e.MessageID == "" && r.err == nil {
		e.MessageID = b.newID(v, typ)
	}
	if e.Type = typ; typ == "" {
		e.Type = event.Type(r.text(v.Get("type")))
	}
	e.UserID = r.id(v.Get("userId"), "userId")
	e.AnonymousID = r.id(v.Get("anonymousId"), "anonymousId")
	e.PreviousID = r.id(v.Get("previousId"), "previousId")
	r.times(e, v, b)

	c := mergedContext{own: v.Get("context"), shared: b.context}
	if k := typeOf(c.own); k != fastjson.TypeObject && k != fastjson.TypeNull {
		r.fail("context", "is "+kind(c.own)+"; want an object")
	}
	r.context(m, c, v)
	e.Origin = origin(b.req, r.text(v.Get("channel")), e.Library)

	properties := v.Get("properties")
	e.Properties = r.object(properties, "properties")
	r.category(e, v.Get("category"), properties)
	e.Name = r.name(e.Type, v, properties)
	r.order(e, properties)
	r.place(e, c.get("page"), properties)

	if size > b.maxEvent { // only now: what is kept of refused messages needs to know whose they are
		return sizeError{size, b.maxEvent}
	}
	if r.err != nil {
		return r.err
	}
	e.SetStorageKey()
	return e.Validate()
}

// measure returns the message's size with the shared context and without white space between its tokens, or 0 when it
// need not be checked.
func (b *batch) measure(v *fastjson.Value) int {
	if b.maxEvent == 0 {
		return 0
	}
	b.scratch = v.MarshalTo(b.scratch[:0])
	return len(b.scratch) + len(b.contextRaw)
}

func (r *reader) name(typ event.Type, v, properties *fastjson.Value) string {
	switch typ {
	case event.Track:
		return r.text(v.Get("event"))
	case event.Page, event.Screen:
		return r.firstText(v.Get("name"), properties.Get("name"))
	default:
		return ""
	}
}

// category keeps the category of a page or screen call among the properties, where browsers send it themselves; some
// clients send it beside them only.
func (r *reader) category(e *event.Event, category, properties *fastjson.Value) {
	name := category.GetStringBytes()
	if e.Type != event.Page && e.Type != event.Screen || len(name) == 0 || properties.Get("category") != nil {
		return
	}
	r.scratch = appendString(append(r.scratch[:0], `{"category":`...), name)
	if e.Properties == "" {
		r.scratch = append(r.scratch, '}')
	} else {
		r.scratch = append(append(r.scratch, ','), e.Properties[1:]...)
	}
	e.Properties = r.string(r.scratch)
}

// times sets the four times. Rudder's clients call the client's time originalTimestamp. A sentAt that cannot be read is
// taken as absent: it only helps to estimate the clock's skew.
func (r *reader) times(e *event.Event, v *fastjson.Value, b *batch) {
	e.ReceivedAt = b.req.ReceivedAt
	e.SentAt = b.sentAt
	if own, err := r.instant(v.Get("sentAt")); err == nil && own != 0 {
		e.SentAt = own
	}
	e.ClientTimestamp = r.time(v.Get("timestamp"), "timestamp")
	if e.ClientTimestamp == 0 {
		e.ClientTimestamp = r.time(v.Get("originalTimestamp"), "originalTimestamp")
	}
	if e.Timestamp = e.ClientTimestamp; e.Timestamp == 0 {
		e.Timestamp = e.ReceivedAt
	}
}

// context takes from the context what has columns of its own, and the rest as JSON.
func (r *reader) context(m *Message, c mergedContext, v *fastjson.Value) {
	e := &m.Event
	ownTraits := e.Type == event.Identify || e.Type == event.Group
	r.scratch = c.appendRest(r.scratch[:0], ownTraits)
	e.Context = r.nonEmpty(r.scratch)
	if ownTraits {
		e.Traits = r.object(v.Get("traits"), "traits")
	} else {
		e.Traits = r.object(c.get("traits"), "context.traits")
	}
	if e.Type == event.Group {
		e.AccountID = r.id(v.Get("groupId"), "groupId")
	} else {
		e.AccountID = r.id(c.get("groupId"), "context.groupId")
	}
	campaign := c.get("campaign")
	e.Campaign = r.text(campaign.Get("name"))
	e.Source = r.text(campaign.Get("source"))
	e.Medium = r.text(campaign.Get("medium"))
	e.Term = r.text(campaign.Get("term"))
	e.Content = r.text(campaign.Get("content"))
	e.ClickID = r.text(campaign.Get("click_id"))
	e.ClickIDType = r.text(campaign.Get("click_id_type"))
	e.Language = r.text(c.get("locale"))
	e.Timezone = r.text(c.get("timezone"))
	e.Screen = screen(c.get("screen"))
	e.Library = r.library(c.get("library"))
	e.Consent = r.consent(c.get("consent"))

	m.Client.IP, _ = netip.ParseAddr(r.text(c.get("ip")))
	m.Client.UserAgent = r.text(c.get("userAgent"))
	m.Client.Hints = r.hints(c.get("userAgentData"))
}

// place sets where it happened, as far as the client says; host and a missing path are found in the URL later. A page
// call's own properties are nearer to it than the context, whose path is not that of another URL.
func (r *reader) place(e *event.Event, page, properties *fastjson.Value) {
	if e.Type != event.Page {
		properties = nil
	}
	e.URL, e.Path = r.text(properties.Get("url")), r.text(properties.Get("path"))
	if e.URL == "" {
		e.URL = r.text(page.Get("url"))
		if e.Path == "" {
			e.Path = r.text(page.Get("path"))
		}
	}
	e.Title = r.firstText(properties.Get("title"), page.Get("title"))
	e.Referrer = r.firstText(properties.Get("referrer"), page.Get("referrer"))
}

// order sets value, currency and order id. `revenue` means money; `total` and `value` are words of many meanings, so
// they count only when they hold a number.
func (r *reader) order(e *event.Event, properties *fastjson.Value) {
	e.OrderID = r.firstText(properties.Get("order_id"), properties.Get("orderId"))
	e.Value = r.value(properties)
	code := strings.ToUpper(r.text(properties.Get("currency")))
	switch {
	case isCurrency(code):
		e.Currency = code
	case code != "" && e.Value != 0:
		r.fail("properties.currency", fmt.Sprintf("is %q; want a code of three letters as in ISO 4217", clip(code)))
	}
}

func (r *reader) value(properties *fastjson.Value) int64 {
	switch revenue := properties.Get("revenue"); typeOf(revenue) {
	case fastjson.TypeNumber, fastjson.TypeString:
		if s := r.text(revenue); s != "" {
			return r.money(s, "properties.revenue")
		}
	case fastjson.TypeNull:
	default:
		r.fail("properties.revenue", "is "+kind(revenue)+"; want a number")
	}
	for _, name := range [...]string{"total", "value"} {
		if s := r.text(properties.Get(name)); isNumber(s) {
			return r.money(s, "properties."+name)
		}
	}
	return 0
}

func isCurrency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// origin says whether a person's own device sent the message ("browser", which stands for apps, too) or a server on
// their behalf. What decides, in this order: the endpoint; the message's `channel`; the name of a client that runs in
// browsers only; headers that only browsers send. Everything else is a server.
func origin(req Request, channel, library string) event.Origin {
	if req.Origin != "" {
		return req.Origin
	}
	switch channel {
	case "server":
		return event.OriginServer
	case "browser", "client", "web", "mobile":
		return event.OriginBrowser
	}
	switch name, _, _ := strings.Cut(library, "/"); name {
	case "touchline.js", "analytics.js", "analytics-next", "rudder-js", "RudderLabs JavaScript SDK":
		return event.OriginBrowser
	}
	if req.FromBrowser {
		return event.OriginBrowser
	}
	return event.OriginServer
}

// consent is kept as sent, as text or as an object: what it means is the project's to say.
func (r *reader) consent(v *fastjson.Value) string {
	if typeOf(v) == fastjson.TypeString {
		return r.text(v)
	}
	return r.object(v, "context.consent")
}

func (r *reader) library(v *fastjson.Value) string {
	name, version := r.text(v.Get("name")), r.text(v.Get("version"))
	if version == "" {
		return name
	}
	r.scratch = append(append(append(r.scratch[:0], name...), '/'), version...)
	return r.string(r.scratch)
}

// screen returns "WIDTHxHEIGHT", or "" unless both are sizes that a screen can have.
func screen(v *fastjson.Value) string {
	width, height := v.GetFloat64("width"), v.GetFloat64("height")
	const most = 100_000 // pixels
	if !(width >= 1 && width <= most && height >= 1 && height <= most) {
		return ""
	}
	return strconv.Itoa(int(width)) + "x" + strconv.Itoa(int(height))
}

// hints writes userAgentData as the headers that would carry the same.
func (r *reader) hints(v *fastjson.Value) event.Hints {
	const maxBrands = 16 // browsers send three or four
	var h event.Hints
	brands := v.GetArray("brands")
	for _, brand := range brands[:min(len(brands), maxBrands)] {
		if h.Brands != "" {
			h.Brands += ", "
		}
		h.Brands += strconv.Quote(r.text(brand.Get("brand"))) + ";v=" + strconv.Quote(r.text(brand.Get("version")))
	}
	if platform := r.text(v.Get("platform")); platform != "" {
		h.Platform = strconv.Quote(platform)
	}
	switch mobile := v.Get("mobile"); {
	case mobile == nil:
	case mobile.GetBool():
		h.Mobile = "?1"
	default:
		h.Mobile = "?0"
	}
	return h
}
