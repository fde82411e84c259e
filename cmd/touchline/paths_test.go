package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// pathsOutput runs the command on a file with this text.
func pathsOutput(t *testing.T, c pathsCommand, file string) (string, error) {
	t.Helper()
	c.File = filepath.Join(t.TempDir(), "paths.csv")
	writeFile(t, c.File, file)
	if c.Models == "" {
		c.Models = modelNames()
	}
	if c.Order == 0 {
		c.Order = 1
	}
	if c.MaxSteps == "" {
		c.MaxSteps = "0"
	}
	var out bytes.Buffer
	err := c.write(&out)
	return out.String(), err
}

const textbook = "path,conversions,value,nulls\nFair > Mail > Call,1,20,0\nFair,0,0,1\nMail > Call,0,0,1\n"

func TestPathsOutputs(t *testing.T) {
	for name, tt := range map[string]struct {
		command pathsCommand
		file    string
		want    string
	}{
		"markov": {
			pathsCommand{Models: "markov", Format: formatCSV}, textbook,
			"model,channel,conversions,value\nmarkov,Call,0.4,8\nmarkov,Mail,0.4,8\nmarkov,Fair,0.2,4\n",
		},
		"within the steps of the longest path": {
			pathsCommand{Models: "markov", MaxSteps: "auto", Format: formatCSV}, textbook,
			"model,channel,conversions,value\nmarkov,Call,0.4,8\nmarkov,Mail,0.4,8\nmarkov,Fair,0.2,4\n",
		},
		"within three steps": { // only Mail > Call is short enough
			pathsCommand{Models: "markov,last", MaxSteps: "3", Format: formatCSV}, textbook,
			"model,channel,conversions,value\nmarkov,Call,0.5,10\nmarkov,Mail,0.5,10\nmarkov,Fair,0,0\n" +
				"last,Call,1,20\nlast,Fair,0,0\nlast,Mail,0,0\n",
		},
		"time decay": {
			pathsCommand{Models: "time_decay", Format: formatCSV}, "path,conversions,hours\na > b,3,168 > 0\n",
			"model,channel,conversions,value\ntime_decay,b,2,0\ntime_decay,a,1,0\n",
		},
		"removal, a table": {
			pathsCommand{Show: "removal", Format: formatTable}, textbook,
			"channel  removal_effect  removal_effect_value  p_conversion  p_conversion_without\n" +
				"Call           1.000000              1.000000      0.333333              0.000000\n" +
				"Mail           1.000000              1.000000      0.333333              0.000000\n" +
				"Fair           0.500000              0.500000      0.333333              0.166667\n",
		},
		"removal, JSON": {
			pathsCommand{Show: "removal", Format: formatJSON}, "path,conversions,nulls\n\"a\"\"b,c\",1,3\n",
			"[\n{\"channel\":\"a\\\"b,c\",\"removal_effect\":1,\"removal_effect_value\":0,\"p_conversion\":0.25,\"p_conversion_without\":0}\n]\n",
		},
		"transitions of order 2, CSV": {
			pathsCommand{Show: "transitions", Order: 2, Format: formatCSV}, textbook,
			"from,to,probability\n(start),Fair,0.3333333333333333\n(start),Fair > Mail,0.3333333333333333\n" +
				"(start),Mail > Call,0.3333333333333333\nFair,(null),1\nFair > Mail,Mail > Call,1\n" +
				"Mail > Call,(conversion),0.5\nMail > Call,(null),0.5\n",
		},
		"no rows": {pathsCommand{Format: formatCSV}, "path,conversions\n", "model,channel,conversions,value\n"},
		"no conversions": {
			pathsCommand{Models: "markov,position", MaxSteps: "auto", Format: formatCSV}, "path,conversions,nulls\na,0,3\n",
			"model,channel,conversions,value\nmarkov,a,0,0\nposition,a,0,0\n",
		},
		"no rows, transitions": {pathsCommand{Show: "transitions", Format: formatCSV}, "path,conversions\n", "from,to,probability\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := pathsOutput(t, tt.command, tt.file); err != nil || got != tt.want {
				t.Errorf("got\n%s%v, want\n%s", got, err, tt.want)
			}
		})
	}
}

func TestPathsErrors(t *testing.T) {
	for want, c := range map[string]pathsCommand{
		"--order is -1; it must be from 1 to 4":                            {Order: -1},
		"--order is 5; it must be from 1 to 4":                             {Order: 5},
		`--max-steps is "x"; it must be 0, auto or a whole number above`:   {MaxSteps: "x"},
		`--max-steps is "-1"; it must be 0, auto or a whole number above`:  {MaxSteps: "-1"},
		`--max-steps is "1.5"; it must be 0, auto or a whole number above`: {MaxSteps: "1.5"},
		"markov: order 1: no walk converts within 2 steps; allow more":     {MaxSteps: "2"},
		"markov: order 2: no walk converts within 1 steps; allow more":     {Show: "removal", Order: 2, MaxSteps: "1"},
		"time_decay: the paths have no hours; it needs those of each touch before the journey's end, in a column hours": {
			Models: "first,time_decay",
		},
	} {
		if got, err := pathsOutput(t, c, textbook); err == nil || err.Error() != want || got != "" {
			t.Errorf("%+v: %q, %v, want %s", c, got, err, want)
		}
	}
}

// A journey of ten thousand touches and a thousand channels are nothing special; all models take them, and the numbers
// are the same bytes on one core.
func TestPathsOfManyTouchesAndChannels(t *testing.T) {
	var file strings.Builder
	file.WriteString("path,conversions,value,nulls,hours\n")
	names := make([]string, 10_000)
	hours := make([]string, len(names))
	for i := range names {
		names[i] = fmt.Sprintf("c%03d", i*i%997%1000)
		hours[i] = strconv.Itoa(len(names) - i)
	}
	fmt.Fprintf(&file, "%s,1,99.5,2,%s\n", strings.Join(names, " > "), strings.Join(hours, " > "))
	for i := range 1000 {
		fmt.Fprintf(&file, "c%03d > c%03d,%d,%d,1,8.5 > 0\n", i, i*7%1000, i%3, i%3*2)
	}
	c := pathsCommand{Models: modelNames() + ",time_decay", MaxSteps: "50", Format: formatCSV}
	got, err := pathsOutput(t, c, file.String())
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.GOMAXPROCS(1)
	again, err := pathsOutput(t, c, file.String())
	runtime.GOMAXPROCS(before)
	if err != nil || again != got {
		t.Errorf("on one core other numbers, %v", err)
	}
	records, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]float64{}
	for _, r := range records[1:] {
		x, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		sums[r[0]] += x
	}
	for model, sum := range sums {
		if math.Abs(sum-1000) > 1e-6 {
			t.Errorf("%s credits %v of 1000 conversions", model, sum)
		}
	}
	if len(sums) != 8 || len(records) != 1+8*1000 {
		t.Errorf("%d models, %d lines", len(sums), len(records))
	}
}
