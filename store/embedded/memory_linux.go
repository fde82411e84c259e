package embedded

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// physicalMemory is the machine's, in bytes.
func physicalMemory() (uint64, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, fmt.Errorf("size of memory: %w", err)
	}
	return uint64(info.Totalram) * uint64(info.Unit), nil //nolint:unconvert // 32 bits wide on some machines
}
