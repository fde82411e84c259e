package datadir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/touchline-hq/touchline/store/datadir"
)

func acquire(t *testing.T, dir string) *datadir.Lock {
	t.Helper()
	lock, err := datadir.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func find(t *testing.T, dir string) (datadir.Instance, bool) {
	t.Helper()
	instance, running, err := datadir.FindInstance(dir)
	if err != nil {
		t.Fatal(err)
	}
	return instance, running
}

func TestAcquireRefusesASecondHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	lock := acquire(t, dir)

	_, err := datadir.Acquire(dir)
	want := fmt.Sprintf("data directory %s is in use by process %d: stop it or choose another with --data", dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("second Acquire: %v, want %q", err, want)
	}

	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	again := acquire(t, dir)
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

func TestAcquireSaysWhatIsWrongWithTheDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.Acquire(file); err == nil || !strings.Contains(err.Error(), "data directory: ") || !strings.Contains(err.Error(), file) {
		t.Errorf("Acquire of a file: %v, want an error that names it", err)
	}
}

func TestFindInstance(t *testing.T) {
	dir := t.TempDir()
	if got, running := find(t, dir); running || got != (datadir.Instance{}) {
		t.Errorf("nobody was ever here: %+v, running %t", got, running)
	}

	lock := acquire(t, dir)
	if got, running := find(t, dir); !running || got != (datadir.Instance{PID: os.Getpid()}) {
		t.Errorf("held, note not written: %+v, running %t", got, running)
	}

	want := datadir.Instance{PID: os.Getpid(), Addr: "127.0.0.1:9", Started: time.UnixMilli(1_700_000_000_000).UTC(), Config: "a.yaml"}
	if err := lock.WriteInstance(want); err != nil {
		t.Fatal(err)
	}
	if got, running := find(t, dir); !running || got != want {
		t.Errorf("held: %+v, running %t, want %+v", got, running, want)
	}
	info, err := os.Stat(filepath.Join(dir, "instance.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("instance.json: %v, %v, want mode 0600", info, err)
	}

	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if got, running := find(t, dir); running || got != (datadir.Instance{}) {
		t.Errorf("released: %+v, running %t", got, running)
	}
}

func TestTheNoteOfAKilledHolderIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	note := `{"pid":1,"addr":"127.0.0.1:9"}`
	if err := os.WriteFile(filepath.Join(dir, "instance.json"), []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lock"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, running := find(t, dir); running {
		t.Errorf("nobody holds the lock: %+v, running", got)
	}
	lock := acquire(t, dir)
	defer func() { _ = lock.Release() }()
	if got, running := find(t, dir); !running || got != (datadir.Instance{PID: os.Getpid()}) {
		t.Errorf("after a new Acquire: %+v, running %t, want nothing of the old note", got, running)
	}
}

func TestFindInstanceRefusesADamagedNote(t *testing.T) {
	dir := t.TempDir()
	lock := acquire(t, dir)
	defer func() { _ = lock.Release() }()
	if err := os.WriteFile(filepath.Join(dir, "instance.json"), []byte(`{"pid":`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := datadir.FindInstance(dir)
	if err == nil || !strings.HasPrefix(err.Error(), "data directory "+dir+": instance.json: ") {
		t.Errorf("FindInstance: %v", err)
	}
}

func TestWriteFileReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, content := range []string{"long content", "short"} {
		if err := datadir.WriteFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%q, %v, want %q", got, err, content)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("directory holds %v, %v, want the file alone", left, err)
	}
}
