package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// serveQuery opens the port and then keeps the engine's local session busy for ever.
const serveQuery = "SYSTEM START LISTEN TCP; SELECT sleepEachRow(3) FROM system.numbers " +
	"SETTINGS max_block_size=1, function_sleep_max_microseconds_per_block=0 FORMAT Null"

// What a child says when it ends, and what it means for starting the next one.
var (
	errPortTaken = errors.New("port is taken")
	errFilesHeld = errors.New("another engine holds the files")
)

// child is one process of the engine, as its parent sees it.
type child struct {
	cmd     *exec.Cmd
	output  string // file
	started time.Time
	exited  chan struct{}
	err     error // of the process; to be read once exited is closed
}

// spawn starts a process of this executable that RunIfChild turns into an engine.
func spawn(library string, files layout, port int) (*child, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	output, err := os.OpenFile(files.output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }() // the child has its own
	cmd := exec.Command(executable, library,
		"--config-file="+files.config,
		"--path="+files.data,
		"--listen_host=127.0.0.1",
		"--tcp_port="+strconv.Itoa(port),
		"--interactive", // see haveTerminal
		"--progress=off",
		"--query="+serveQuery,
	)
	cmd.Dir = files.dir
	cmd.Stdout, cmd.Stderr = output, output
	// Nothing else of our environment. The engine has functions that would send data to services named there; and it
	// ends when serveQuery fails, where with a HOME it would wait at its terminal for another query.
	cmd.Env = []string{childEnv + "=1", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ctrl-C is the parent's
	c := &child{cmd: cmd, output: files.output, started: time.Now(), exited: make(chan struct{})}
	if _, err := cmd.StdinPipe(); err != nil { // open for as long as we live: see endWithParent
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.exited)
		c.err = cmd.Wait()
	}()
	return c, nil
}

// waitReady returns when the child answers user, or with the reason why it ended instead.
func (c *child) waitReady(ctx context.Context, addr string, user Credentials) error {
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr:         []string{addr},
		Auth:         clickhouse.Auth{Username: user.User, Password: user.Password},
		DialTimeout:  time.Second,
		MaxOpenConns: 1,
	})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for {
		if err := conn.Ping(ctx); err == nil {
			return nil
		}
		retry := time.NewTimer(20 * time.Millisecond)
		select {
		case <-retry.C:
		case <-c.exited:
			return c.exitError()
		case <-ctx.Done():
			return fmt.Errorf("%w before the engine answered: %s", ctx.Err(), c.lastWords())
		}
	}
}

// exitError says in one line why the process ended.
func (c *child) exitError() error {
	words := c.lastWords()
	switch {
	case strings.Contains(words, "Another server instance in same directory is already running"):
		return fmt.Errorf("%w: %s", errFilesHeld, words)
	case strings.Contains(words, "Address already in use"):
		return fmt.Errorf("%w: %s", errPortTaken, words)
	case c.err == nil:
		return fmt.Errorf("exit status 0: %s", words)
	}
	return fmt.Errorf("%w: %s", c.err, words)
}

// lastWords is the end of what the child printed, in one line.
func (c *child) lastWords() string {
	file, err := os.Open(c.output)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	const most = 1000
	info, err := file.Stat()
	cut := err == nil && info.Size() > most
	if cut {
		_, _ = file.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(file, most))
	if cut {
		_, text, _ = bytes.Cut(text, []byte("\n")) // what is left of a line may begin within a value
	}
	words := strings.Fields(terminalCodes.ReplaceAllString(strings.ToValidUTF8(string(text), ""), ""))
	return strings.Join(words, " ")
}

// terminalCodes move the cursor and the like.
var terminalCodes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// stop asks the process to end, makes it end after grace, and returns when it has.
func (c *child) stop(grace time.Duration) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.exited:
	case <-time.After(grace):
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
}
