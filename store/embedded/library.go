package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
)

// libraryEnv names the engine library's file, wherever it is.
const libraryEnv = "TOUCHLINE_ENGINE_LIB"

// libraryNames are what the engine's packages call the library; some of those for macOS keep the name it has on Linux.
func libraryNames() []string {
	if runtime.GOOS == "darwin" {
		return []string{"libchdb.dylib", "libchdb.so"}
	}
	return []string{"libchdb.so"}
}

// findLibrary returns the file that is named, by option or environment, or else the one beside the executable.
func findLibrary(named string) (string, error) {
	if named == "" {
		named = os.Getenv(libraryEnv)
	}
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("engine library: %w: run `make build`, or set clickhouse.dsn to use a server", err)
		}
		return filepath.Abs(named)
	}
	executable, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("engine library: %w", err)
	}
	return FindLibraryIn(filepath.Dir(executable))
}

// FindLibraryIn returns the engine library in a folder. The error says what to do when there is none.
func FindLibraryIn(dir string) (string, error) {
	names := libraryNames()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("engine library: %w", err)
		}
	}
	return "", fmt.Errorf("engine library %s not found in %s: run `make build`, or set clickhouse.dsn to use a server", names[0], dir)
}

// logChecksum says which library runs. It reads half a gigabyte, so nobody waits for it.
func logChecksum(ctx context.Context, log *slog.Logger, library string) {
	file, err := os.Open(library)
	if err != nil {
		log.Warn("engine library has no checksum", "error", err)
		return
	}
	defer context.AfterFunc(ctx, func() { _ = file.Close() })() // stops the reading
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		if ctx.Err() == nil {
			log.Warn("engine library has no checksum", "error", err)
		}
		return
	}
	log.Info("engine library", "file", library, "sha256", hex.EncodeToString(hash.Sum(nil)))
}
