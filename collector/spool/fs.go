package spool

import (
	"io"
	"os"
)

// FS is what the spool needs of a file system. Names are paths as the os package takes them.
type FS interface {
	MkdirAll(dir string) error
	ReadDir(dir string) (names []string, err error)
	// OpenFile takes the flags of os.OpenFile.
	OpenFile(name string, flag int) (File, error)
	Remove(name string) error
	// SyncDir makes the entries of dir durable: what was created in it and what was removed.
	SyncDir(dir string) error
}

// File is an open file of an FS.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	// Sync makes all that was written durable. After an error nothing is known of what was written since the last
	// success, and a later success says nothing about it.
	Sync() error
}

// osFS is the operating system's file system. Only the owner may read what it creates: records hold personal data.
type osFS struct{}

var _ FS = osFS{}

func (osFS) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

func (osFS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, err
}

func (osFS) OpenFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) Remove(name string) error { return os.Remove(name) }

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
