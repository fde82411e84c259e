package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// childEnv marks a process as an engine. Its arguments are the library and what the engine gets for a command line.
const childEnv = "TOUCHLINE_ENGINE_CHILD"

// RunIfChild turns the process into an engine and does not return, if Start made it one. Every program that calls
// Start calls RunIfChild first in main, every test of it first in TestMain.
func RunIfChild() {
	if os.Getenv(childEnv) == "" {
		return
	}
	// What a terminal or a reload sends is for the parent to decide on. SIGTERM keeps its meaning.
	signal.Ignore(os.Interrupt, syscall.SIGHUP)
	if err := haveTerminal(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:revive // deep-exit: this is the whole process
	}
	if err := runEngine(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(1) //nolint:revive // deep-exit: this is the whole process
}

// haveTerminal makes stdin a terminal, and takes what was stdin for the parent's pipe.
//
// The engine believes to be ClickHouse's command line tool. Without a terminal that one aborts the whole process when
// any connection fails in a way it does not foresee, a wrong password for one; with a terminal it does not.
func haveTerminal() error {
	parent, err := syscall.Dup(0)
	if err != nil {
		return fmt.Errorf("engine: stdin: %w", err)
	}
	go endWithParent(os.NewFile(uintptr(parent), "parent"))
	var (
		posixOpenpt, grantpt, unlockpt func(int32) int32
		ptsname                        func(int32) string
	)
	purego.RegisterLibFunc(&posixOpenpt, purego.RTLD_DEFAULT, "posix_openpt")
	purego.RegisterLibFunc(&grantpt, purego.RTLD_DEFAULT, "grantpt")
	purego.RegisterLibFunc(&unlockpt, purego.RTLD_DEFAULT, "unlockpt")
	purego.RegisterLibFunc(&ptsname, purego.RTLD_DEFAULT, "ptsname")
	master := posixOpenpt(int32(syscall.O_RDWR | syscall.O_NOCTTY)) // stays open as long as the process lives
	if master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 {
		return errors.New("engine: the system gives it no pseudo-terminal: is /dev/ptmx there?")
	}
	name := ptsname(master)
	terminal, err := syscall.Open(name, syscall.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return fmt.Errorf("engine: pseudo-terminal %s: %w", name, err)
	}
	if err := unix.Dup2(terminal, 0); err != nil {
		return fmt.Errorf("engine: pseudo-terminal %s: %w", name, err)
	}
	return nil
}

// endWithParent ends the process when the parent's pipe does: the parent alone has the other end and never writes, so
// end of file means that the parent is gone, whatever killed it.
func endWithParent(parent io.Reader) {
	_, _ = io.Copy(io.Discard, parent)
	os.Exit(1) //nolint:revive // deep-exit: there is nobody left to report to
}

// runEngine serves until the process ends. If it returns, the engine has failed and printed why.
func runEngine(library string, args []string) error {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load engine library: %w", err)
	}
	var query func(argc int32, argv **byte) uintptr
	purego.RegisterLibFunc(&query, handle, "chdb_query_cmdline")

	argv := make([]*byte, 0, len(args)+2) // C wants a nil behind the last
	for _, arg := range append([]string{"clickhouse"}, args...) {
		c, err := syscall.BytePtrFromString(arg)
		if err != nil {
			return fmt.Errorf("engine argument %q: %w", arg, err)
		}
		argv = append(argv, c)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, arg := range argv {
		pin.Pin(arg)
	}
	argv = append(argv, nil)
	query(int32(len(argv)-1), &argv[0])
	return nil
}
