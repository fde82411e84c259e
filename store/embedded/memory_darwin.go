package embedded

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// physicalMemory is the machine's, in bytes.
func physicalMemory() (uint64, error) {
	size, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0, fmt.Errorf("size of memory: %w", err)
	}
	return size, nil
}
