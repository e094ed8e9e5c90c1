// Command micro is the tool beside the framework: it runs the registry that
// services need, shows what is registered and calls it.
//
// It exits with 0 when all went well, with 1 when something failed and with 2
// when it was called wrongly. Results go to standard output, errors to standard
// error, one line each.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
	"google.golang.org/grpc/grpclog"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	// The first signal asks for a graceful end; after it the signals have their
	// usual effect again, so the second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	// What grpc has to say of itself is said by the errors that come of it.
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// commands returns all sub-commands. Each has a file of its own.
func commands() []*cli.Command {
	return []*cli.Command{
		serverCommand(),
		listCommand(),
		getCommand(),
		callCommand(),
		explainCallCommand(),
		watchCommand(),
		healthCommand(),
		statsCommand(),
		logsCommand(),
		traceCommand(),
		nodeCommand(),
		registryCommand(),
		configCommand(),
		doctorCommand(),
		demoCommand(),
		versionCommand(),
		demoServiceCommand(),
		demoClientCommand(),
	}
}

// run executes the command line and returns the exit code. It ends early when
// ctx is done. This is the one place in which errors are printed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runReading(ctx, args, os.Stdin, stdout, stderr)
}

// runReading is run with another standard input.
func runReading(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	app := newApp(stdout, stderr)
	app.Reader = stdin
	err := app.RunContext(ctx, reorderFlags(app, args))
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errReported) {
		return exitFailed
	}
	screen{stderr}.note("micro: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	var usage *usageError
	var help cli.ExitCoder // the library's own: there is no help on that
	if errors.As(err, &usage) || errors.As(err, &help) {
		return exitUsage
	}
	return exitFailed
}

// newApp puts the command line together.
func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:  "micro",
		Usage: "run a registry, see what is registered, call it",
		Description: `"micro COMMAND --help" explains a command. The exit code is 0 when all went
well, 1 when something failed and 2 when the command line cannot be understood.
The flags of a command may stand anywhere, before its name as well.`,
		Flags:          []cli.Flag{&cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true}, childFlag()},
		Before:         followParent,
		Commands:       commands(),
		Writer:         screen{stdout},
		ErrWriter:      screen{stderr},
		OnUsageError:   explainUsage,
		ExitErrHandler: func(*cli.Context, error) {}, // run reports errors and chooses the exit code
		// A comma in a value is part of the value.
		DisableSliceFlagSeparator: true,
		Action: func(c *cli.Context) error {
			if c.Bool("version") {
				return printVersion(c)
			}
			if !c.Args().Present() {
				return cli.ShowAppHelp(c)
			}
			return showGroup(c)
		},
	}
	checkUsage(app.Commands)
	return app
}
