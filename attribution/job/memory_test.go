package job

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/touchline-hq/touchline/attribution"
)

var errStep = errors.New("the store says no")

// memory is a Store that holds journeys instead of events. It notes its calls; the one named fail fails.
type memory struct {
	journeys []attribution.Journey // that converted, in order of time
	nulls    [][]string            // paths that led to nothing
	fail     string

	calls     []string
	rows      []creditRow
	summed    []string
	days      []attribution.ChannelDay
	canonical map[string]string
	closes    int
}

// creditRow is a row with what may not be kept after Write.
type creditRow struct {
	model, conversion string
	touch             attribution.Touch
	position          int
	credit, value     int64
}

func (m *memory) call(name string) error {
	m.calls = append(m.calls, name)
	if name == m.fail {
		return errStep
	}
	return nil
}

func (m *memory) Begin(context.Context) error { return m.call("Begin") }

func (m *memory) AsOf(context.Context, string) (time.Time, error) {
	if len(m.journeys)+len(m.nulls) == 0 {
		return time.Time{}, m.call("AsOf")
	}
	return noon(100), m.call("AsOf")
}

func (m *memory) LinkDevices(context.Context, string) error { return m.call("LinkDevices") }

func (m *memory) Aliases(context.Context, string) ([]attribution.Alias, error) {
	return []attribution.Alias{{User: "new", Previous: "old", UserSeen: noon(2), PreviousSeen: noon(1)}}, m.call("Aliases")
}

func (m *memory) SetAliases(_ context.Context, canonical map[string]string) error {
	m.canonical = canonical
	return m.call("SetAliases")
}

func (m *memory) AssignPersons(context.Context, string, []string) error {
	return m.call("AssignPersons")
}
func (m *memory) FindSessions(context.Context, string) error { return m.call("FindSessions") }
func (m *memory) AddExplicitTouches(context.Context, string) error {
	return m.call("AddExplicitTouches")
}

func (m *memory) AddLinkTouches(context.Context, string) error {
	return m.call("AddLinkTouches")
}
func (m *memory) SummarisePersons(context.Context, string) error { return m.call("SummarisePersons") }

func (m *memory) FindConversions(context.Context, attribution.Params) error {
	return m.call("FindConversions")
}

func (m *memory) BuildJourneys(context.Context, attribution.Params, time.Time) error {
	return m.call("BuildJourneys")
}

func (m *memory) SumPaths(context.Context, attribution.Params) error { return m.call("SumPaths") }

func (m *memory) Coverage(context.Context, attribution.Params) (attribution.Coverage, error) {
	c := attribution.Coverage{Nulls: int64(len(m.nulls))}
	for _, j := range m.journeys {
		c.Conversions++
		c.Value += j.Value
		if len(j.Touches) == 0 {
			c.Unattributed++
			c.UnattributedValue += j.Value
		}
	}
	return c, m.call("Coverage")
}

func (m *memory) Paths(context.Context) (*attribution.Paths, error) {
	var b attribution.Builder
	add := func(names []string, conversions, value, nulls float64) error {
		var touches []attribution.Channel
		for _, name := range names {
			touches = append(touches, b.Channel(name))
		}
		path, err := b.Path(touches)
		return errors.Join(err, b.Add(path, conversions, value, nulls))
	}
	for _, j := range m.journeys {
		if len(j.Touches) == 0 {
			continue
		}
		var names []string
		for _, t := range j.Touches {
			names = append(names, t.Channel)
		}
		if err := add(names, 1, float64(j.Value)/1e6, 0); err != nil {
			return nil, err
		}
	}
	for _, names := range m.nulls {
		if err := add(names, 0, 0, 1); err != nil {
			return nil, err
		}
	}
	return b.Paths(), m.call("Paths")
}

func (m *memory) Journeys(_ context.Context, _ attribution.Params, f func(*attribution.Journey) error) error {
	for _, j := range m.journeys {
		if err := f(&j); err != nil {
			return err
		}
	}
	return m.call("Journeys")
}

func (m *memory) ConversionDays(context.Context, attribution.Params) ([]attribution.Day, error) {
	var days []attribution.Day
	for _, j := range m.journeys {
		day := j.Converted.Truncate(24 * time.Hour)
		if len(days) == 0 || !days[len(days)-1].Day.Equal(day) {
			days = append(days, attribution.Day{Day: day})
		}
		d := &days[len(days)-1]
		if len(j.Touches) > 0 {
			d.Conversions++
			d.Value += j.Value
		} else {
			d.Unattributed++
			d.UnattributedValue += j.Value
		}
	}
	return days, m.call("ConversionDays")
}

func (m *memory) Credits(context.Context, attribution.Params) (attribution.CreditWriter, error) {
	err := m.call("Credits")
	return m, err
}

func (m *memory) Write(r attribution.CreditRow) error {
	m.rows = append(m.rows, creditRow{r.Model, r.Journey.ConversionID, r.Touch(), r.Position, r.Credit, r.Value})
	if m.fail == "Write" {
		return errStep
	}
	return nil
}

func (m *memory) Close() error {
	m.closes++
	return m.call("Close")
}

func (m *memory) SumCredits(_ context.Context, _ attribution.Params, models []string) error {
	m.summed = slices.Clone(models)
	return m.call("SumCredits")
}

func (m *memory) WriteChannelCredits(_ context.Context, _ attribution.Params, rows []attribution.ChannelDay) error {
	m.days = append(m.days, rows...)
	return m.call("WriteChannelCredits")
}

func (m *memory) Publish(context.Context, attribution.Params) error { return m.call("Publish") }

// noon is that of a day of 2024, from 1.
func noon(day int) time.Time { return time.Date(2024, 1, day, 12, 0, 0, 0, time.UTC) }
