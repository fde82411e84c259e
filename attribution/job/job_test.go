package job

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/attribution/transform"
)

// journeys are a Reporter and hold what it reports.
type journeys struct {
	attribution.Reporter
	converted []attribution.SelectedJourney
	nulls     [][]string
	lost      int64 // conversions that no journey tells of
}

func (*journeys) Select(context.Context, *attribution.Selection) error { return nil }

func (j *journeys) Coverage(context.Context, *attribution.Selection) (attribution.Coverage, error) {
	c := attribution.Coverage{Nulls: int64(len(j.nulls)), Conversions: j.lost}
	for _, s := range j.converted {
		c.Conversions++
		c.Value += s.Value
		if len(s.Names) == 0 {
			c.Unattributed++
			c.UnattributedValue += s.Value
		}
	}
	return c, nil
}

func (j *journeys) SelectedPaths(context.Context, *attribution.Selection) (*attribution.Paths, error) {
	var b attribution.Builder
	add := func(names []string, conversions, value, nulls float64) error {
		var touches []attribution.Channel
		for _, n := range names {
			touches = append(touches, b.Channel(n))
		}
		id, err := b.Path(touches)
		if err != nil {
			return err
		}
		return b.Add(id, conversions, value, nulls)
	}
	for _, s := range j.converted {
		if len(s.Names) > 0 {
			if err := add(s.Names, 1, float64(s.Value)/1e6, 0); err != nil {
				return nil, err
			}
		}
	}
	for _, n := range j.nulls {
		if err := add(n, 0, 0, 1); err != nil {
			return nil, err
		}
	}
	return b.Paths(), nil
}

func (j *journeys) SelectedJourneys(_ context.Context, _ *attribution.Selection, f func(attribution.SelectedJourney) error) error {
	for _, s := range j.converted {
		if len(s.Names) > 0 {
			if err := f(s); err != nil {
				return err
			}
		}
	}
	return nil
}

func all() []attribution.Model {
	return Settings(attribution.Project{Position: [3]float64{.4, .2, .4}, HalfLife: 7 * 24 * time.Hour}).All()
}

// converted is a journey whose touches were a day apart.
func converted(value int64, lead, opportunity int, names ...string) attribution.SelectedJourney {
	j := attribution.SelectedJourney{Names: names, Lead: lead, Opportunity: opportunity, Value: value}
	for i := range names {
		j.Hours = append(j.Hours, float64(24*(len(names)-i)))
	}
	return j
}

func drawJourneys(t *rapid.T) *journeys {
	channels := rapid.SampledFrom([]string{"Email", "Direct", "Display", "Organic Search", "Affiliates"})
	j := &journeys{nulls: rapid.SliceOfN(rapid.SliceOfN(channels, 1, 5), 0, 5).Draw(t, "nulls")}
	for range rapid.IntRange(0, 20).Draw(t, "conversions") {
		value := rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(0, 1e15)).Draw(t, "value")
		names := rapid.SliceOfN(channels, 0, 12).Draw(t, "path")
		lead := rapid.IntRange(0, len(names)).Draw(t, "lead")
		j.converted = append(j.converted, converted(value, lead, rapid.IntRange(lead, len(names)).Draw(t, "opportunity"), names...))
	}
	return j
}

func TestReportAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := drawJourneys(t)
		report, err := NewReport(t.Context(), j, attribution.Selection{}, all(), nil)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := j.Coverage(t.Context(), nil)
		if report.Coverage != want || len(report.Models) != len(all()) {
			t.Fatalf("coverage %+v of %d models, want %+v", report.Coverage, len(report.Models), want)
		}
		for _, m := range report.Models {
			at := slices.IndexFunc(m.Names, func(n NameCredit) bool { return n.Name == attribution.Unattributed })
			if (at >= 0) != (want.Unattributed > 0) || at >= 0 && m.Names[at].Conversions != float64(want.Unattributed) {
				t.Errorf("%s: %+v, want %d unattributed", m.Model, m.Names, want.Unattributed)
			}
		}
	})
}

