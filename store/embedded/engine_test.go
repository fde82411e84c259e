package embedded_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/touchline-hq/touchline/store/embedded"
	"github.com/touchline-hq/touchline/store/storetest"
)

// parentEnv makes the test binary a program with an engine, for a test to kill.
const parentEnv = "TOUCHLINE_TEST_PARENT"

const memoryLimit = 1 << 30

func TestMain(m *testing.M) {
	embedded.RunIfChild()
	if dir := os.Getenv(parentEnv); dir != "" {
		runParent(dir)
	}
	storetest.Main(m)
}

// runParent starts an engine, says where, and waits to be killed.
func runParent(dir string) {
	engine, err := embedded.Start(context.Background(), embedded.Options{Dir: dir, MemoryLimit: memoryLimit})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(engine.Addr())
	select {}
}

func start(t *testing.T, dir string, log *slog.Logger) *embedded.Engine {
	t.Helper()
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := embedded.Start(t.Context(), embedded.Options{Dir: dir, MemoryLimit: memoryLimit, Library: library, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return engine
}

func connect(t *testing.T, addr string, user embedded.Credentials) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{addr},
		Auth: clickhouse.Auth{Username: user.User, Password: user.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func exec1(t *testing.T, conn driver.Conn, statement string) {
	t.Helper()
	if err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func value[T any](t *testing.T, conn driver.Conn, query string) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// waitUntil asks again and again, for a condition that takes a moment to come.
func waitUntil(t *testing.T, what string, condition func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = condition(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// enginePID is in the file by which the engine holds its directory.
func enginePID(t *testing.T, dir string) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join(dir, "engine", "data", "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "PID: ")
	line, _, _ := strings.Cut(rest, "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("status file %q: %v", status, err)
	}
	return pid
}

func kill(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
}

// logBuffer is a log that tests read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) contains(part string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !strings.Contains(b.text.String(), part) {
		return fmt.Errorf("log has no %q:\n%s", part, b.text.String())
	}
	return nil
}

func TestStartAndStop(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a&b <c> "d' ${e} ä`)
	var log logBuffer
	engine := start(t, dir, slog.New(slog.NewTextHandler(&log, nil)))
	conn := connect(t, engine.Addr(), engine.Product())

	if got := value[string](t, conn, "SELECT timezone()"); got != "UTC" {
		t.Errorf("time zone %q", got)
	}
	settings := map[string]string{}
	rows, err := conn.Query(t.Context(), "SELECT name, value FROM system.server_settings WHERE name IN ('max_server_memory_usage', 'mark_cache_size', 'logger.log', 'path')")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name, v string
		if err := rows.Scan(&name, &v); err != nil {
			t.Fatal(err)
		}
		settings[name] = v
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"max_server_memory_usage": "1073741824",
		"mark_cache_size":         "67108864",
		"logger.log":              filepath.Join(dir, "engine", "server.log"),
		"path":                    filepath.Join(dir, "engine", "data"),
	}
	if fmt.Sprint(settings) != fmt.Sprint(want) {
		t.Errorf("settings %v, want %v", settings, want)
	}
	product, analyst, err := embedded.ReadCredentials(dir)
	if err != nil || product != engine.Product() || analyst != engine.Analyst() {
		t.Errorf("ReadCredentials: %v, %v, %v", product, analyst, err)
	}
	if product.User != "touchline" || analyst.User != "analyst" || len(product.Password) < 26 || product.Password == analyst.Password {
		t.Errorf("users %v, %v", product, analyst)
	}
	for _, secret := range []string{"touchline.password", "analyst.password", "users.xml", "config.xml", "output.log"} {
		if info, err := os.Stat(filepath.Join(dir, "engine", secret)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", secret, info, err)
		}
	}
	waitUntil(t, "checksum", func() error { return log.contains("sha256=") })

	pid := enginePID(t, dir)
	began := time.Now()
	if err := engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("stopped in %v", time.Since(began))
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d after Stop: %v", pid, err)
	}
	if err := log.contains("engine is down"); err == nil {
		t.Error("the log calls a stop a failure")
	}
}

func TestTheEngineIsRestartedWithItsData(t *testing.T) {
	dir := t.TempDir()
	var log logBuffer
	engine := start(t, dir, slog.New(slog.NewTextHandler(&log, nil)))
	conn := connect(t, engine.Addr(), engine.Product())
	exec1(t, conn, "CREATE DATABASE touchline")
	exec1(t, conn, "CREATE TABLE touchline.t (n UInt64) ENGINE = MergeTree ORDER BY n")
	exec1(t, conn, "INSERT INTO touchline.t SELECT number FROM numbers(1000)")

	// These are for the parent to decide on.
	addr, before := engine.Addr(), enginePID(t, dir)
	kill(t, before, syscall.SIGINT)
	kill(t, before, syscall.SIGHUP)
	if got := value[uint64](t, conn, "SELECT sum(n) FROM touchline.t"); got != 499_500 || enginePID(t, dir) != before {
		t.Errorf("sum %d, pid %d, want %d", got, enginePID(t, dir), before)
	}

	kill(t, before, syscall.SIGKILL)
	waitUntil(t, "restart", func() error { return log.contains("engine is up again") })
	if err := log.contains("signal: killed"); err != nil {
		t.Error(err)
	}
	if after := enginePID(t, dir); after == before || engine.Addr() != addr {
		t.Errorf("pid %d and %d, address %s and %s", before, after, addr, engine.Addr())
	}
	if got := value[uint64](t, conn, "SELECT sum(n) FROM touchline.t"); got != 499_500 {
		t.Errorf("sum %d after the restart", got)
	}
}

func TestTheEngineEndsWithItsParent(t *testing.T) {
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+dir, "TOUCHLINE_ENGINE_LIB="+library)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	addr := strings.TrimSpace(line)
	if _, _, splitErr := net.SplitHostPort(addr); err != nil || splitErr != nil {
		t.Fatalf("parent says %q, %v", line, err)
	}
	product, _, err := embedded.ReadCredentials(dir)
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, addr, product)
	exec1(t, conn, "CREATE DATABASE touchline")

	kill(t, parent.Process.Pid, syscall.SIGKILL)
	_ = parent.Wait()
	began := time.Now()
	waitUntil(t, "engine without a parent", func() error {
		if c, err := net.Dial("tcp", addr); err == nil {
			return errors.Join(errors.New("still listens"), c.Close())
		}
		return nil
	})
	t.Logf("ended %v after its parent", time.Since(began))

	// Whatever is left of the old engine, the next one opens the same data.
	engine := start(t, dir, nil)
	conn = connect(t, engine.Addr(), product)
	if got := value[uint64](t, conn, "SELECT count() FROM system.databases WHERE name = 'touchline'"); got != 1 {
		t.Errorf("database touchline: %d", got)
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	notALibrary := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(notALibrary, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.MkdirAll(filepath.Join(broken, "engine", "data", "metadata"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "engine", "data", "metadata", "x.sql"), []byte("nonsense\nsecond line"), 0o600); err != nil {
		t.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TOUCHLINE_ENGINE_LIB", "")
	for _, test := range []struct{ name, dir, library, want string }{
		{"no library beside the executable", t.TempDir(), "", "engine library libchdb.so not found in " + filepath.Dir(executable) + ": run `make build`, or set clickhouse.dsn to use a server"},
		{"no library where it is said to be", t.TempDir(), "/nowhere/lib", "engine library: stat /nowhere/lib: no such file or directory: run `make build`, or set clickhouse.dsn to use a server"},
		{"not a library", t.TempDir(), notALibrary, "engine did not start: exit status 1: load engine library: "},
		{"damaged files", broken, library, "engine did not start: exit status 1: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			engine, err := embedded.Start(t.Context(), embedded.Options{Dir: test.dir, Library: test.library, MemoryLimit: memoryLimit})
			if err == nil {
				_ = engine.Stop(t.Context())
				t.Fatal("started")
			}
			t.Log(err)
			if !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q, want one line that begins with %q", err, test.want)
			}
		})
	}
}

func TestStartRefusesFilesThatAnotherEngineHolds(t *testing.T) {
	engine := storetest.Engine(t)
	dir := dataDir(engine)
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	_, err = embedded.Start(t.Context(), embedded.Options{Dir: dir, MemoryLimit: memoryLimit, Library: library})
	if err == nil || !strings.HasPrefix(err.Error(), "engine did not start: another engine holds the files: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("second engine: %v", err)
	}
	connect(t, engine.Addr(), engine.Product())
}

func TestStartWaitsForAnEngineThatIsEnding(t *testing.T) {
	dir := t.TempDir()
	old := start(t, dir, nil)
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan error, 1)
	go func() {
		next, err := embedded.Start(t.Context(), embedded.Options{Dir: dir, MemoryLimit: memoryLimit, Library: library})
		if err == nil {
			err = next.Stop(t.Context())
		}
		started <- err
	}()
	waitUntil(t, "refusal", func() error {
		said, err := os.ReadFile(filepath.Join(dir, "engine", "output.log"))
		if err == nil && !strings.Contains(string(said), "Another server instance") {
			err = fmt.Errorf("next engine says %q", said)
		}
		return err
	})
	if err := old.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Errorf("next engine: %v", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = embedded.Start(ctx, embedded.Options{Dir: t.TempDir(), MemoryLimit: memoryLimit, Library: library})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Start: %v", err)
	}
}

