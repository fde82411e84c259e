package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/touchline-hq/touchline/event"
)

// A row of a table is the short form of a message, as a pixel's query is: what a message has is written out as the one
// that the row stands for and decoded like any other. The rest is set by column: a row can also say what is otherwise
// found out about an event.
type rowColumn struct {
	field   string // as in table events
	members string // of the message, separated by commas
	form    rowForm
	set     func(r *reader, e *event.Event, cell string)
	found   bool // by enrichment, over which the row has the last word
}

type rowForm byte

const (
	rowText   rowForm = iota
	rowTime           // RFC 3339, or a number
	rowObject         // JSON
	rowCost           // number, for properties
)

var rowColumns = []rowColumn{
	{field: "message_id", members: "messageId"},
	{field: "type", members: "type"},
	{field: "event", members: "event,name"},
	{field: "anonymous_id", members: "anonymousId"},
	{field: "user_id", members: "userId"},
	{field: "account_id", members: "groupId", set: rowTextOf(func(e *event.Event) *string { return &e.AccountID })},
	{field: "previous_id", members: "previousId"},
	{field: "timestamp", members: "timestamp", form: rowTime},
	{field: "sent_at", members: "sentAt", form: rowTime},
	{field: "url", set: rowTextOf(func(e *event.Event) *string { return &e.URL })},
	{field: "host", set: rowTextOf(func(e *event.Event) *string { return &e.Host })},
	{field: "path", set: rowTextOf(func(e *event.Event) *string { return &e.Path })},
	{field: "title", set: rowTextOf(func(e *event.Event) *string { return &e.Title })},
	{field: "referrer", set: rowTextOf(func(e *event.Event) *string { return &e.Referrer })},
	{field: "source", set: rowTextOf(func(e *event.Event) *string { return &e.Source })},
	{field: "medium", set: rowTextOf(func(e *event.Event) *string { return &e.Medium })},
	{field: "campaign", set: rowTextOf(func(e *event.Event) *string { return &e.Campaign })},
	{field: "term", set: rowTextOf(func(e *event.Event) *string { return &e.Term })},
	{field: "content", set: rowTextOf(func(e *event.Event) *string { return &e.Content })},
	{field: "click_id", set: rowTextOf(func(e *event.Event) *string { return &e.ClickID })},
	{field: "click_id_type", set: rowTextOf(func(e *event.Event) *string { return &e.ClickIDType })},
	{field: "channel", set: rowTextOf(func(e *event.Event) *string { return &e.Channel })},
	{field: "channel_reason", set: rowTextOf(func(e *event.Event) *string { return &e.ChannelReason }), found: true},
	{field: "country", set: setCountry, found: true},
	{field: "region", set: rowTextOf(func(e *event.Event) *string { return &e.Region }), found: true},
	{field: "city", set: rowTextOf(func(e *event.Event) *string { return &e.City }), found: true},
	{field: "browser", set: rowTextOf(func(e *event.Event) *string { return &e.Browser }), found: true},
	{field: "browser_version", set: rowTextOf(func(e *event.Event) *string { return &e.BrowserVersion }), found: true},
	{field: "os", set: rowTextOf(func(e *event.Event) *string { return &e.OS }), found: true},
	{field: "os_version", set: rowTextOf(func(e *event.Event) *string { return &e.OSVersion }), found: true},
	{field: "device", set: setDevice, found: true},
	{field: "is_bot", set: setBot, found: true},
	{field: "bot_reason", set: rowTextOf(func(e *event.Event) *string { return &e.BotReason }), found: true},
	{field: "language", set: rowTextOf(func(e *event.Event) *string { return &e.Language })},
	{field: "timezone", set: rowTextOf(func(e *event.Event) *string { return &e.Timezone })},
	{field: "screen", set: rowTextOf(func(e *event.Event) *string { return &e.Screen })},
	{field: "value", set: func(r *reader, e *event.Event, cell string) { e.Value = r.money(cell, "value") }},
	{field: "currency", set: setCurrency},
	{field: "order_id", set: rowTextOf(func(e *event.Event) *string { return &e.OrderID })},
	{field: "properties", members: "properties", form: rowObject},
	{field: "traits", members: "traits", form: rowObject, set: setTraits},
	{field: "context", members: "context", form: rowObject},
	{field: "consent", set: rowTextOf(func(e *event.Event) *string { return &e.Consent })},
	{field: "library", set: rowTextOf(func(e *event.Event) *string { return &e.Library })},
}