// A project may have no events, one conversion only, or none that a touch led to.
func TestReportsOfLittle(t *testing.T) {
	for name, c := range map[string]struct {
		journeys
		want []NameCredit
	}{
		"nothing":        {},
		"nulls":          {journeys{nulls: [][]string{{"Email"}}}, []NameCredit{{"Email", attribution.Credit{}}}},
		"unattributed":   {journeys{converted: []attribution.SelectedJourney{converted(7_000_000, 0, 0)}}, []NameCredit{{"Unattributed", attribution.Credit{Conversions: 1, Value: 7}}}},
		"one conversion": {journeys{converted: []attribution.SelectedJourney{converted(7_000_000, 1, 1, "Email")}}, []NameCredit{{"Email", attribution.Credit{Conversions: 1, Value: 7}}}},
	} {
		report, err := NewReport(t.Context(), &c.journeys, attribution.Selection{}, all(), nil)
		if err != nil || len(report.Models) != len(all()) {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
		for _, m := range report.Models {
			if !slices.Equal(m.Names, c.want) {
				t.Errorf("%s by %s: %v, want %v", name, m.Model, m.Names, c.want)
			}
		}
	}
}

func TestReportByMilestones(t *testing.T) {
	j := &journeys{converted: []attribution.SelectedJourney{
		converted(10_000_001, 2, 3, "Email", "Display", "Direct", "Direct"), converted(20_000_000, 0, 0, "Email", "Display"),
	}}
	report, err := NewReport(t.Context(), j, attribution.Selection{}, []attribution.Model{model.WShaped{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// 30/30/30 and 10 for the rest; without milestones half each. The odd millionth is on the first of the largest shares.
	want := []NameCredit{
		{"Display", attribution.Credit{Conversions: .8, Value: 13}}, {"Email", attribution.Credit{Conversions: .8, Value: 13.000001}},
		{"Direct", attribution.Credit{Conversions: .4, Value: 4}},
	}
	if got := report.Models[0].Names; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// Without repeats it is Email, which is the lead's touch, too, then Display, the opportunity's, and Direct.
	j = &journeys{converted: []attribution.SelectedJourney{converted(10_000_000, 2, 3, "Email", "Email", "Display", "Direct", "Direct")}}
	report, err = NewReport(t.Context(), j, attribution.Selection{}, []attribution.Model{model.WShaped{}}, []attribution.Transform{transform.Exposure{}})
	if err != nil {
		t.Fatal(err)
	}
	want = []NameCredit{
		{"Email", attribution.Credit{Conversions: .6, Value: 6}}, {"Display", attribution.Credit{Conversions: .3, Value: 3}},
		{"Direct", attribution.Credit{Conversions: .1, Value: 1}},
	}
	if got := report.Models[0].Names; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestReportThatDoesNotAddUpIsRefused(t *testing.T) {
	j := &journeys{converted: []attribution.SelectedJourney{converted(7_000_000, 0, 0, "Email")}, lost: 1}
	_, err := NewReport(t.Context(), j, attribution.Selection{}, []attribution.Model{model.Last{}}, nil)
	if want := "model last credits 1 conversions worth 7 of 2 worth 7: the credit must add up"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	c := attribution.Coverage{Conversions: 4, Value: 35_000_001}
	for _, off := range []attribution.Credit{{}, {Conversions: 1e-8}, {Value: -1e-6}, {Conversions: math.NaN()}} {
		r := ModelReport{"wrong", []NameCredit{{"Email", attribution.Credit{Conversions: 4 + off.Conversions, Value: 35.000001 + off.Value}}}}
		if err := checkReport(r, c); (err != nil) != (off != attribution.Credit{}) {
			t.Errorf("off by %v: %v", off, err)
		}
	}
}

// sums is a Store that knows nothing else.
type sums struct {
	attribution.Store
	list []attribution.Sum
}

func (s sums) Sums(context.Context, *attribution.Update) ([]attribution.Sum, error) {
	return s.list, nil
}

func TestSumsThatDoNotAddUpAreRefused(t *testing.T) {
	for _, missing := range []attribution.Credit{{}, {Conversions: 1e-8}, {Value: -1e-6}, {Value: math.NaN()}, {Conversions: math.Inf(1)}} {
		s := sums{list: []attribution.Sum{
			{Model: "first", Credit: attribution.Credit{Conversions: 1e12, Value: 1e12}, Missing: attribution.Credit{Conversions: 1, Value: 1}}, // 1e-12 of it
			{Kind: "k", Level: "person", Model: "last", Dimension: "medium", Credit: attribution.Credit{Conversions: 4, Value: 35}, Missing: missing},
		}}
		err := checkSums(t.Context(), s, &attribution.Update{}, slog.New(slog.DiscardHandler))
		if off := missing != (attribution.Credit{}); off != (err != nil) ||
			off && !strings.HasPrefix(err.Error(), "model last credits 4 conversions of k worth 35 by medium at level person, ") {
			t.Errorf("missing %v: %v", missing, err)
		}
	}
}

// What analysts add up: the days of markov's channels to its totals, and the channels of a day to its conversions.
func TestSeparateTotalsAreSpreadOverTheDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := drawJourneys(t)
		paths, err := j.SelectedPaths(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		fitted, err := model.Markov{}.Fit(paths)
		if err != nil {
			t.Fatal(err)
		}
		var days []attribution.Day
		for i, s := range j.converted {
			if i == 0 || rapid.Bool().Draw(t, "next day") {
				days = append(days, attribution.Day{Day: time.Unix(int64(i)*86400, 0).UTC()})
			}
			d := &days[len(days)-1]
			if len(s.Names) == 0 {
				d.Unattributed++
				d.UnattributedValue += s.Value
			} else {
				d.Conversions++
				d.Value += s.Value
			}
		}
		checkSpread(t, fitted.Totals(), paths, days)
	})
}

func checkSpread(t *rapid.T, totals []attribution.Credit, paths *attribution.Paths, days []attribution.Day) {
	left := map[time.Time]attribution.ChannelDay{}
	for _, d := range days {
		left[d.Day] = attribution.ChannelDay{Conversions: (d.Conversions + d.Unattributed) * attribution.ShareUnit, Value: d.Value + d.UnattributedValue}
	}
	byChannel := map[string]attribution.ChannelDay{}
	for _, r := range spreadTotals(totals, paths, days) {
		if r.Model != "markov" || r.Conversions < 0 || r.Value < 0 || r.Conversions == 0 && r.Value == 0 {
			t.Errorf("row %+v", r)
		}
		d, c := left[r.Day], byChannel[r.Channel]
		left[r.Day] = attribution.ChannelDay{Conversions: d.Conversions - r.Conversions, Value: d.Value - r.Value}
		byChannel[r.Channel] = attribution.ChannelDay{Conversions: c.Conversions + r.Conversions, Value: c.Value + r.Value}
	}
	for day, l := range left {
		if l != (attribution.ChannelDay{}) {
			t.Errorf("%v: %+v are left", day, l)
		}
	}
	for i, want := range totals {
		got := byChannel[paths.Channels[i]]
		// A day's value is in whole millionths, and what rounding leaves over of all channels is on one.
		rounding := float64(len(days)*len(totals)) / 1e6
		if math.Abs(float64(got.Conversions)/attribution.ShareUnit-want.Conversions) > 1e-9 ||
			math.Abs(float64(got.Value)/1e6-want.Value) > rounding+1e-9*want.Value {
			t.Errorf("%s: days add up to %+v, the total is %+v", paths.Channels[i], got, want)
		}
	}
}

func TestSplitValue(t *testing.T) {
	third := int64(attribution.ShareUnit / 3)
	for _, c := range []struct {
		value  int64
		shares []int64
		want   []int64
	}{
		{0, []int64{attribution.ShareUnit}, []int64{0}},
		{10, []int64{third, third, third + 1}, []int64{3, 3, 4}},
		{11, []int64{third + 1, third, third}, []int64{5, 3, 3}},
		{1, []int64{attribution.ShareUnit / 2, attribution.ShareUnit / 2}, []int64{1, 0}},
		{math.MaxInt64, []int64{0, attribution.ShareUnit}, []int64{0, math.MaxInt64}},
	} {
		if got := splitValue(nil, c.shares, c.value); !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v, want %v", c.value, c.shares, got, c.want)
		}
	}
	var e exactCredit
	for range 3_000_000 {
		e.add(third, 1)
	}
	if got, want := e.credit(), (attribution.Credit{Conversions: 999_999.999999, Value: 3}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
