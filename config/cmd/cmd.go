// Package cmd takes the settings of a service from its command line and its
// environment.
//
// What is given as a flag goes before what is given as a variable, that before
// what the program's code says, and that before the defaults. A flag or variable
// that is empty counts as not given. Wrong input ends the process with one line
// on standard error and exit code 2; --help and --version end it with 0.
//
// Flags and commands are those of github.com/urfave/cli/v2.
package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/builtin"
)

// Cmd is the command line of a service.
type Cmd interface {
	// App returns the application that parses the command line; flags, commands
	// and an action may be added to it before Init.
	App() *cli.App
	// Init applies options, parses the command line, and applies what it says to
	// the values that the options point at. Wrong input ends the process.
	Init(opts ...Option) error
	// Options returns the options in force.
	Options() Options
}

// DefaultCmd is the command line that the functions of this package use.
var DefaultCmd = NewCmd()

// The implementations that can be chosen by name. A program may add its own
// before Init.
var (
	DefaultClients    = builtin.Map(builtin.Clients())
	DefaultRegistries = builtin.Map(builtin.Registries())
	DefaultServers    = builtin.Map(builtin.Servers())
)

// DefaultOptions returns the options of DefaultCmd.
func DefaultOptions() Options { return DefaultCmd.Options() }

// App returns the application of DefaultCmd.
func App() *cli.App { return DefaultCmd.App() }

// Init parses the command line with DefaultCmd.
func Init(opts ...Option) error { return DefaultCmd.Init(opts...) }
