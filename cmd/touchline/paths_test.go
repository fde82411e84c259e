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

	"github.com/alecthomas/kong"

	"github.com/touchline-hq/touchline/attribution/model"
)

// pathsOutput runs the command with these arguments, separated by spaces, on a file with this text.
func pathsOutput(t *testing.T, args, file string) (string, error) {
	t.Helper()
	var c pathsCommand
	parser, err := kong.New(&c, kong.Vars{"models": modelNames(model.Plain())}, kong.Exit(func(int) { t.Fatal("exit") }))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "paths.csv")
	writeFile(t, name, file)
	if _, err := parser.Parse(append(strings.Fields(args), name)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = c.write(&out)
	return out.String(), err
}

const textbook = "path,conversions,value,nulls\nFair > Mail > Call,1,20,0\nFair,0,0,1\nMail > Call,0,0,1\n"

func TestPathsOutputs(t *testing.T) {
	for name, tt := range map[string]struct {
		args, file, want string
	}{
		"markov": {
			"--models=markov --format=csv", textbook,
			"model,channel,conversions,value\nmarkov,Call,0.4,8\nmarkov,Mail,0.4,8\nmarkov,Fair,0.2,4\n",
		},
		"within the steps of the longest path": {
			"--models=markov --max-steps=auto --format=csv", textbook,
			"model,channel,conversions,value\nmarkov,Call,0.4,8\nmarkov,Mail,0.4,8\nmarkov,Fair,0.2,4\n",
		},
		"within three steps": { // only Mail > Call is short enough
			"--models=markov,last --max-steps=3 --format=csv", textbook,
			"model,channel,conversions,value\nmarkov,Call,0.5,10\nmarkov,Mail,0.5,10\nmarkov,Fair,0,0\n" +
				"last,Call,1,20\nlast,Fair,0,0\nlast,Mail,0,0\n",
		},
		"time decay": {
			"--models=time_decay --format=csv", "path,conversions,hours\na > b,3,168 > 0\n",
			"model,channel,conversions,value\ntime_decay,b,2,0\ntime_decay,a,1,0\n",
		},
		"an hour's half-life": {
			"--models=time_decay --half-life=1h --format=csv", "path,conversions,hours\na > b,3,1 > 0\n",
			"model,channel,conversions,value\ntime_decay,b,2,0\ntime_decay,a,1,0\n",
		},
		"other weights of position": {
			"--models=position --position=62.5/12.5/25 --format=csv", textbook,
			"model,channel,conversions,value\nposition,Fair,0.625,12.5\nposition,Call,0.25,5\nposition,Mail,0.125,2.5\n",
		},
		"without repeats": {
			"--models=linear --transform=exposure --format=csv", "path,conversions,value\na > a > a > b,1,8\na > b,1,2\n",
			"model,channel,conversions,value\nlinear,a,1,5\nlinear,b,1,5\n",
		},
		"without Direct, first of each": {
			"--models=last,time_decay --direct=ignore --transform=first --format=csv",
			"path,conversions,hours\na > b > Direct > a,2,169 > 1 > 0.5 > 0\nDirect > Direct,1,8 > 0\n",
			"model,channel,conversions,value\nlast,b,2,0\nlast,Direct,1,0\nlast,a,0,0\n" +
				"time_decay,b,1.3333333333333333,0\ntime_decay,Direct,1,0\ntime_decay,a,0.6666666666666666,0\n",
		},
		"credit of tagged states is the channel's": { // removal effects of a(2), a(1) and b(1): 1/4, 1/4, 1
			"--models=markov --transform=frequency --format=csv", "path,conversions,value,nulls\na > a > b,1,10,0\na > b,1,20,0\nb,0,0,2\n",
			"model,channel,conversions,value\nmarkov,b,1.3333333333333333,20\nmarkov,a,0.6666666666666666,10\n",
		},
		"removal of tagged states": {
			"--transform=recency --show=removal --format=csv", "path,conversions\na > a > b,1\n",
			"channel,removal_effect,removal_effect_value,p_conversion,p_conversion_without\na(2),1,0,1,0\nb(1),1,0,1,0\n",
		},
		"removal, a table": {
			"--show=removal --format=table", textbook,
			"channel  removal_effect  removal_effect_value  p_conversion  p_conversion_without\n" +
				"Call           1.000000              1.000000      0.333333              0.000000\n" +
				"Mail           1.000000              1.000000      0.333333              0.000000\n" +
				"Fair           0.500000              0.500000      0.333333              0.166667\n",
		},
		"removal, JSON": {
			"--show=removal --format=json", "path,conversions,nulls\n\"a\"\"b,c\",1,3\n",
			"[\n{\"channel\":\"a\\\"b,c\",\"removal_effect\":1,\"removal_effect_value\":0,\"p_conversion\":0.25,\"p_conversion_without\":0}\n]\n",
		},
		"transitions of order 2, CSV": {
			"--show=transitions --order=2 --format=csv", textbook,
			"from,to,probability\n(start),Fair,0.3333333333333333\n(start),Fair > Mail,0.3333333333333333\n" +
				"(start),Mail > Call,0.3333333333333333\nFair,(null),1\nFair > Mail,Mail > Call,1\n" +
				"Mail > Call,(conversion),0.5\nMail > Call,(null),0.5\n",
		},
		"orders, a table": {
			"--show=orders --format=table", "path,conversions,nulls\na,1,3\na > b,3,1\nb > b,0,2\n",
			"order  states       auc  penalized_auc  held_out_log_likelihood  best_by\n" +
				"    1       2  0.625000       0.517857                 0.000000  held_out penalized_auc\n" +
				"    2       3  0.833333       0.000000                 0.000000\n" +
				"    3       3  0.833333       0.000000                 0.000000\n" +
				"    4       3  0.833333       0.000000                 0.000000\n",
		},
		"orders of transformed paths, CSV": { // c > a > c is held out: ln(1/2·1/2·1/6·1/6), and ln(1/2·1/2·1/6·1/4)
			"--show=orders --transform=exposure --format=csv", "path,conversions\nc > a,1\nc > a > c > c,1\n",
			"order,states,auc,penalized_auc,held_out_log_likelihood,best_by\n" +
				"1,2,0.5,0,-4.969813299576,penalized_auc\n2,2,0.5,0,-4.564348191467836,held_out\n" +
				"3,2,0.5,0,-4.564348191467836,\n4,2,0.5,0,-4.564348191467836,\n",
		},
		"the order that auto chooses": {
			"--models=markov --order=auto --format=csv", textbook,
			"model,channel,conversions,value\nmarkov,Call,0.4,8\nmarkov,Mail,0.4,8\nmarkov,Fair,0.2,4\n",
		},
		"no rows": {"--format=csv", "path,conversions\n", "model,channel,conversions,value\n"},
		"no conversions": {
			"--models=markov,position --max-steps=auto --format=csv", "path,conversions,nulls\na,0,3\n",
			"model,channel,conversions,value\nmarkov,a,0,0\nposition,a,0,0\n",
		},
		"no rows, transitions": {"--show=transitions --format=csv", "path,conversions\n", "from,to,probability\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := pathsOutput(t, tt.args, tt.file); err != nil || got != tt.want {
				t.Errorf("got\n%s%v, want\n%s", got, err, tt.want)
			}
		})
	}
}