var rowColumnOf = func() map[string]*rowColumn {
	m := make(map[string]*rowColumn, len(rowColumns))
	for i := range rowColumns {
		m[rowColumns[i].field] = &rowColumns[i]
	}
	m["cost"] = &rowColumn{field: "cost", members: "properties", form: rowCost}
	return m
}()

// TouchpointFields returns the names of what a row about a touchpoint can say. Its cost is no column of events but a
// property.
func TouchpointFields() []string {
	return []string{
		"message_id", "timestamp", "anonymous_id", "user_id", "account_id", "channel", "source", "medium", "campaign", "term",
		"content", "country", "cost", "currency",
	}
}

// RowFields returns the names of what a row can say, which are those of columns of table events.
func RowFields() []string {
	fields := make([]string, len(rowColumns))
	for i := range rowColumns {
		fields[i] = rowColumns[i].field
	}
	return fields
}

// Row decodes a row of a table into m, which is empty. Fields says what each of its cells is, each at most once; an empty
// cell says nothing. A row without a type is one of track. The error is for the sender; m then holds nothing of use.
func (d *Decoder) Row(m *Message, fields, cells []string, req Request) error {
	err := d.row(m, fields, cells, req)
	if bad := (*event.Error)(nil); errors.As(err, &bad) && !strings.Contains(bad.Field, ".") { // not within JSON
		return &event.Error{Field: rowNames.Replace(bad.Field), Want: bad.Want}
	}
	return err
}

// rowNames are the columns where a message has another name.
var rowNames = strings.NewReplacer("messageId", "message_id", "anonymousId", "anonymous_id", "userId", "user_id",
	"groupId", "account_id", "previousId", "previous_id", "sentAt", "sent_at")

func (d *Decoder) row(m *Message, fields, cells []string, req Request) error {
	message, err := appendRow(make([]byte, 0, 512), fields, cells)
	if err != nil {
		return err
	}
	parser := d.parsers.Get()
	defer d.parsers.Put(parser)
	v, _, err := parse(parser, message)
	if err != nil {
		return err
	}
	b := newBatch(req, nil, len(message))
	if err := b.message(m, v, ""); err != nil {
		return err
	}
	b.setColumns(&m.Event, fields, cells, false)
	if b.err != nil {
		return b.err
	}
	return m.Event.Validate()
}

// Restate sets again what enrichment finds out where the row, which Row has taken, says it itself. What was found out of
// another browser or system than the row's goes.
func (d *Decoder) Restate(e *event.Event, fields, cells []string) {
	for i, cell := range cells {
		switch {
		case cell != "" && fields[i] == "browser":
			e.BrowserVersion = ""
		case cell != "" && fields[i] == "os":
			e.OSVersion = ""
		}
	}
	new(reader).setColumns(e, fields, cells, true)
}

// setColumns sets what is no member of a message, or only what enrichment finds out.
func (r *reader) setColumns(e *event.Event, fields, cells []string, found bool) {
	for i, cell := range cells {
		column := rowColumnOf[fields[i]]
		if cell != "" && column != nil && column.set != nil && (column.found || !found) {
			column.set(r, e, cell)
		}
	}
}

