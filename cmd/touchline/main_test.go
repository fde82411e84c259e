package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/store/embedded"
	"github.com/touchline-hq/touchline/store/storetest"
)

// runAsTouchline makes the test binary behave like the program, for tests that need it as a process.
const runAsTouchline = "TOUCHLINE_TEST_RUN"

func TestMain(m *testing.M) {
	embedded.RunIfChild()
	if os.Getenv(runAsTouchline) != "" {
		os.Exit(run(os.Args[1:]))
	}
	if library, err := storetest.Library(); err == nil { // else the tests that need it say so
		_ = os.Setenv("TOUCHLINE_ENGINE_LIB", library)
	}
	os.Exit(m.Run())
}

// withServer runs an instance of its own on a free port, calls f beside it, and ends it.
func withServer(t *testing.T, configuration string, f func(context.Context, *server)) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "touchline.yaml")
	configuration = fmt.Sprintf("data: %q\ncollector: { listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\" }\n", dir) + configuration
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	err = serve(ctx, &globals{stderr: &log}, cfg, func(ctx context.Context, s *server) error {
		defer cancel()
		f(ctx, s)
		return nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
}

// post sends messages as one batch and expects every one to be taken.
func (s *server) post(t *testing.T, writeKey string, messages []map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"batch": messages, "writeKey": writeKey, "sentAt": time.Now().UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post("http://"+s.listener.Addr().String()+"/v1/batch", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || strings.TrimSpace(string(answer)) != `{"success":true}` {
		t.Fatalf("answer %d %s, error %v", response.StatusCode, answer, err)
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
