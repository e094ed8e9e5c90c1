package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/similar"
)

// exit ends the process. Tests replace it.
var exit = os.Exit

// errShown ends a parse that had only to show the version.
var errShown = errors.New("the version was shown")

// command is the Cmd of this package.
type command struct {
	mu   sync.Mutex // guards opts; not held while code of the program runs
	opts Options
	app  *cli.App

	parsing sync.Mutex    // held by Init, guards what follows
	version *cli.BoolFlag // the flag, if it was offered
	// own are our flags, of which the program's own take the place of those of the
	// same name; taken has the names.
	own   []cli.Flag
	taken map[string]bool
	// ran tells a parse that went through from one that only showed help.
	ran bool
	// withinAnother says that Init was called by a command of another command line.
	withinAnother bool
}

var _ Cmd = (*command)(nil)

// NewCmd returns a command line with the default flags. It parses nothing until
// Init.
func NewCmd(opts ...Option) Cmd {
	c := &command{}
	for _, o := range opts {
		o(&c.opts)
	}
	app := cli.NewApp()
	c.own = ownFlags()
	app.Flags = slices.Clone(c.own)
	app.Before = c.before
	app.Action = c.noWords
	// The parser's own are shared by the whole process, and written to.
	app.HideHelp, app.HideVersion = true, true
	app.Usage = "a service"
	// What is wrong is said once, by fail.
	app.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return err }
	app.ExitErrHandler = func(*cli.Context, error) {}
	app.ErrWriter = io.Discard
	c.app = app
	c.tolerate()
	return c
}

// ownFlags returns copies of the default flags: parsing writes into a flag.
func ownFlags() []cli.Flag {
	flags := make([]cli.Flag, len(DefaultFlags))
	for i, f := range DefaultFlags {
		flags[i] = f
		if v := reflect.ValueOf(f); v.Kind() == reflect.Pointer {
			own := reflect.New(v.Type().Elem())
			own.Elem().Set(v.Elem())
			flags[i] = own.Interface().(cli.Flag)
		}
	}
	return flags
}

// giveWay takes our flags out of the command line whose names the program uses for
// flags of its own: the parser would panic. A program that was written before we
// had a flag goes on to work as it did.
func (c *command) giveWay() {
	theirs := map[string]bool{}
	for _, f := range c.app.Flags {
		if !slices.Contains(c.own, f) {
			for _, name := range f.Names() {
				theirs[name] = true
			}
		}
	}
	c.taken = map[string]bool{}
	for _, f := range c.own {
		if slices.ContainsFunc(f.Names(), func(name string) bool { return theirs[name] }) {
			c.taken[f.Names()[0]] = true
			c.app.Flags = slices.DeleteFunc(slices.Clone(c.app.Flags), func(other cli.Flag) bool { return other == f })
		}
	}
}

// offer adds a flag, and its short form, as far as the program has none of the
// name, and returns the flag, nil if there is none.
func (c *command) offer(name, short, usage string) *cli.BoolFlag {
	var taken []string
	for _, f := range c.app.Flags {
		taken = append(taken, f.Names()...)
	}
	if slices.Contains(taken, name) {
		return nil
	}
	f := &cli.BoolFlag{Name: name, Usage: usage, DisableDefaultText: true}
	if !slices.Contains(taken, short) {
		f.Aliases = []string{short}
	}
	c.app.Flags = append(c.app.Flags, f)
	return f
}

func (c *command) App() *cli.App { return c.app }

func (c *command) Options() Options {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opts
}

// apply applies options and returns those in force.
func (c *command) apply(opts []Option) Options {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range opts {
		o(&c.opts)
	}
	return c.opts
}

func (c *command) Init(opts ...Option) error {
	c.parsing.Lock()
	defer c.parsing.Unlock()
	set := c.apply(opts)
	if set.Name != "" {
		c.app.Name = set.Name
	}
	if set.Description != "" {
		c.app.Usage = set.Description
	}
	c.giveWay()
	c.offer("help", "h", "show this help")
	if set.Version != "" {
		c.app.Version = set.Version
		if f := c.offer("version", "v", "show the version"); f != nil {
			c.version = f
		}
	}
	c.explain()
	c.ran, c.withinAnother = false, calledByCommandLibrary()
	action := c.app.Action
	c.app.Action = func(ctx *cli.Context) error {
		c.ran = true
		return action(ctx)
	}
	defer func() { c.app.Action = action }()
	err := c.app.Run(c.serviceArguments(os.Args))
	if errors.Is(err, errShown) {
		exit(0)
		return nil
	}
	if err != nil {
		c.fail(err)
		return err
	}
	if !c.ran && !c.subcommand() {
		exit(0)
	}
	return nil
}

// subcommand reports whether the program has commands of its own, one of which
// may have run in place of the action.
func (c *command) subcommand() bool {
	return slices.ContainsFunc(c.app.Commands, func(cmd *cli.Command) bool { return cmd.Name != "help" })
}

// fail says what is wrong in one line and ends the process.
func (c *command) fail(err error) {
	text := strings.TrimSpace(strings.Map(oneLine, err.Error()))
	fmt.Fprintf(os.Stderr, "%s: %s\n", c.app.Name, c.suggest(text))
	var coded cli.ExitCoder
	var usage usageError
	switch {
	case errors.As(err, &coded):
		exit(coded.ExitCode())
	case errors.As(err, &usage):
		exit(2)
	case c.ran:
		// The input was right; what the program did with it went wrong.
		exit(1)
	default:
		exit(2)
	}
}

// oneLine keeps what was typed from starting a line or commanding a terminal.
func oneLine(r rune) rune {
	switch {
	case r == '\n':
		return ' '
	case unicode.IsControl(r):
		return unicode.ReplacementChar
	}
	return r
}

// suggest adds the way out to what the parser says about an unknown flag.
func (c *command) suggest(text string) string {
	if bad, ok := strings.CutPrefix(text, "bad flag syntax: "); ok {
		name, _, _ := strings.Cut(bad, "=") // the value may be secret
		return fmt.Sprintf("%q is no flag: one begins with two dashes and a letter", name)
	}
	name, ok := strings.CutPrefix(text, "flag provided but not defined: -")
	if !ok {
		return text
	}
	var names []string
	for _, f := range c.app.VisibleFlags() {
		names = append(names, f.Names()...)
	}
	text = fmt.Sprintf("unknown flag --%s", strings.TrimPrefix(name, "-"))
	if near := similar.Nearest(strings.TrimPrefix(name, "-"), names); near != "" {
		return fmt.Sprintf("%s: did you mean --%s? (--help lists all)", text, near)
	}
	return text + " (--help lists all; a program declares its own with micro.Flags)"
}
