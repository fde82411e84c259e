package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
)

func params(publish bool, models ...attribution.Model) attribution.Params {
	return attribution.Params{
		Project:    attribution.Project{ID: "shop", Location: time.UTC, Currency: "EUR"},
		Conversion: attribution.Conversion{Event: "Order Completed"},
		Models:     models,
		Publish:    publish,
	}
}

func start(store attribution.Store, p attribution.Params) (Report, error) {
	return Run(context.Background(), store, p, slog.New(slog.DiscardHandler))
}

// journey converts on a day after touches of channels.
func journey(id string, day int, value int64, channels ...string) attribution.Journey {
	j := attribution.Journey{ConversionID: id, Converted: noon(day), Person: "p", Value: value}
	for i, c := range channels {
		j.Touches = append(j.Touches, attribution.Touch{ID: fmt.Sprint(id, i), Time: noon(day), Channel: c})
	}
	return j
}

// shop has a bit of everything.
func shop() *memory {
	return &memory{
		journeys: []attribution.Journey{
			journey("a", 1, 10_000_001, "Email", "Direct"),
			journey("b", 1, 5_000_000),
			journey("c", 2, 20_000_000, "Webinar", "Email", "Email"),
			journey("d", 2, 0, "Direct"),
		},
		nulls: [][]string{{"Webinar"}, {"Direct", "Affiliates"}},
	}
}

func drawShop(t *rapid.T) *memory {
	channels := rapid.SampledFrom([]string{"Email", "Direct", "Display", "Organic Search", "Affiliates"})
	m := &memory{nulls: rapid.SliceOfN(rapid.SliceOfN(channels, 1, 5), 0, 5).Draw(t, "nulls")}
	count := rapid.IntRange(1, 20).Draw(t, "conversions")
	day := 1
	for i := range count {
		day += rapid.IntRange(0, 1).Draw(t, "days")
		value := rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(0, 1e15)).Draw(t, "value")
		m.journeys = append(m.journeys, journey(fmt.Sprint("c", i), day, value, rapid.SliceOfN(channels, 0, 12).Draw(t, "path")...))
	}
	return m
}

func TestCreditOfEachConversionAddsUpExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawShop(t)
		if _, err := start(m, params(true, model.Plain()...)); err != nil {
			t.Fatal(err)
		}
		rows := map[string][]creditRow{}
		for _, r := range m.rows {
			rows[r.conversion+" by "+r.model] = append(rows[r.conversion+" by "+r.model], r)
		}
		for _, j := range m.journeys {
			for _, by := range model.Plain() {
				checkCredit(t, j, rows[j.ConversionID+" by "+by.Name()])
			}
		}
		if len(rows) != len(m.journeys)*len(model.Plain()) {
			t.Errorf("credit for %d pairs of conversion and model", len(rows))
		}
	})
}

func checkCredit(t *rapid.T, j attribution.Journey, rows []creditRow) {
	touches, first := j.Touches, 1
	if len(touches) == 0 {
		touches, first = []attribution.Touch{{Channel: attribution.Unattributed, Time: j.Converted}}, 0
	}
	if len(rows) != len(touches) {
		t.Fatalf("%d rows for %d touches", len(rows), len(touches))
	}
	var credit, value int64
	for i, r := range rows {
		if r.position != first+i || r.touch != touches[i] {
			t.Errorf("row %d is of touch %d, %+v", i, r.position, r.touch)
		}
		share := float64(j.Value) / attribution.ShareUnit * float64(r.credit)
		if r.credit < 0 || r.value < 0 || math.Abs(float64(r.value)-share) > float64(len(rows))+1e-12*float64(j.Value) {
			t.Errorf("credit %d, value %d of %d", r.credit, r.value, j.Value)
		}
		credit += r.credit
		value += r.value
	}
	if credit != attribution.ShareUnit || value != j.Value {
		t.Errorf("credit adds up to %d, value to %d of %d", credit, value, j.Value)
	}
}

func TestReportAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawShop(t)
		report, err := start(m, params(false, model.Plain()...))
		if err != nil {
			t.Fatal(err)
		}
		want, _ := m.Coverage(context.Background(), attribution.Params{})
		if report.Coverage != want {
			t.Errorf("coverage %+v, want %+v", report.Coverage, want)
		}
		for _, r := range report.Models {
			var sum attribution.Credit
			unattributed := ChannelCredit{Channel: attribution.Unattributed}
			for _, c := range r.Channels {
				sum.Conversions += c.Conversions
				sum.Value += c.Value
				if c.Channel == attribution.Unattributed {
					unattributed = c
				}
			}
			if !near(sum.Conversions, float64(want.Conversions)) || !near(sum.Value, float64(want.Value)/1e6) {
				t.Errorf("%s: %v, want %+v", r.Model, sum, want)
			}
			if unattributed.Conversions != float64(want.Unattributed) || unattributed.Value != float64(want.UnattributedValue)/1e6 {
				t.Errorf("%s: %+v, want %+v", r.Model, unattributed, want)
			}
		}
	})
}

func TestReport(t *testing.T) {
	got, err := start(shop(), params(true, model.Last{}, model.First{}))
	if err != nil {
		t.Fatal(err)
	}
	channel := func(name string, conversions, value float64) ChannelCredit {
		return ChannelCredit{name, attribution.Credit{Conversions: conversions, Value: value}}
	}
	want := Report{
		Project: "shop", Kind: "Order Completed", Currency: "EUR", AsOf: noon(100),
		Coverage: attribution.Coverage{Conversions: 4, Unattributed: 1, Value: 35_000_001, Nulls: 2, UnattributedValue: 5_000_000},
		Models: []ModelReport{
			{"last", []ChannelCredit{
				channel("Direct", 2, 10.000001), channel("Email", 1, 20), channel("Unattributed", 1, 5),
				channel("Affiliates", 0, 0), channel("Webinar", 0, 0),
			}},
			{"first", []ChannelCredit{
				channel("Direct", 1, 0), channel("Email", 1, 10.000001), channel("Unattributed", 1, 5), channel("Webinar", 1, 20),
				channel("Affiliates", 0, 0),
			}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("report\n%+v, want\n%+v", got, want)
	}
}

// What analysts add up: the days of markov's channels to its totals, and the channels of a day to its conversions.
func TestSeparateTotalsAreSpreadOverTheDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawShop(t)
		report, err := start(m, params(true, model.Plain()...))
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"first", "last", "last_non_direct", "linear", "position", "shapley"}; !slices.Equal(m.summed, want) {
			t.Errorf("summed from touches: %q, want %q", m.summed, want)
		}
		type sum struct{ conversions, value int64 }
		byDay, byChannel := map[string]sum{}, map[string]sum{}
		for _, d := range m.days {
			if d.Model != "markov" || d.Conversions < 0 || d.Value < 0 || d.Conversions == 0 && d.Value == 0 {
				t.Errorf("row %+v", d)
			}
			day, channel := byDay[d.Day.String()], byChannel[d.Channel]
			byDay[d.Day.String()] = sum{day.conversions + d.Conversions, day.value + d.Value}
			byChannel[d.Channel] = sum{channel.conversions + d.Conversions, channel.value + d.Value}
		}
		wantDays := map[string]sum{}
		days, _ := m.ConversionDays(context.Background(), attribution.Params{})
		for _, d := range days {
			wantDays[d.Day.String()] = sum{(d.Conversions + d.Unattributed) * attribution.ShareUnit, d.Value + d.UnattributedValue}
		}
		if !maps.Equal(byDay, wantDays) {
			t.Errorf("days %v, want %v", byDay, wantDays)
		}
		markov := report.Models[slices.IndexFunc(report.Models, func(r ModelReport) bool { return r.Model == "markov" })]
		for _, c := range markov.Channels {
			got := byChannel[c.Channel]
			// A day's value is in whole millionths, and what rounding leaves over of all channels is on one.
			rounding := float64(len(days)*len(markov.Channels)) / 1e6
			if !near(float64(got.conversions)/attribution.ShareUnit, c.Conversions) ||
				math.Abs(float64(got.value)/1e6-c.Value) > rounding+1e-9*c.Value {
				t.Errorf("%s: days add up to %+v, the total is %+v", c.Channel, got, c.Credit)
			}
		}
	})
}

// wrong is a model whose totals are off.
type wrong struct{ off attribution.Credit }

func (wrong) Name() string { return "wrong" }

func (w wrong) Fit(paths *attribution.Paths) (attribution.Fitted, error) {
	f, err := model.Linear{}.Fit(paths)
	return wrongFit{f, w.off}, err
}