func TestPathsErrors(t *testing.T) {
	const position = "; it must be three parts of 100 like 40/20/40, not all of it in between"
	for args, want := range map[string]string{
		"--order=-1":                             `--order is "-1"; it must be from 1 to 4, or auto`,
		"--order=5":                              `--order is "5"; it must be from 1 to 4, or auto`,
		"--max-steps=x":                          `--max-steps is "x"; it must be 0, auto or a whole number above`,
		"--max-steps=-1":                         `--max-steps is "-1"; it must be 0, auto or a whole number above`,
		"--max-steps=1.5":                        `--max-steps is "1.5"; it must be 0, auto or a whole number above`,
		"--max-steps=2":                          "markov: order 1: no walk converts within 2 steps; allow more",
		"--show=removal --order=2 --max-steps=1": "markov: order 2: no walk converts within 1 steps; allow more",
		"--models=first,time_decay":              "time_decay: the paths have no hours; it needs those of each touch before the journey's end, in a column hours",
		"--models=first,w_shaped":                "paths does not have the model w_shaped: a file of paths says nothing of milestones",
		"--models=full_path":                     "paths does not have the model full_path: a file of paths says nothing of milestones",
		"--position=40/20":                       `--position is "40/20"` + position,
		"--position=40/20/30":                    `--position is "40/20/30"` + position,
		"--position=0/100/0":                     `--position is "0/100/0"` + position,
		"--position=-10/70/40":                   `--position is "-10/70/40"` + position,
		"--position=NaN/20/40":                   `--position is "NaN/20/40"` + position,
		"--position=a/b/c":                       `--position is "a/b/c"` + position,
		"--half-life=0d":                         `--half-life is "0d"; want a positive duration like 90d or 12h`,
		"--half-life=800000d":                    `--half-life is "800000d"; want a positive duration like 90d or 12h`,
	} {
		if got, err := pathsOutput(t, args, textbook); err == nil || err.Error() != want || got != "" {
			t.Errorf("%s: %q, %v, want %s", args, got, err, want)
		}
	}
}

