package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// The smallest run of all reads back what it appends, in each of its ways, and prints its figures.
func TestMeasure(t *testing.T) {
	result, err := measure(t.Context(), 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range result.raw {
		if s.syncs == 0 {
			t.Errorf("%s: nothing was synced", s.name)
		}
	}
	for _, a := range result.appends {
		if a.appends == 0 {
			t.Errorf("%v: nothing was appended", a)
		}
	}
	var out bytes.Buffer
	if err := result.print(&out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	if lines := strings.Count(out.String(), "\n"); lines != 3+5+1+13+1+1 {
		t.Errorf("prints %d lines: %s", lines, out.String())
	}
}
