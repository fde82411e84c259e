// Package storetest gives tests a real ClickHouse: one embedded engine for each test binary, started when the first
// test asks for it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/touchline-hq/touchline/store"
	"github.com/touchline-hq/touchline/store/embedded"
)

// memoryLimit is generous for tests and small enough for several test binaries at a time.
const memoryLimit = 2 << 30

var (
	dir   string
	start = sync.OnceValues(startEngine)
)

// Main is TestMain: func TestMain(m *testing.M) { storetest.Main(m) }.
func Main(m *testing.M) {
	embedded.RunIfChild()
	code := m.Run()
	if dir != "" {
		if err := stopEngine(); err != nil {
			fmt.Fprintln(os.Stderr, "storetest:", err)
			code = 1
		}
	}
	os.Exit(code) //nolint:revive // deep-exit: this is TestMain
}

func startEngine() (*embedded.Engine, error) {
	var err error
	if dir, err = os.MkdirTemp("", "touchline-test-"); err != nil {
		return nil, err
	}
	library, err := Library()
	if err != nil {
		return nil, err
	}
	return embedded.Start(context.Background(), embedded.Options{Dir: dir, MemoryLimit: memoryLimit, Library: library})
}

func stopEngine() error {
	engine, err := start()
	if err == nil {
		err = engine.Stop(context.Background())
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// Library is the engine library that `make build` installs in bin, which is not beside a test binary.
func Library() (string, error) {
	if named := os.Getenv("TOUCHLINE_ENGINE_LIB"); named != "" {
		return named, nil
	}
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return embedded.FindLibraryIn(filepath.Join(root, "bin"))
		}
		if root == filepath.Dir(root) {
			return "", errors.New("engine library: the test runs outside the repository")
		}
		root = filepath.Dir(root)
	}
}

// Engine is the test binary's engine.
func Engine(t testing.TB) *embedded.Engine {
	t.Helper()
	engine, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// Open returns the engine's database, migrated. All tests of a binary share it: a test keeps to projects of its own.
func Open(t testing.TB) *store.DB {
	t.Helper()
	engine := Engine(t)
	db, err := store.Open(t.Context(), store.EngineTarget(engine.Addr(), engine.Product(), engine.Analyst()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}
