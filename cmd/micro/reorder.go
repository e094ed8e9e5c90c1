package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// reorderFlags puts the flags of a command where the parser wants them, between the
// command's name and its first argument, so that they may be given anywhere: before
// the name and after the arguments too. What follows "--" is no flag, nor is "-" or a
// number below zero.
// A command line that names no command is left as it is, and "help COMMAND" is
// another way to write "COMMAND --help".
func reorderFlags(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	if len(args) > 2 && slices.Contains([]string{"help", "h"}, args[1]) {
		args = slices.Concat(args[:1], args[2:], []string{"--help"})
	}
	known := map[string]cli.Flag{} // of all commands; a name means the same in all of them
	collectFlags(app.Flags, app.Commands, known)
	var front, path, flags, rest []string
	commands := app.Commands
	var own []cli.Flag // of the command that is named so far
	for i := 1; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			// In front of all arguments, because the parser looks at the first of them
			// for the end of the flags.
			rest = slices.Concat(args[i:i+1], rest, args[i+1:])
			break
		}
		if len(a) > 1 && a[0] == '-' && !isDigit(a[1]) {
			name, _, assigned := strings.Cut(strings.TrimLeft(a, "-"), "=")
			to, flag := &flags, known[name]
			if f := named(app.Flags, name); f != nil && named(own, name) == nil {
				to, flag = &front, f
			}
			*to = append(*to, a)
			if !assigned && i+1 < len(args) && takesValue(flag) {
				i++
				*to = append(*to, args[i])
			}
			continue
		}
		if c := find(commands, a); c != nil && len(rest) == 0 {
			path, commands, own = append(path, a), c.Subcommands, c.Flags
			continue
		}
		rest = append(rest, a)
	}
	if len(path) == 0 {
		return args
	}
	return slices.Concat(args[:1], front, path, flags, rest)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// named returns the flag of that name, nil if there is none.
func named(flags []cli.Flag, name string) cli.Flag {
	i := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 {
		return nil
	}
	return flags[i]
}

func collectFlags(flags []cli.Flag, commands []*cli.Command, into map[string]cli.Flag) {
	for _, f := range flags {
		for _, name := range f.Names() {
			into[name] = f
		}
	}
	for _, c := range commands {
		collectFlags(c.Flags, c.Subcommands, into)
	}
}

func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return f != nil && !isBool
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// arguments returns the Before of a command that takes so many arguments, and may
// have the flag of outputFlag.
func arguments(least, most int) cli.BeforeFunc {
	return func(c *cli.Context) error {
		form := strings.TrimSpace(c.Command.HelpName + " " + c.Command.ArgsUsage)
		switch n := c.NArg(); {
		case n < least:
			return usagef("too few arguments, it is %q", form)
		case n > most:
			return usagef("unexpected argument %q, it is %q", c.Args().Get(most), form)
		}
		for i, a := range c.Args().Slice() {
			if i < least && a == "" {
				return usagef("argument %d is empty, it is %q", i+1, form)
			}
		}
		return checkOutput(c)
	}
}
