package store

import (
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/touchline-hq/touchline/event"
)

// The columns of table events_raw by how they are encoded. The fields of an event come in the same order.
var (
	wordColumns = [...]string{ // LowCardinality(String)
		"project", "type", "event", "host", "source", "medium", "campaign", "click_id_type", "channel", "channel_reason",
		"country", "region", "city", "browser", "browser_version", "os", "os_version", "device", "bot_reason",
		"language", "timezone", "screen", "currency", "consent", "library", "origin",
	}
	textColumns = [...]string{ // String
		"message_id", "anonymous_id", "user_id", "account_id", "previous_id", "url", "path", "title", "referrer",
		"term", "content", "click_id", "order_id", "properties", "traits", "context",
	}
	timeColumns = [...]string{"timestamp", "client_timestamp", "sent_at", "received_at"} // DateTime64(3, 'UTC')
	boolColumns = [...]string{"time_replaced", "is_bot"}
)

func words(e *event.Event) [len(wordColumns)]*string {
	return [...]*string{
		&e.Project, (*string)(&e.Type), &e.Name, &e.Host, &e.Source, &e.Medium, &e.Campaign, &e.ClickIDType, &e.Channel, &e.ChannelReason,
		&e.Country, &e.Region, &e.City, &e.Browser, &e.BrowserVersion, &e.OS, &e.OSVersion, &e.Device, &e.BotReason,
		&e.Language, &e.Timezone, &e.Screen, &e.Currency, &e.Consent, &e.Library, (*string)(&e.Origin),
	}
}

func texts(e *event.Event) [len(textColumns)]*string {
	return [...]*string{
		&e.MessageID, &e.AnonymousID, &e.UserID, &e.AccountID, &e.PreviousID, &e.URL, &e.Path, &e.Title, &e.Referrer,
		&e.Term, &e.Content, &e.ClickID, &e.OrderID, &e.Properties, &e.Traits, &e.Context,
	}
}

func times(e *event.Event) [len(timeColumns)]*int64 {
	return [...]*int64{&e.Timestamp, &e.ClientTimestamp, &e.SentAt, &e.ReceivedAt}
}

func bools(e *event.Event) [len(boolColumns)]*bool { return [...]*bool{&e.TimeReplaced, &e.IsBot} }

// eventColumns is a block of events. It is filled without a call per value through an interface, and reused.
type eventColumns struct {
	words [len(wordColumns)]wordColumn
	texts [len(textColumns)]proto.ColStr
	times [len(timeColumns)]*proto.ColDateTime64
	bools [len(boolColumns)]proto.ColBool
	seq   proto.ColUInt32
	value proto.ColDecimal64
	day   proto.ColDate
	key   proto.ColUInt64

	input proto.Input
}

func newEventColumns() *eventColumns {
	c := &eventColumns{}
	add := func(name string, column proto.ColInput) {
		c.input = append(c.input, proto.InputColumn{Name: name, Data: column})
	}
	for i, name := range wordColumns {
		c.words[i] = newWordColumn()
		add(name, c.words[i].column)
	}
	for i, name := range textColumns {
		add(name, &c.texts[i])
	}
	for i, name := range timeColumns {
		c.times[i] = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).WithLocation(time.UTC)
		add(name, c.times[i])
	}
	for i, name := range boolColumns {
		add(name, &c.bools[i])
	}
	add("seq", &c.seq)
	add("value", proto.Alias(&c.value, "Decimal(18, 6)"))
	add("client_day", &c.day)
	add("client_key", &c.key)
	return c
}

func (c *eventColumns) reset() {
	c.input.Reset()
	for i := range c.words {
		c.words[i].reset()
	}
}

// appendAll appends events in their binary form. Until reset these must not change.
func (c *eventColumns) appendAll(records [][]byte) error {
	var e event.Event
	for _, r := range records {
		if err := e.UnmarshalShared(r); err != nil {
			return err
		}
		c.append(&e)
	}
	return nil
}

func (c *eventColumns) append(e *event.Event) {
	for i, s := range words(e) {
		c.words[i].append(*s)
	}
	for i, s := range texts(e) {
		c.texts[i].Append(*s)
	}
	for i, ms := range times(e) {
		c.times[i].AppendRaw(proto.DateTime64(*ms))
	}
	for i, b := range bools(e) {
		c.bools[i].Append(*b)
	}
	c.seq.Append(e.Seq)
	c.value = append(c.value, proto.Decimal64(e.Value))
	c.day = append(c.day, proto.Date(e.ClientDay)) //nolint:gosec // SetStorageKey keeps it between 0 and 2100-01-01
	c.key.Append(e.ClientKey)
}
