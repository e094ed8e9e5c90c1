package cmd

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/similar"
)

// serviceArguments returns the arguments of the process that are meant for a
// service. In a test binary, where a service may be made like anywhere else, the
// flags of package testing and those that the test declared with package flag are
// not among them. Nor is any other flag that the service does not know: a service
// that is made while packages are initialised comes before the test declares its
// flags.
func (c *command) serviceArguments(args []string) []string {
	inTest := isTestBinary(args)
	if flag.Lookup("test.v") == nil && !inTest {
		return args
	}
	var ours []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(ours, args[i:]...)
		}
		name, _, assigned := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		declared := flag.Lookup(name)
		switch {
		case i == 0 || !strings.HasPrefix(args[i], "-"):
			ours = append(ours, args[i])
		case declared != nil && !assigned && !isBool(declared.Value):
			i++ // its value
		case declared == nil && !strings.HasPrefix(name, "test.") && (!inTest || c.anyFlag(args[i:i+1])):
			ours = append(ours, args[i])
		}
	}
	return ours
}

// isTestBinary reports whether the arguments are those with which `go test`, a build
// tool or a debugger runs a test binary, or a person one that `go test -c` made. A test
// that sets os.Args to try a command line is not meant.
func isTestBinary(args []string) bool {
	return len(args) > 0 && (strings.HasSuffix(strings.TrimSuffix(args[0], ".exe"), ".test") ||
		slices.ContainsFunc(args[1:], func(arg string) bool { return strings.HasPrefix(arg, "-test.") || strings.HasPrefix(arg, "--test.") }))
}

func isBool(v flag.Value) bool {
	b, ok := v.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// usageError says what is wrong with what was typed.
type usageError string

func (e usageError) Error() string { return string(e) }

// noWords is the action of a program that has none of its own. A word on the
// command line ends the flags, so those behind it would be ignored; it is an error
// unless something says that words are the program's own.
func (c *command) noWords(ctx *cli.Context) error {
	words := ctx.Args().Slice()
	if strings.TrimSpace(strings.Join(words, "")) == "" || c.withinAnother || isTestBinary(os.Args) || parsedBefore(words) && !c.anyFlag(words) {
		return nil
	}
	var names []string
	for _, command := range c.app.Commands {
		names = append(names, command.Names()...)
	}
	word := withoutValue(words[0])
	if near := similar.Nearest(word, names); near != "" {
		return usageError(fmt.Sprintf("unexpected argument %q: did you mean the command %q?", word, near))
	}
	return usageError(fmt.Sprintf("unexpected argument %q; flags after it would be ignored (a program that takes arguments says so with micro.Action)", word))
}

// withoutValue returns a word as it may be shown: it is perhaps a flag behind "--" or
// behind a dash that is none, whose value is secret.
func withoutValue(word string) string {
	if name, _, assigned := strings.Cut(word, "="); assigned {
		return name + "=..."
	}
	return word
}

// parsedBefore reports whether the words are what package flag left over: the
// program has looked at its command line itself.
func parsedBefore(words []string) bool {
	return flag.Parsed() && slices.Equal(flag.Args(), words)
}

// anyFlag reports whether a flag of the service is among the words.
func (c *command) anyFlag(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(w, "-"), "=")
		return strings.HasPrefix(w, "-") && slices.ContainsFunc(c.app.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	})
}

// commandLibraries are libraries that parse a command line and then call the
// program.
var commandLibraries = []string{
	"github.com/urfave/cli", "gopkg.in/urfave/cli", "github.com/micro/cli", "github.com/spf13/cobra", "github.com/alecthomas/kong",
	"github.com/google/subcommands", "github.com/mitchellh/cli", "github.com/hashicorp/cli", "github.com/peterbourgon/ff", "github.com/jessevdk/go-flags",
	"github.com/alecthomas/kingpin", "gopkg.in/alecthomas/kingpin", "github.com/jawher/mow.cli",
}

// calledByCommandLibrary reports whether the caller runs within a command of such
// a library: the command line is that of another, as in `svc serve`, where serve is
// a command of cobra whose function calls Init.
func calledByCommandLibrary() bool {
	callers := make([]uintptr, 128)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		if inCommandLibrary(frame.Function) {
			return true
		}
		if !more {
			return false
		}
	}
}

// inCommandLibrary reports whether a function, called as the runtime calls it, is in
// one of the libraries.
func inCommandLibrary(function string) bool {
	function = strings.ReplaceAll(function, "%2e", ".") // a dot in the last element of an import path
	return slices.ContainsFunc(commandLibraries, func(lib string) bool {
		rest, ok := strings.CutPrefix(function, lib)
		return ok && strings.ContainsAny(rest[:min(1, len(rest))], "./")
	})
}
