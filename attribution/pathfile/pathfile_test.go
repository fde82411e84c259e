package pathfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/touchline-hq/touchline/attribution"
)

func TestRead(t *testing.T) {
	type channels = []attribution.Channel
	two := &attribution.Paths{
		Channels: []string{"Email", "Paid Search"},
		Rows: []attribution.Row{
			{Touches: channels{0}, Nulls: 3},
			{Touches: channels{1, 0, 1}, Conversions: 2, Value: 10.5, Nulls: 1},
		},
		Conversions: 2, Value: 10.5, Nulls: 4,
	}
	conversionsOnly := &attribution.Paths{
		Channels: []string{"a"}, Rows: []attribution.Row{{Touches: channels{0}, Conversions: 7}}, Conversions: 7,
	}
	// The channels of one path are too many for the buffer that lines are read through.
	long := strings.Repeat("Email > ", 20_000) + "Email"
	for name, tt := range map[string]struct {
		in   string
		want *attribution.Paths
	}{
		"our names": {"path,conversions,value,nulls\nPaid Search > Email > Paid Search,2,10.5,1\nEmail,0,0,3\n", two},
		"theirs": {
			"path,total_conversions,total_conversion_value,total_null\n" +
				"Paid Search > Email > Paid Search,2,10.5,1\nEmail,0,0,3", two,
		},
		"quotes, as R writes them": {
			`"path","total_conversions","total_conversion_value","total_null"` + "\n" +
				`"Paid Search > Email > Paid Search",2,10.5,1` + "\n" + `"Email",0,0,3` + "\n", two,
		},
		"quotes later on": {
			"path,conversions,value,nulls\nEmail,0,0,3\n" + `"Paid Search > Email > Paid Search",2,"10.5",1` + "\n", two,
		},
		"byte order mark, CRLF, empty lines": {
			"\uFEFFpath,conversions,value,nulls\r\n\r\nPaid Search > Email > Paid Search,2,10.5,1\r\n\nEmail,0,0,3\r\n", two,
		},
		"order and other columns": {
			"nulls,when,path,value,note,conversions\n1,3 > 2 > 1,Paid Search > Email > Paid Search,10.5,,2\n3,,Email,0,x,0\n", two,
		},
		"spaces": {"path , conversions,value,nulls\n Paid Search  >  Email > Paid Search , 2 ,10.5 , 1\nEmail,0,0,3\n", two},
		"the same path again": {
			"path,conversions,value,nulls\nEmail,0,0,1\nPaid Search > Email > Paid Search,1,10,1\n Email,0,0,2\n" +
				"Paid Search > Email > Paid Search,1,0.5,0\n", two,
		},
		"only what is required": {"path,conversions\na,7\n", conversionsOnly},
		"forms of numbers":      {"path,conversions,nulls\na,+.7e1,-0\n", conversionsOnly},
		"no rows":               {"path,conversions\n", &attribution.Paths{Channels: nil, Rows: []attribution.Row{}}},
		"names with commas, quotes, line ends and >": {
			"path,conversions\n\"a, \"\"b\"\" > c>d > e\nf\",1\n",
			&attribution.Paths{
				Channels:    []string{`a, "b"`, "c>d", "e\nf"},
				Rows:        []attribution.Row{{Touches: channels{0, 1, 2}, Conversions: 1}},
				Conversions: 1,
			},
		},
		"hours": {
			"path,conversions,hours\nb > a, 1,\"30 > 2.5\"\nb > a,1,30>2.5\nb > a,1, 30.0 > 2.5e0 \na,1,0\nb > a,1,31 > 2.5\na,1,0\na,1,1e12\nb,1,0\n",
			&attribution.Paths{
				Channels: []string{"a", "b"},
				Rows: []attribution.Row{
					{Touches: channels{0}, Hours: []float64{0}, Conversions: 2},
					{Touches: channels{0}, Hours: []float64{1e12}, Conversions: 1},
					{Touches: channels{1}, Hours: []float64{0}, Conversions: 1},
					{Touches: channels{1, 0}, Hours: []float64{30, 2.5}, Conversions: 3},
					{Touches: channels{1, 0}, Hours: []float64{31, 2.5}, Conversions: 1},
				},
				Conversions: 8,
			},
		},
		"channels that are parts of each other, and look like SQL, HTML and formulas": {
			"path,conversions\nEmail > Email Marketing > E > mail,1\n=1+1 > '; DROP TABLE > <b> > (start) > a\\b,1\n",
			&attribution.Paths{
				Channels: []string{"'; DROP TABLE", "(start)", "<b>", "=1+1", "E", "Email", "Email Marketing", `a\b`, "mail"},
				Rows: []attribution.Row{
					{Touches: channels{3, 0, 2, 1, 7}, Conversions: 1}, {Touches: channels{5, 6, 4, 8}, Conversions: 1},
				},
				Conversions: 2,
			},
		},
		"a long line": {
			"path,conversions\n" + long + ",1\n",
			&attribution.Paths{
				Channels: []string{"Email"}, Rows: []attribution.Row{{Touches: make(channels, 20_001), Conversions: 1}}, Conversions: 1,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read(strings.NewReader(tt.in), "in.csv")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	const header = "path,conversions,value,nulls\n"
	for in, want := range map[string]string{
		"":                               "1:1: the file is empty; it needs a header line with at least path and conversions",
		"\uFEFF\n\n":                     "1:1: the file is empty; it needs a header line with at least path and conversions",
		"a > b,1,2,3\n":                  "1:1: the header has no column path; it names path and conversions, and may name value, nulls and hours",
		"path,value\n":                   "1:1: the header has no column conversions or total_conversions; it names path and conversions, and may name value, nulls and hours",
		"path,conversions,nulls,nulls\n": "1:24: the header has column nulls twice",
		"path,conversions,value,total_conversion_value\n":  "1:24: the header has column value twice",
		header + "a,1,2,3\na > b,x,2,3\n":                  `3:7: conversions is "x", not a number`,
		header + "a,1,\"2,5\",3\n":                         `2:5: value is "2,5", not a number`,
		header + "a,1,2,\n":                                `2:7: nulls is "", not a number`,
		header + "a,0x1p4,2,0\n":                           `2:3: conversions is "0x1p4", not a number`,
		header + "a,1_0,2,0\n":                             `2:3: conversions is "1_0", not a number`,
		header + "a,1-,2,0\n":                              `2:3: conversions is "1-", not a number`,
		header + "a,NaN,2,0\n":                             `2:3: conversions is "NaN", not a number`,
		header + "a,1,Inf,0\n":                             `2:5: value is "Inf", not a number`,
		header + "a,1,2,-3\n":                              `2:7: nulls is -3; it cannot be negative`,
		header + "a,1,1e999,0\n":                           `2:5: value is +Inf; it must be 0 or from 1e-09 to 1e+12`,
		header + "a,0,2,1\n":                               `2:5: value is 2 without a conversion; only conversions have a value`,
		header + ",1,2,3\n":                                `2:1: path "": channel 1 is empty`,
		header + "  ,1,2,3\n":                              `2:1: path "  ": channel 1 is empty`,
		header + "a >  > b,1,2,3\n":                        `2:1: path "a >  > b": channel 2 is empty`,
		header + "a > >\r > b,1,2,3\n":                     `2:1: path "a > >\r > b": next to channel 2, ">", one is missing`,
		header + "a > ,1,2,3\n":                            `2:1: path "a > ": channel 2 is empty`,
		header + "a >,1,2,3\n":                             `2:1: path "a >": next to channel 1, "a >", one is missing`,
		header + "> b,1,2,3\n":                             `2:1: path "> b": next to channel 1, "> b", one is missing`,
		header + " > ,1,2,3\n":                             `2:1: path " > ": channel 1 is empty`,
		header + "a\xe9,1,2,3\n":                           `2:1: path "a\xe9" is not UTF-8; save the file in that encoding`,
		header + "a,1,2,3,4\n":                             "2:1: the line has 5 fields, the header has 4",
		header + "a,1,2\n":                                 "2:1: the line has 3 fields, the header has 4",
		header + "a,1,2,3\n\"b\nc\",1,\"x\ny\",3\n":        `4:6: value is "x\ny", not a number`,
		header + "a,1,2,3\n\"b\"c,1,2,3\n":                 `3:3: extraneous or missing " in quoted-field`,
		header + "a,1,2,3\nb\"c,1,2,3\n":                   `3:2: bare " in non-quoted-field`,
		header + strings.Repeat("x", 99) + " >  > y,1,2,3": "2:1: path \"" + strings.Repeat("x", 60) + "\"…: channel 2 is empty",
		"path,conversions,hours\na > b,1,2\n":              "2:9: hours are 1 numbers for 2 touches; each touch has one",
		"path,conversions,hours\na,1,2 > 1\n":              "2:5: hours are 2 numbers for 1 touches; each touch has one",
		"path,conversions,hours\na > b,1,1 > 2\n":          "2:9: hours grow from 1 to 2 at touch 2; a path goes from its first touch to its last",
		"path,conversions,hours\na > b,1,1 > -2\n":         "2:9: hours are -2 at touch 2; they must be from 0 to 1e+12",
		"path,conversions,hours\na,1,1e999\n":              "2:5: hours are +Inf at touch 1; they must be from 0 to 1e+12",
		"path,conversions,hours\na > b,1,2 > x\n":          `2:9: hours "2 > x": number 2 is "x", not a number`,
		"path,conversions,hours\na > b,1,NaN > 1\n":        `2:9: hours "NaN > 1": number 1 is "NaN", not a number`,
		"path,conversions,hours\na,1,1\nb,1,\n":            `3:5: hours "": number 1 is "", not a number`,
		"hours,path,hours,conversions\n":                   "1:12: the header has column hours twice",
		header + "a,-1,2,3\n":                              "2:3: conversions is -1; it cannot be negative",
		header + "a,,2,3\n":                                `2:3: conversions is "", not a number`,
	} {
		got, err := Read(strings.NewReader(in), "in.csv")
		if err == nil || got != nil || err.Error() != "in.csv:"+want {
			t.Errorf("%q:\ngot  %v\nwant in.csv:%s", in, err, want)
		}
	}
}

func TestReadPassesErrorsOn(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, in := range []string{"", "path,conversions\na,1\nb", "path,conversions\n\"a\",1\n\"b"} {
		_, err := Read(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)), "in.csv")
		if !errors.Is(err, broken) || err.Error() != "in.csv: disk on fire" {
			t.Errorf("after %q: %v", in, err)
		}
	}
}

// FuzzRead holds that any input is either read or refused in one line, and that what was read is a whole: written
// again, with quotes or without, it reads as the same.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "path,conversions\n", "path,conversions,value,nulls\na > b,1,2.5,0\nb,0,0,1\n",
		"\uFEFF\"path\",total_conversions\r\n\"a \"\"x\"\" > b\n\",1\r\n", "path,conversions\na > ,1", "path,conversions\na,1e-9\na,.3",
		"path,hours,conversions\na > b,9.5 > 0,1\nb,0,2",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		paths, err := Read(bytes.NewReader(in), "in.csv")
		if pieces, other := read(bytes.NewReader(in), "in.csv", 8); !reflect.DeepEqual(pieces, paths) || fmt.Sprint(other) != fmt.Sprint(err) {
			t.Fatalf("in pieces %v, %v; as a whole %v, %v", pieces, other, paths, err)
		}
		if err != nil {
			if s := err.Error(); !strings.HasPrefix(s, "in.csv:") || strings.ContainsAny(s, "\r\n") || len(s) > 500 {
				t.Fatalf("error %q", s)
			}
			return
		}
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		write := func(fields ...string) { _ = w.Write(fields) } // a bytes.Buffer takes all
		timed := len(paths.Rows) > 0 && paths.Rows[0].Hours != nil
		header := []string{"path", "conversions", "value", "nulls", "hours"}
		if !timed {
			header = header[:4]
		}
		write(header...)
		for _, row := range paths.Rows {
			var names []string
			for _, c := range row.Touches {
				names = append(names, paths.Channels[c])
			}
			if max(row.Conversions, row.Value, row.Nulls) > attribution.MaxNumber {
				return // a sum of numbers that were read, but larger than any of them may be
			}
			var hours []string
			for _, h := range row.Hours {
				hours = append(hours, decimal(h))
			}
			fields := []string{
				strings.Join(names, separator), decimal(row.Conversions), decimal(row.Value), decimal(row.Nulls), strings.Join(hours, separator),
			}
			write(fields[:len(header)]...)
		}
		w.Flush()
		again, err := Read(&out, "again")
		if err != nil {
			t.Fatalf("%v, written from %q", err, in)
		}
		if len(again.Rows) != len(paths.Rows) {
			t.Fatalf("%d rows, then %d", len(paths.Rows), len(again.Rows))
		}
		for i, row := range again.Rows {
			was := paths.Rows[i]
			if row.Conversions != was.Conversions || row.Value != was.Value || row.Nulls != was.Nulls ||
				len(row.Touches) != len(was.Touches) || !slices.Equal(row.Hours, was.Hours) {
				t.Fatalf("row %d: %+v, then %+v", i, was, row)
			}
			for j, c := range row.Touches {
				if again.Channels[c] != paths.Channels[was.Touches[j]] {
					t.Fatalf("row %d: %+v, then %+v", i, was, row)
				}
			}
		}
	})
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