type wrongFit struct {
	attribution.Fitted
	off attribution.Credit
}

func (w wrongFit) Totals() []attribution.Credit {
	totals := slices.Clone(w.Fitted.Totals())
	totals[0].Conversions += w.off.Conversions
	totals[0].Value += w.off.Value
	return totals
}

func TestCreditThatDoesNotAddUpIsRefused(t *testing.T) {
	for _, off := range []attribution.Credit{{Conversions: 1e-8}, {Value: -1e-6}, {Conversions: math.NaN()}} {
		m := shop()
		report, err := start(m, params(true, model.First{}, wrong{off}))
		if err == nil || !strings.HasPrefix(err.Error(), "model wrong credits ") || !strings.HasSuffix(err.Error(), " of 4 worth 35.000001: the credit must add up") {
			t.Errorf("off by %v: %v", off, err)
		}
		if slices.Contains(m.calls, "Publish") || !reflect.DeepEqual(report, Report{}) {
			t.Errorf("off by %v: calls %q, report %+v", off, m.calls, report)
		}
	}
}

var (
	preparing = []string{
		"AsOf", "Begin", "LinkDevices", "Aliases", "SetAliases", "AssignPersons", "FindSessions", "AddExplicitTouches", "AddLinkTouches",
		"SummarisePersons", "FindConversions", "BuildJourneys", "SumPaths", "Coverage", "Paths",
	}
	writing = []string{"Credits", "Journeys", "Close", "ConversionDays", "WriteChannelCredits", "SumCredits", "Publish"}
)

func TestSteps(t *testing.T) {
	m := shop()
	if _, err := start(m, params(true, model.Plain()...)); err != nil {
		t.Fatal(err)
	}
	if want := slices.Concat(preparing, writing); !slices.Equal(m.calls, want) {
		t.Errorf("steps %q, want %q", m.calls, want)
	}
	if want := map[string]string{"new": "old", "old": "old"}; !maps.Equal(m.canonical, want) {
		t.Errorf("canonical users %v, want %v", m.canonical, want)
	}
}

func TestNothingIsWrittenWithoutPublish(t *testing.T) {
	m := shop()
	if _, err := start(m, params(false, model.Plain()...)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.calls, preparing) || m.rows != nil {
		t.Errorf("steps %q, want %q", m.calls, preparing)
	}
}

func TestNothingIsPublishedAfterAFailure(t *testing.T) {
	for _, step := range append(slices.Concat(preparing, writing), "Write") {
		m := shop()
		m.fail = step
		report, err := start(m, params(true, model.Plain()...))
		if !errors.Is(err, errStep) {
			t.Errorf("%s: %v, want the store's error", step, err)
		}
		if step != "Publish" && (slices.Contains(m.calls, "Publish") || !reflect.DeepEqual(report, Report{})) {
			t.Errorf("%s: calls %q, report %+v", step, m.calls, report)
		}
		if opened := slices.Contains(m.calls, "Journeys") || step == "Write"; opened && m.closes != 1 {
			t.Errorf("%s: credits closed %d times", step, m.closes)
		}
	}
}

func TestModelThatCannotFit(t *testing.T) {
	m := shop()
	_, err := start(m, params(true, model.First{}, model.Markov{Order: 9}))
	if want := "model markov: markov: order 9 is not between 1 and 4"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if !slices.Equal(m.calls, preparing) {
		t.Errorf("steps %q, want %q", m.calls, preparing)
	}
}

func TestProjectWithoutEvents(t *testing.T) {
	m := &memory{}
	if _, err := start(m, params(true, model.Plain()...)); err == nil || err.Error() != `project "shop" has no events` {
		t.Errorf("%v", err)
	}
	if !slices.Equal(m.calls, []string{"AsOf"}) {
		t.Errorf("steps %q after that", m.calls)
	}
}

// A project may have events but no conversion, or none that a touch led to.
func TestWithoutConversions(t *testing.T) {
	for name, m := range map[string]*memory{
		"nulls":        {nulls: [][]string{{"Email"}}},
		"unattributed": {journeys: []attribution.Journey{journey("a", 1, 7)}},
	} {
		report, err := start(m, params(true, model.Plain()...))
		if err != nil || len(report.Models) != len(model.Plain()) || !slices.Contains(m.calls, "Publish") {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
}