// What is wrong is refused with its line; what is only odd has a result. None is special to a model or a transform.
func TestPathsOddInput(t *testing.T) {
	const header, credit = "path,conversions,value,nulls\n", "model,channel,conversions,value\n"
	for name, tt := range map[string]struct{ args, file, want, wantErr string }{
		"names with separators and quotes, names that are parts of others, and one in no other path": {
			args: "--models=first,markov", file: "path,conversions\n\"a > \"\"a\"\" > b, a > A > aa > a>b\",2\nunknown,1\n",
			want: credit + "first,a,2,0\nfirst,unknown,1,0\n" +
				"first,\"\"\"a\"\"\",0,0\nfirst,A,0,0\nfirst,a>b,0,0\nfirst,aa,0,0\nfirst,\"b, a\",0,0\n" +
				// Removal effects are 2/3, six times, and 1/3.
				"markov,\"\"\"a\"\"\",0.46153846153846156,0\nmarkov,A,0.46153846153846156,0\nmarkov,a,0.46153846153846156,0\n" +
				"markov,a>b,0.46153846153846156,0\nmarkov,aa,0.46153846153846156,0\nmarkov,\"b, a\",0.46153846153846156,0\n" +
				"markov,unknown,0.23076923076923078,0\n",
		},
		"an empty file":            {wantErr: ":1:1: the file is empty; it needs a header line with at least path and conversions"},
		"an empty path":            {file: header + "a,1,1,0\n,1,2,0\n", wantErr: `:3:1: path "": channel 1 is empty`},
		"an empty channel":         {file: header + "a >  > b,1,2,0\n", wantErr: `:2:1: path "a >  > b": channel 2 is empty`},
		"negative conversions":     {file: header + "a,-1,0,3\n", wantErr: ":2:3: conversions is -1; it cannot be negative"},
		"a negative value":         {file: header + "a,1,-3,3\n", wantErr: ":2:5: value is -3; it cannot be negative"},
		"negative nulls":           {file: header + "a,1,3,-3\n", wantErr: ":2:7: nulls is -3; it cannot be negative"},
		"a missing value":          {file: header + "a,1,,3\n", wantErr: `:2:5: value is "", not a number`},
		"missing columns":          {file: header + "a,1\n", wantErr: ":2:1: the line has 2 fields, the header has 4"},
		"value without conversion": {file: header + "a,0,2,1\n", wantErr: ":2:5: value is 2 without a conversion; only conversions have a value"},
		"no conversions": {
			args: "--models=last,shapley", file: header + "a > b,0,0,3\nb,0,0,1\n",
			want: credit + "last,a,0,0\nlast,b,0,0\nshapley,a,0,0\nshapley,b,0,0\n",
		},
		"a chain with no way to convert": {
			args: "--models=markov --order=2", file: header + "a > b,0,0,3\nb,0,0,1\n", want: credit + "markov,a,0,0\nmarkov,b,0,0\n",
		},
		"its removal effects": {
			args: "--show=removal", file: header + "a > b,0,0,3\nb,0,0,1\n",
			want: "channel,removal_effect,removal_effect_value,p_conversion,p_conversion_without\na,0,0,0,0\nb,0,0,0,0\n",
		},
		"no nulls, and nothing of value": {
			args: "--models=markov --max-steps=auto", file: header + "a > b,2,0,0\n", want: credit + "markov,a,1,0\nmarkov,b,1,0\n",
		},
		"a conversion in a million that has no way but one": {
			args: "--models=markov", file: header + "a > b,0,0,999999\nc,1,5,0\n", want: credit + "markov,c,1,5\nmarkov,a,0,0\nmarkov,b,0,0\n",
		},
		"Direct only, ignored": {
			args: "--models=last_non_direct --direct=ignore", file: header + "Direct > Direct,1,5,0\n", want: credit + "last_non_direct,Direct,1,5\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pathsOutput(t, tt.args+" --format=csv", tt.file)
			if tt.wantErr != "" {
				if err == nil || !strings.HasSuffix(err.Error(), "paths.csv"+tt.wantErr) || got != "" {
					t.Errorf("%q, %v, want the error %s", got, err, tt.wantErr)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got\n%s%v, want\n%s", got, err, tt.want)
			}
		})
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
	for args, models := range map[string]int{
		"--max-steps=50 --models=time_decay," + modelNames(model.Plain()): 8,
		"--order=4 --transform=exposure --models=markov,time_decay":       2,
		"--order=auto --transform=recency --models=markov,linear":         2,
	} {
		t.Run(args, func(t *testing.T) { checkManyChannels(t, args+" --format=csv", file.String(), models) })
	}
}

func checkManyChannels(t *testing.T, args, file string, models int) {
	got, err := pathsOutput(t, args, file)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.GOMAXPROCS(1)
	again, err := pathsOutput(t, args, file)
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
	if len(sums) != models || len(records) != 1+models*1000 {
		t.Errorf("%d models, %d lines", len(sums), len(records))
	}
}
