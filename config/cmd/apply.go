package cmd

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// before applies what was given on the command line or in the environment to
// the values that the options point at. The parser calls it before any action.
//
// A flag reaches its part in three steps: read makes options of all that was
// given; applyClientServer and applyRegistry put other implementations in place of
// the program's where they were named; Init hands the options over.
func (c *command) before(ctx *cli.Context) error {
	if c.version != nil && c.version.Get(ctx) {
		cli.ShowVersion(ctx)
		return errShown
	}
	err := c.set(ctx)
	if words := ctx.Args().Slice(); err != nil && c.anyFlag(words) {
		// What is missing may stand there.
		return fmt.Errorf("%w; flags behind %q were not read", err, withoutValue(words[0]))
	}
	return err
}

// set applies what was given; what stands behind the first word was not read.
func (c *command) set(ctx *cli.Context) error {
	to := c.Options()
	in := &input{ctx: ctx, taken: c.taken}
	g, err := read(in, to)
	if err != nil {
		return err
	}
	replaced := applyClientServer(g, to)
	newParts, err := applyParts(in, &g, to)
	if err != nil {
		return err
	}
	replaced = replaced || newParts
	if err := applyRegistry(g, to, replaced); err != nil {
		return err
	}
	if applySelector(in, &g, to); in.err != nil {
		return in.err
	}
	tellUnserved(in)
	if err := applyTLS(&g, to); err != nil {
		return err
	}
	if to.Server != nil {
		g.toServer = append(g.toServer, podOption((*to.Server).Options(), g.toServer)...)
	}
	if to.Server != nil && len(g.toServer) > 0 {
		if err := (*to.Server).Init(g.toServer...); err != nil {
			return fmt.Errorf("set up the server: %w", err)
		}
	}
	if to.Client != nil && len(g.toClient) > 0 {
		if err := (*to.Client).Init(g.toClient...); err != nil {
			return fmt.Errorf("set up the client: %w", err)
		}
	}
	return applyStore(in, to)
}

// applyClientServer replaces the client and the server by those that were named,
// and reports whether it replaced one.
func applyClientServer(g given, to Options) (replaced bool) {
	if p := to.Client; g.client != "" && p != nil && (*p).String() != g.client {
		*p, replaced = merged(DefaultClients, to.Clients)[g.client](), true
	}
	if p := to.Server; g.server != "" && p != nil && (*p).String() != g.server {
		*p, replaced = merged(DefaultServers, to.Servers)[g.server](), true
	}
	return replaced
}

// value returns what p points at, nil if p is nil.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
