package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/similar"
)

// usageError reports a command line that cannot be understood. The process
// exits with 2 on it.
type usageError struct{ text string }

var _ error = (*usageError)(nil)

func (e *usageError) Error() string { return e.text }

// usagef makes a usageError. The text names the value and what is possible.
func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// checkUsage makes the commands, and those below them, report a wrong command
// line in our words. A command that only groups others needs no Action.
func checkUsage(commands []*cli.Command) {
	for _, c := range commands {
		if c.OnUsageError == nil {
			c.OnUsageError = explainUsage
		}
		if c.Action == nil {
			c.Action = showGroup
		}
		c.HideHelpCommand = true
		checkUsage(c.Subcommands)
	}
}

// showGroup is the Action of a group of commands: it lists them, or reports the
// first argument, which names none of them.
func showGroup(c *cli.Context) error {
	if !c.Args().Present() {
		return cli.ShowSubcommandHelp(c)
	}
	var names []string
	for _, cmd := range c.Command.VisibleCommands() {
		names = append(names, cmd.Names()...)
	}
	name := c.Args().First()
	if s := similar.Nearest(name, names); s != "" {
		return usagef("unknown command %q, did you mean %q?", name, s)
	}
	return usagef("unknown command %q, choose one of %s", name, strings.Join(names, ", "))
}

// noArguments is the Before of a command that takes flags alone.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("unexpected argument %q, %q takes flags only", c.Args().First(), "micro "+c.Command.Name)
	}
	return nil
}

var (
	undefinedFlag = regexp.MustCompile(`^flag provided but not defined: -+(.*)$`)
	invalidValue  = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?-+([^:]+): (.*)$`)
	twoForms      = regexp.MustCompile(`^Cannot use two forms of the same flag: (\S+) (\S+)$`)
	missingValue  = regexp.MustCompile(`^flag needs an argument: -+(.*)$`)
)

// explainUsage turns the flag parser's error into one line that says what was
// given and what could be.
func explainUsage(c *cli.Context, err error, _ bool) error {
	text := err.Error()
	if m := undefinedFlag.FindStringSubmatch(text); m != nil {
		var names []string
		for _, f := range visibleFlags(c) {
			names = append(names, f.Names()...)
		}
		if s := similar.Nearest(m[1], names); s != "" {
			return usagef("unknown flag %q, did you mean %q?", dashed(m[1]), dashed(s))
		}
		return usagef("unknown flag %q, %q lists those that exist", dashed(m[1]), helpOf(c))
	}
	if m := invalidValue.FindStringSubmatch(text); m != nil {
		return usagef("invalid value %q for %q: %s", m[1], dashed(m[2]), m[3])
	}
	if m := missingValue.FindStringSubmatch(text); m != nil {
		return usagef("flag %q needs a value", dashed(m[1]))
	}
	if m := twoForms.FindStringSubmatch(text); m != nil {
		return usagef("%q and %q are one flag, give it once", dashed(m[1]), dashed(m[2]))
	}
	return usagef("%s, %q says more", text, helpOf(c))
}

// visibleFlags returns the flags of the command that is being parsed.
func visibleFlags(c *cli.Context) []cli.Flag { return c.Command.VisibleFlags() }

// helpOf returns the command line that explains the command being parsed.
func helpOf(c *cli.Context) string {
	if c.Command.HelpName == "" {
		return c.App.Name + " --help"
	}
	return c.Command.HelpName + " --help"
}

// dashed writes a flag's name as users type it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
