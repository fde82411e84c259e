package spool

import (
	"errors"
	"os"
	"syscall"
)

// Sync leaves out what is not needed to read the file again, such as the time of its last change: that alone would
// make the file system write its journal each time.
func (f osFile) Sync() error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
