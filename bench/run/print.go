package run

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Machine says on what, and beside what else, the figures were measured.
func Machine() string {
	load := "unknown"
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) >= 3 {
			load = strings.Join(fields[:3], " ")
		}
	}
	return fmt.Sprintf("%s/%s, %d cores, %s, load average %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), load)
}

// Table prints rows of cells in columns, the first to the left and all others to the right, and an empty line.
func Table(w io.Writer, rows ...[]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	width := 0
	for _, row := range rows {
		width = max(width, len([]rune(row[0])))
	}
	for _, row := range rows {
		row[0] += strings.Repeat(" ", width-len([]rune(row[0])))
		fmt.Fprintln(table, strings.Join(row, "\t")+"\t")
	}
	fmt.Fprintln(table)
	return table.Flush()
}

// Number writes a number with commas between thousands, and with three digits at least.
func Number(x float64) string {
	switch {
	case math.Abs(x) < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case math.Abs(x) < 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Seconds writes a duration in seconds.
func Seconds(d time.Duration) string { return Number(d.Seconds()) }

// Millis writes a duration in milliseconds.
func Millis(d time.Duration) string { return Number(float64(d) / float64(time.Millisecond)) }

// Micros writes what each of n took of a duration, in microseconds.
func Micros(d time.Duration, n float64) string {
	return Number(float64(d) / float64(time.Microsecond) / n)
}

// Megabytes writes bytes as MB of a million.
func Megabytes(bytes int64) string { return Number(float64(bytes) / 1e6) }

// Rate is n in d, per second.
func Rate[N uint64 | int](n N, d time.Duration) float64 { return float64(n) / d.Seconds() }

// Verdict says whether a figure was reached.
func Verdict(reached bool) string {
	if reached {
		return "reached"
	}
	return "missed"
}
