package store

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/touchline-hq/touchline/attribution"
)

// journeyColumns are a block of what JourneysToCredit selects.
type journeyColumns struct {
	subjects                          proto.ColUInt64
	slots                             proto.ColUInt8
	kinds                             *proto.ColLowCardinality[string]
	conversions, leads, opportunities proto.ColUInt32
	values                            proto.ColInt64
	channels                          *proto.ColArr[string]
	ages                              *proto.ColArr[int64] // ms
}

func newJourneyColumns() *journeyColumns {
	return &journeyColumns{
		kinds:    new(proto.ColStr).LowCardinality(),
		channels: proto.NewArray(new(proto.ColStr).LowCardinality()),
		ages:     proto.NewArray(new(proto.ColInt64)),
	}
}

func (c *journeyColumns) results() proto.Results {
	return proto.Results{
		{Name: "subject_key", Data: &c.subjects}, {Name: "slot", Data: &c.slots}, {Name: "kind", Data: c.kinds},
		{Name: "conversion", Data: &c.conversions}, {Name: "lead", Data: &c.leads}, {Name: "opportunity", Data: &c.opportunities},
		{Name: "value", Data: &c.values}, {Name: "channels", Data: c.channels}, {Name: "ages", Data: c.ages},
	}
}

// shareColumns are a block of touchline_work.shares.
type shareColumns struct {
	index  map[string]attribution.Channel
	models int
	by     attribution.Split

	subjects      proto.ColUInt64
	slots         proto.ColUInt8
	kinds         *proto.ColLowCardinality[string]
	conversions   proto.ColUInt32
	shares, worth *proto.ColArr[int64]

	sequence           attribution.Sequence
	names              []string
	ages               []int64
	ofShares, ofWorths []int64
}

func newShareColumns(channels []string, models int, by attribution.Split) *shareColumns {
	c := &shareColumns{
		index: make(map[string]attribution.Channel, len(channels)), models: models, by: by,
		kinds:  new(proto.ColStr).LowCardinality(),
		shares: proto.NewArray(new(proto.ColInt64)), worth: proto.NewArray(new(proto.ColInt64)),
	}
	for i, name := range channels {
		c.index[name] = attribution.Channel(i) //nolint:gosec // few channels
	}
	return c
}

// split makes a block of shares of a block of journeys. It is good until the next one.
func (c *shareColumns) split(in *journeyColumns) proto.Input {
	c.kinds.Reset()
	c.shares.Reset()
	c.worth.Reset()
	c.subjects, c.slots, c.conversions = in.subjects, in.slots, in.conversions
	for i := range in.subjects {
		c.kinds.Append(in.kinds.Row(i))
		c.splitRow(in, i)
	}
	return proto.Input{
		{Name: "subject_key", Data: c.subjects}, {Name: "slot", Data: c.slots}, {Name: "kind", Data: c.kinds},
		{Name: "conversion", Data: c.conversions}, {Name: "shares", Data: c.shares}, {Name: "worth", Data: c.worth},
	}
}

func (c *shareColumns) splitRow(in *journeyColumns, i int) {
	c.names = in.channels.RowAppend(i, c.names[:0])
	c.ages = in.ages.RowAppend(i, c.ages[:0])
	s := &c.sequence
	s.Channels, s.Hours = s.Channels[:0], s.Hours[:0]
	s.Lead, s.Opportunity = int(in.leads[i]), int(in.opportunities[i])
	for t, name := range c.names {
		s.Channels = append(s.Channels, c.index[name])
		s.Hours = append(s.Hours, float64(c.ages[t])/3_600_000)
	}
	n := len(c.names) * c.models
	c.ofShares, c.ofWorths = zeroed(c.ofShares, n), zeroed(c.ofWorths, n)
	c.by(*s, in.values[i], c.ofShares, c.ofWorths)
	c.shares.Append(c.ofShares)
	c.worth.Append(c.ofWorths)
}

// zeroed is n zeros in list's memory if it is large enough.
func zeroed(list []int64, n int) []int64 {
	if cap(list) < n {
		return make([]int64, n)
	}
	list = list[:n]
	clear(list)
	return list
}
