package instance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/touchline-hq/touchline/store/storetest"
)

// Build makes the program from the sources, so that it is never an old one that is tested. It is there for as long as
// the test runs.
func Build(t testing.TB) Program {
	t.Helper()
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "touchline")
	// As make builds it, so that all is compiled already; linking without tables for debuggers takes half the time.
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "github.com/touchline-hq/touchline/cmd/touchline")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return Program{Path: program, Env: []string{"TOUCHLINE_ENGINE_LIB=" + library}}
}
