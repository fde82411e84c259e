package run

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0.00", 0.456: "0.46", -3: "-3.00", 12.34: "12.3", 100: "100", 999.6: "1,000", -123: "-123",
		123456.7: "123,457", -1234567: "-1,234,567",
	} {
		if got := Number(x); got != want {
			t.Errorf("Number(%v) = %q, want %q", x, got, want)
		}
	}
}

func TestUnits(t *testing.T) {
	got := []string{Seconds(1500 * time.Millisecond), Millis(1500 * time.Microsecond), Micros(time.Second, 1000), Megabytes(12_340_000), Number(Rate(10, 4*time.Second))}
	want := []string{"1.50", "1.50", "1,000", "12.3", "2.50"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("figure %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	if err := Table(&out, []string{"what", "µs", "n"}, []string{"sync", "1,234", "5"}, []string{"ø", "2", ""}); err != nil {
		t.Fatal(err)
	}
	want := "  what     µs  n\n  sync  1,234  5\n  ø         2   \n\n"
	if out.String() != want {
		t.Errorf("prints %q, want %q", out.String(), want)
	}
}

// What a child burns is the child's, and it is found as the only one.
func TestUsage(t *testing.T) {
	cmd := exec.Command("sh", "-c", "while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}()
	if pid, err := ChildOf(os.Getpid()); err != nil || pid != cmd.Process.Pid {
		t.Errorf("child is %d, %v; want %d", pid, err, cmd.Process.Pid)
	}
	var first Usage
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(poll) {
		usage, err := ReadUsage(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if first == (Usage{}) {
			first = usage
		}
		if since := usage.Since(first); since.CPU > 0 && since.Peak > 100<<10 && since.Peak < 1<<30 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a process that does nothing but count has used %+v", usage)
		}
	}
	sum := Usage{time.Second, 5}.Plus(Usage{time.Minute, 3})
	if want := (Usage{61 * time.Second, 5}); sum != want {
		t.Errorf("sum is %+v, want %+v", sum, want)
	}
	if usage, err := ReadUsage(1 << 30); err == nil {
		t.Errorf("a process that is not there has used %+v", usage)
	}
}

// A view says its campaign in its address, too.
func TestNewView(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	with, without := 0, 0
	for range 1000 {
		v := NewView(rng)
		if v.URL != site+v.Path+v.Search || (v.Source == "") != (v.Search == "") || v.Title == "" {
			t.Errorf("view %+v", v)
		}
		if v.Source == "" {
			without++
		} else {
			with++
		}
	}
	if with < 400 || without < 400 {
		t.Errorf("%d views with a campaign, %d without; want about as many", with, without)
	}
}