func TestNobodyBecomesTheUserWithoutAPassword(t *testing.T) {
	engine := storetest.Engine(t)
	err := connect(t, engine.Addr(), embedded.Credentials{User: "default"}).Exec(t.Context(), "SYSTEM STOP LISTEN TCP")
	if !refused(err) {
		t.Errorf("user default: %v, want it refused", err)
	}
}

// refused reports an answer that says no, not a failure to ask.
func refused(err error) bool {
	var answer *clickhouse.Exception
	return errors.As(err, &answer)
}

// What a stranger does on the port is an error of the connection, not the end of the engine.
func TestTheEngineOutlivesBadConnections(t *testing.T) {
	engine := storetest.Engine(t)
	pid := enginePID(t, dataDir(engine))
	for range 3 {
		for _, user := range []string{"touchline", "analyst", "nobody"} {
			if err := connect(t, engine.Addr(), embedded.Credentials{User: user, Password: "wrong"}).Ping(t.Context()); !refused(err) {
				t.Errorf("%s with a wrong password: %v", user, err)
			}
		}
		for _, text := range []string{"", "\x00", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", strings.Repeat("\xff", 100_000)} {
			send(t, engine.Addr(), text)
		}
	}
	user := engine.Product()
	conn := connect(t, engine.Addr(), user)
	for range 3 { // a client that goes in the middle of an answer
		ctx, cancel := context.WithCancel(t.Context())
		rows, err := conn.Query(ctx, "SELECT number, randomString(1000) FROM numbers(1e9)")
		if err != nil || !rows.Next() {
			t.Fatalf("no answer to cancel: %v", err)
		}
		cancel()
		_ = rows.Close()
	}
	if got := value[string](t, conn, "SELECT currentUser()"); got != user.User {
		t.Errorf("user %q", got)
	}
	if after := enginePID(t, dataDir(engine)); after != pid {
		t.Errorf("the engine was restarted: process %d, before %d", after, pid)
	}
}

// send ends the connection whatever the answer.
func send(t *testing.T, addr, text string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write([]byte(text)) // it may be closed to us already
	_ = conn.Close()
}

func dataDir(e *embedded.Engine) string { return filepath.Dir(filepath.Dir(e.DataDir())) }

func TestAPortThatIsTakenIsRecognised(t *testing.T) {
	library, err := storetest.Library()
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	addr, ok := taken.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(taken.Addr())
	}
	err = embedded.LaunchOn(t.Context(), embedded.Options{Dir: t.TempDir(), MemoryLimit: memoryLimit, Library: library}, addr.Port)
	if !errors.Is(err, embedded.ErrPortTaken) || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("launch on port %d: %v", addr.Port, err)
	}
}
