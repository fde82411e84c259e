package main

import (
	"slices"
	"testing"
)

func TestProtectComments(t *testing.T) {
	got := protectComments([]string{"sql", "--format", "csv", "-- what?\nSELECT 1", "--", "-"})
	want := []string{"sql", "--format", "csv", "\n-- what?\nSELECT 1", "--", "-"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
