package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchline-hq/touchline/bench/instance"
)

// The smallest run of all finds that all credit adds up, in each of its rows, and prints its figures.
func TestMeasure(t *testing.T) {
	result, err := measure(t.Context(), options{program: instance.Build(t).Path, journeys: 300, runs: 2})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := result.print(&out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	if lines := strings.Count(out.String(), "\n"); lines != 3+1+len(rows())+1 {
		t.Errorf("prints %d lines: %s", lines, out.String())
	}
	for _, r := range result.rows {
		if r.wall <= 0 || r.peak <= 0 {
			t.Errorf("%s: nothing measured", r.name)
		}
	}
}

func TestGenerateTheSameAgain(t *testing.T) {
	var texts []string
	for _, name := range []string{"a", "b"} {
		path := filepath.Join(t.TempDir(), name)
		if _, err := generate(path, 12, 100); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] || strings.Count(texts[0], "\n") != 101 {
		t.Errorf("%q and %q", texts[0], texts[1])
	}
}

func TestCheckFindsWhatIsMissing(t *testing.T) {
	const credit = "model,channel,conversions,value\nlast,a,1,5\nlast,b,1,2\n"
	if err := check(strings.NewReader(credit), &file{conversions: 2, value: 7}); err != nil {
		t.Error(err)
	}
	for _, f := range []*file{{conversions: 3, value: 7}, {conversions: 2, value: 7.1}} {
		if err := check(strings.NewReader(credit), f); err == nil {
			t.Errorf("%+v passes", f)
		}
	}
}
