package spool

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// op is an operation of memFS that a test can make fail.
type op string

const (
	opOpen     op = "open"
	opCreate   op = "create"
	opRead     op = "read"
	opWrite    op = "write"
	opTruncate op = "truncate"
	opSync     op = "sync"
	opRemove   op = "remove"
	opSyncDir  op = "syncdir"
)

// memFS is a file system that knows what a loss of power would leave of it, and that fails on demand.
type memFS struct {
	mu      sync.Mutex
	files   map[string]*inode
	durable map[string]*inode // the directory entries as last synced
	syncs   int
	fault   func(op, string) error // nil: nothing fails; a failing write writes half, a failing sync writes nothing
}

// inode is a file: what is durable of it, and the changes since then in order.
type inode struct {
	live     []byte
	durable  []byte
	unsynced []change
}

// change is bytes written at an offset, or a truncation to it when there are none.
type change struct {
	bytes  []byte
	offset int64
}

func (c change) apply(b []byte) []byte {
	if c.bytes == nil {
		return slices.Clip(b[:min(int(c.offset), len(b))])
	}
	if need := int(c.offset) + len(c.bytes) - len(b); need > 0 {
		b = append(b, make([]byte, need)...)
	}
	copy(b[c.offset:], c.bytes)
	return b
}

func newMemFS() *memFS {
	return &memFS{files: map[string]*inode{}, durable: map[string]*inode{}}
}

// setFault makes operations fail for which fault returns an error; nil ends that.
func (m *memFS) setFault(fault func(op, string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = fault
}

// failing returns the error that an operation is to fail with. It needs mu.
func (m *memFS) failing(o op, name string) error {
	if m.fault == nil {
		return nil
	}
	return m.fault(o, filepath.Base(name))
}

// killed returns the file system as another process finds it after this one was killed.
func (m *memFS) killed() *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := newMemFS()
	for name, node := range m.files {
		copied := &inode{
			live:     bytes.Clone(node.live),
			durable:  bytes.Clone(node.durable),
			unsynced: slices.Clone(node.unsynced),
		}
		after.files[name] = copied
		if m.durable[name] == node {
			after.durable[name] = copied
		}
	}
	return after
}

// powerLost returns the file system after a loss of power. Of the changes to each file that were not synced, keep says
// how many the disk has got to all the same, and how many bytes of the one after them.
func (m *memFS) powerLost(keep func(name string, changes []change) (whole, part int)) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := newMemFS()
	names := make([]string, 0, len(m.durable))
	for name := range m.durable {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		node := m.durable[name]
		content := bytes.Clone(node.durable)
		whole, part := keep(name, node.unsynced)
		for i, c := range node.unsynced {
			if i == whole && c.bytes != nil {
				c.bytes = c.bytes[:part]
			} else if i >= whole {
				break
			}
			content = c.apply(content)
			if i == whole {
				break
			}
		}
		found := &inode{live: bytes.Clone(content), durable: content}
		after.files[name], after.durable[name] = found, found
	}
	return after
}

func (m *memFS) MkdirAll(string) error { return nil }

func (m *memFS) ReadDir(string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.files {
		names = append(names, filepath.Base(name))
	}
	return names, nil
}

func (m *memFS) OpenFile(name string, flag int) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := opOpen
	if flag&os.O_CREATE != 0 {
		o = opCreate
	}
	if err := m.failing(o, name); err != nil {
		return nil, err
	}
	node, ok := m.files[name]
	if !ok && o == opOpen {
		return nil, os.ErrNotExist
	}
	if !ok {
		node = &inode{}
		m.files[name] = node
	}
	if flag&os.O_TRUNC != 0 {
		node.change(change{})
	}
	return &memFile{fs: m, name: name, node: node}, nil
}

func (m *memFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failing(opRemove, name); err != nil {
		return err
	}
	if _, ok := m.files[name]; !ok {
		return os.ErrNotExist
	}
	delete(m.files, name)
	return nil
}

func (m *memFS) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failing(opSyncDir, dir); err != nil {
		return err
	}
	m.durable = map[string]*inode{}
	for name, node := range m.files {
		m.durable[name] = node
	}
	return nil
}

func (n *inode) change(c change) {
	n.live = c.apply(n.live)
	n.unsynced = append(n.unsynced, c)
}

type memFile struct {
	fs   *memFS
	name string
	node *inode
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.failing(opRead, f.name); err != nil {
		return 0, err
	}
	if off >= int64(len(f.node.live)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.live[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.fs.failing(opWrite, f.name)
	if err != nil {
		p = p[:len(p)/2]
	}
	if len(p) > 0 {
		f.node.change(change{bytes.Clone(p), off})
	}
	return len(p), err
}

func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.failing(opTruncate, f.name); err != nil {
		return err
	}
	f.node.change(change{offset: size})
	return nil
}

func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.syncs++
	if err := f.fs.failing(opSync, f.name); err != nil {
		// As on Linux: the pages count as clean, the disk has never got them.
		f.node.unsynced = nil
		return err
	}
	for _, c := range f.node.unsynced {
		f.node.durable = c.apply(f.node.durable)
	}
	f.node.unsynced = nil
	return nil
}

func (f *memFile) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return int64(len(f.node.live)), nil
}

func (f *memFile) Close() error { return nil }

// failOn returns a fault for some operations on files whose name ends in suffix.
func failOn(suffix string, ops ...op) func(op, string) error {
	return func(o op, name string) error {
		if slices.Contains(ops, o) && (suffix == "" || filepath.Ext(name) == suffix || name == suffix) {
			return syscall.ENOSPC
		}
		return nil
	}
}
