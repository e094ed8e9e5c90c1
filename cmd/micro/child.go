package main

import (
	"context"
	"io"
	"os"
	"os/signal"

	"github.com/urfave/cli/v2"
)

const childName = "end_with_stdin"

// childFlag marks a process that another micro started. It ends when its standard
// input does: when the parent closes it, or is gone, however it ended. This works
// on every system.
func childFlag() cli.Flag { return &cli.BoolFlag{Name: childName, Hidden: true} }

// followParent is the Before of every command line.
func followParent(c *cli.Context) error {
	if !c.Bool(childName) {
		return nil
	}
	leaveInterruptsToParent()
	ctx, cancel := context.WithCancel(c.Context)
	c.Context = ctx
	// Lives as long as the process.
	go func() {
		defer cancel()
		// An error is an end as well.
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return nil
}

// leaveInterruptsToParent is for a child: a terminal sends Ctrl-C to both, and the
// parent ends its children in the right order.
func leaveInterruptsToParent() { signal.Ignore(os.Interrupt) }
