package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc, on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Usage is what a process has used since it began.
type Usage struct {
	CPU  time.Duration // user and system, in steps of 10 ms
	Peak int64         // bytes of resident memory at the highest
}

// Since is the usage after an earlier reading of the same process. The peak stays that of the whole of its life.
func (u Usage) Since(earlier Usage) Usage {
	return Usage{CPU: u.CPU - earlier.CPU, Peak: u.Peak}
}

// Plus adds the usage of another stretch of the same process.
func (u Usage) Plus(other Usage) Usage {
	return Usage{CPU: u.CPU + other.CPU, Peak: max(u.Peak, other.Peak)}
}

// ReadUsage reads what a process has used. It needs Linux.
func ReadUsage(pid int) (Usage, error) {
	stat, err := readStat(pid)
	if err != nil {
		return Usage{}, err
	}
	peak, err := readPeak(pid)
	return Usage{CPU: time.Duration(stat.user+stat.system) * tick, Peak: peak}, err
}

// stat is what we need of /proc/PID/stat.
type stat struct{ parent, user, system int64 }

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("what a process uses is read from /proc, which only Linux has: %w", err)
	}
	// The second field is the program's name in parentheses, which may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return stat{}, fmt.Errorf("/proc/%d/stat: has %d fields after the name, want 13 or more", pid, len(fields))
	}
	var numbers [3]int64
	for i, field := range [...]int{1, 11, 12} {
		if numbers[i], err = strconv.ParseInt(fields[field], 10, 64); err != nil {
			return stat{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	return stat{numbers[0], numbers[1], numbers[2]}, nil
}

func readPeak(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kilobytes, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/%d/status: VmHWM: %w", pid, err)
	}
	return kilobytes << 10, nil
}

// ChildOf is the only child of a process: the engine of one that runs it.
func ChildOf(parent int) (int, error) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var children []int
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if s, err := readStat(pid); err == nil && s.parent == int64(parent) {
			children = append(children, pid)
		}
	}
	if len(children) != 1 {
		return 0, fmt.Errorf("process %d has children %v, want one, the engine", parent, children)
	}
	return children[0], nil
}
