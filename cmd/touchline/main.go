// Command touchline records touchpoints and works out which of them led to what. It is the one binary, and the only
// place that wires the parts together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // projects name time zones, and the machine may know none

	"github.com/alecthomas/kong"

	"github.com/touchline-hq/touchline/attribution"
	"github.com/touchline-hq/touchline/attribution/model"
	"github.com/touchline-hq/touchline/store/embedded"
)

type commandLine struct {
	globals

	Up        upCommand        `cmd:"" help:"Collector, engine, delivery and jobs in one process."`
	Jobs      jobsCommand      `cmd:"" help:"Scheduled attribution alone, as up does it, for a fleet of collectors."`
	Import    importCommand    `cmd:"" help:"Bring in what was recorded elsewhere."`
	Attribute attributeCommand `cmd:"" help:"Bring persons, journeys and credit up to date, and print the credit of selected journeys."`
	Identity  identityCommand  `cmd:"" help:"Show which devices belong to whom, and undo a link."`
	Report    reportCommand    `cmd:"" help:"Answer what analysts ask of the journeys that attribute has published."`
	Explain   explainCommand   `cmd:"" help:"Say what led to one conversion, what each model gives each touch, and why."`
	Journey   journeyCommand   `cmd:"" help:"Tell all that is known of a person, or of the people of an account, in order."`
	Paths     pathsCommand     `cmd:"" help:"Run attribution models on a CSV file of paths; no server needed."`
	Link      linkCommand      `cmd:"" help:"Print a signed link that counts the click and leads on."`
	SQL       sqlCommand       `cmd:"" name:"sql" help:"Answer a SELECT as the read-only analyst."`
	Doctor    doctorCommand    `cmd:"" help:"Say what is wrong with this installation, and what to do; account for every event."`
	Rejected  rejectedCommand  `cmd:"" help:"List what was refused, and replay it once the cause is mended."`
	Spool     spoolCommand     `cmd:"" help:"List what the spool holds, damage included; changes nothing."`
	Demo      demoCommand      `cmd:"" help:"Simulate a shop and a B2B company through the real collector, then show the results."`
	Health    healthCommand    `cmd:"" hidden:"" help:"Ask a running collector whether it takes events."`
}

// globals are the flags that every command has.
type globals struct {
	Config  string `help:"Configuration file. Without it: that of the running instance, else touchline.yaml in the data directory, else here." placeholder:"FILE"`
	Data    string `help:"Data directory (default: ./data)." placeholder:"DIR"`
	Verbose bool   `help:"Log every step."`

	LogFormat string `help:"Form of the log on standard error: text or json." enum:"text,json" default:"text"`

	stderr io.Writer
}

// usageError is a mistake on the command line that the parser cannot see.
type usageError struct{ error }

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	embedded.RunIfChild()
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	cli := commandLine{globals: globals{stderr: os.Stderr}}
	parser, err := kong.New(&cli,
		kong.Name("touchline"),
		kong.Description("Touchline records touchpoints and works out which of them led to what."),
		kong.Vars{
			"models": modelNames(model.Plain()), "all_models": modelNames(model.All()),
			"dimensions": strings.Join(attribution.Dimensions, ","),
		},
		kong.Bind(&cli.globals),
	)
	if err != nil {
		return fail(err)
	}
	command, err := parser.Parse(protectComments(args))
	if err != nil {
		return fail(usageError{err})
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(); err != nil {
		return fail(err)
	}
	return 0
}

// protectComments keeps the parser from taking an SQL statement that begins with a comment for a flag.
func protectComments(args []string) []string {
	protected := slices.Clone(args)
	for i, arg := range args {
		if strings.HasPrefix(arg, "-- ") {
			protected[i] = "\n" + arg
		}
	}
	return protected
}

// fail reports an error as one line.
func fail(err error) int {
	fmt.Fprintln(os.Stderr, "touchline: "+oneLine(err))
	if usage := (usageError{}); errors.As(err, &usage) {
		fmt.Fprintln(os.Stderr, "touchline: see touchline --help")
		return exitUsage
	}
	return exitFailed
}

// logger logs to stderr: warnings, or everything with --verbose.
func (g *globals) logger() *slog.Logger {
	level := slog.LevelWarn
	if g.Verbose {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if g.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(g.stderr, options))
	}
	return slog.New(slog.NewTextHandler(g.stderr, options))
}

// modelNames lists models as --models takes them.
func modelNames(models []attribution.Model) string {
	var names []string
	for _, m := range models {
		names = append(names, m.Name())
	}
	return strings.Join(names, ",")
}
