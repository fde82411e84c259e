// Package datadir guards the data directory: one process holds it at a time, and leaves a note there by which others
// find it.
package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	lockFile     = "lock"
	instanceFile = "instance.json"
)

// Lock is a data directory held. The kernel lets go of it when the process ends, however it ends.
type Lock struct {
	dir  string
	file *os.File
}

// Instance is what the holder of a data directory tells others of itself.
type Instance struct {
	PID     int       `json:"pid"`
	Addr    string    `json:"addr"`  // host:port of the engine's native protocol; "" when the instance uses a server
	Admin   string    `json:"admin"` // host:port of the admin listener; "" without one
	Started time.Time `json:"started"`
	Config  string    `json:"config"` // path of the configuration file as it was given; "" without one
}

// HeldError says that another process holds a directory.
type HeldError struct {
	Dir string
	PID string // of the process, or a word for that it is unknown
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("data directory %s is in use by process %s: stop it or choose another with --data", e.Dir, e.PID)
}

// Acquire takes hold of dir, which it creates if need be. The error is a *HeldError when another process has it.
func Acquire(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := lock(file); err != nil {
		holder := readPID(file)
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &HeldError{dir, holder}
		}
		return nil, fmt.Errorf("data directory %s: lock: %w", dir, err)
	}
	l := &Lock{dir: dir, file: file}
	if err := l.announce(); err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %s: %w", dir, err), l.Release())
	}
	return l, nil
}

// lock tries for a fifth of a second, because FindInstance holds the lock for the moment in which it looks.
func lock(file *os.File) error {
	for try := 0; ; try++ {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || try == 10 {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// announce puts our process id into the lock file and removes the note of a holder that was killed.
func (l *Lock) announce() error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	if _, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return err
	}
	return l.forget()
}

func (l *Lock) forget() error {
	err := os.Remove(filepath.Join(l.dir, instanceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// WriteInstance leaves the note by which FindInstance finds this process.
func (l *Lock) WriteInstance(instance Instance) error {
	note, err := json.MarshalIndent(instance, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(l.dir, instanceFile), append(note, '\n'))
}

// Release removes the note and lets go of the directory.
func (l *Lock) Release() error {
	return errors.Join(l.forget(), l.file.Close())
}

// FindInstance tells whether a live process holds dir, and which. One that is still starting has only its PID set.
func FindInstance(dir string) (instance Instance, running bool, err error) {
	file, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Instance{}, false, nil
	}
	if err != nil {
		return Instance{}, false, fmt.Errorf("data directory: %w", err)
	}
	defer func() { _ = file.Close() }()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		return Instance{}, false, nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return Instance{}, false, fmt.Errorf("data directory %s: lock: %w", dir, err)
	}
	note, err := os.ReadFile(filepath.Join(dir, instanceFile))
	if errors.Is(err, fs.ErrNotExist) {
		pid, _ := strconv.Atoi(readPID(file)) // 0 when the holder has not written it yet
		return Instance{PID: pid}, true, nil
	}
	if err != nil {
		return Instance{}, true, fmt.Errorf("data directory: %w", err)
	}
	if err := json.Unmarshal(note, &instance); err != nil {
		return Instance{}, true, fmt.Errorf("data directory %s: %s: %w", dir, instanceFile, err)
	}
	return instance, true, nil
}

// WriteFile puts data into path, mode 0600, in one step: whoever reads it meanwhile sees the old content or the new.
func WriteFile(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

func readPID(file io.ReaderAt) string {
	buf := make([]byte, 20)
	n, _ := file.ReadAt(buf, 0)
	if n == 0 {
		return "unknown"
	}
	return strings.TrimSpace(string(buf[:n]))
}
