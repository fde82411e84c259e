package embedded

import (
	"bufio"
	"bytes"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// minMemory is what the engine starts with and does small work in.
const minMemory = 512 << 20

// defaultMemory is half of what this process may use: the collector, the page cache and other programs get the rest.
func defaultMemory(physical uint64, root fs.FS) uint64 {
	if limit, ok := cgroupLimit(root); ok {
		physical = min(physical, limit)
	}
	return max(physical/2, minMemory)
}

// cgroupLimit is the smallest memory limit of our control group and those above it, version 1 or 2. A container sees
// its own group as the root of the tree, by another path than the one in proc: groups that are not there do not count.
func cgroupLimit(root fs.FS) (limit uint64, ok bool) {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	lines := bufio.NewScanner(bytes.NewReader(groups))
	for lines.Scan() {
		fields := strings.SplitN(lines.Text(), ":", 3) // hierarchy, controllers, path
		if len(fields) != 3 {
			continue
		}
		var mount, file string
		switch fields[1] {
		case "":
			mount, file = "sys/fs/cgroup", "memory.max"
		case "memory":
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for group := path.Join("/", fields[2]); ; group = path.Dir(group) {
			text, err := fs.ReadFile(root, path.Join(mount, group, file))
			if n, parseErr := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && parseErr == nil { // else "max"
				if !ok || n < limit {
					limit, ok = n, true
				}
			}
			if group == "/" {
				break
			}
		}
	}
	return limit, ok
}