func appendRow(dst []byte, fields, cells []string) ([]byte, error) {
	dst = append(dst, '{')
	for i, cell := range cells {
		column := rowColumnOf[fields[i]]
		if cell == "" || column == nil || column.members == "" {
			continue
		}
		value, err := column.value(cell)
		if err != nil {
			return nil, err
		}
		for member := range strings.SplitSeq(column.members, ",") {
			dst = append(append(appendString(dst, []byte(member)), ':'), value...)
			dst = append(dst, ',')
		}
	}
	return append(dst, `"type":"track"}`...), nil // of members with one name the first counts
}

// value is the JSON text that a cell stands for.
func (c *rowColumn) value(cell string) ([]byte, error) {
	switch {
	case c.form == rowObject:
		return compactObject(c.field, cell)
	case c.form == rowCost:
		return costObject(cell)
	case c.form == rowTime && isJSONNumber(cell):
		return []byte(cell), nil
	}
	return appendString(nil, []byte(cell)), nil
}

func isJSONNumber(cell string) bool { return isNumber(cell) && json.Valid([]byte(cell)) }

// compactObject makes sure that a cell is an object and nothing beside it: it becomes part of a message.
func compactObject(field, cell string) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(cell)); err != nil {
		return nil, &event.Error{Field: field, Want: "is not JSON: " + err.Error() + "; want an object like {\"plan\":\"pro\"}"}
	}
	if b.Bytes()[0] != '{' {
		return nil, &event.Error{Field: field, Want: fmt.Sprintf("is %s; want an object like {\"plan\":\"pro\"}", clip(b.String()))}
	}
	return b.Bytes(), nil
}

func costObject(cell string) ([]byte, error) {
	if n, err := millionths(cell); err != nil || n < 0 || !isJSONNumber(cell) {
		return nil, &event.Error{Field: "cost", Want: fmt.Sprintf("is %q; want a number like 12.50, at least 0 and at most 9e12", clip(cell))}
	}
	return []byte(`{"cost":` + cell + `}`), nil
}

func rowTextOf(field func(*event.Event) *string) func(*reader, *event.Event, string) {
	return func(r *reader, e *event.Event, cell string) { *field(e) = r.clean([]byte(cell)) }
}

// setTraits is for messages whose traits are elsewhere: in their context.
func setTraits(r *reader, e *event.Event, cell string) {
	object, err := compactObject("traits", cell)
	if err != nil {
		r.fail("traits", err.Error()) // appendRow has refused it before
		return
	}
	e.Traits = r.nonEmpty(bytes.ToValidUTF8(object, []byte("\uFFFD")))
}

func setCountry(r *reader, e *event.Event, cell string) {
	code := strings.ToUpper(cell)
	if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		r.fail("country", fmt.Sprintf("is %q; want a code of two letters as in ISO 3166-1", clip(cell)))
		return
	}
	e.Country = r.string([]byte(code))
}

func setCurrency(r *reader, e *event.Event, cell string) {
	code := strings.ToUpper(cell)
	if !isCurrency(code) {
		r.fail("currency", fmt.Sprintf("is %q; want a code of three letters as in ISO 4217", clip(cell)))
		return
	}
	e.Currency = r.string([]byte(code))
}

var devices = []string{"desktop", "mobile", "tablet", "tv", "console"}

func setDevice(r *reader, e *event.Event, cell string) {
	i := slices.Index(devices, strings.ToLower(cell))
	if i < 0 {
		r.fail("device", fmt.Sprintf("is %q; want %s", clip(cell), strings.Join(devices, ", ")))
		return
	}
	e.Device = devices[i]
}

// setBot clears the reason that enrichment may have found for what is none.
func setBot(r *reader, e *event.Event, cell string) {
	is, err := strconv.ParseBool(strings.ToLower(cell))
	if err != nil {
		r.fail("is_bot", fmt.Sprintf("is %q; want true or false", clip(cell)))
		return
	}
	if e.IsBot = is; !is {
		e.BotReason = ""
	}
}
