package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/wiring"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
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
	applySelector(in, &g, to)
	tellUnserved(in)
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
	return nil
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

// applyRegistry sees to it that the registry is the one that was named, with the
// settings that were given, and that everybody uses it. Parts that have just been
// put in place are told of the registry in any case.
func applyRegistry(g given, to Options, newParts bool) error {
	var opts []registry.Option
	if len(g.settings.Given()) > 0 {
		opts = append(opts, g.settings.Option())
	}
	if g.snapshot != "" {
		opts = append(opts, registry.Snapshot(g.snapshot))
	}
	if g.registry == "" && len(opts) == 0 && (!newParts || to.Registry == nil) {
		return nil
	}
	at := registryInPlace(to)
	if g.registry != "" && g.registry != registryName(to, g.registry) {
		made := registries(to)[g.registry](opts...)
		if _, ok := (*at).(ability.Placeholder); ok && to.Registry == nil {
			// Others may be reading the variable: what is chosen goes behind its value.
			at = &made
		} else {
			*at = made
		}
	} else if len(opts) > 0 {
		if err := (*at).Init(opts...); err != nil {
			return g.settings.Refused(fmt.Errorf("set up the registry: %w", err))
		}
	}
	if err := g.settings.Check((*at).Options()); err != nil {
		return err
	}
	if err := ability.Check(*at); err != nil {
		return g.settings.Refused(err)
	}
	// What goes by the same name may be the placeholder in a program's wrapper.
	if p, ok := registry.DefaultRegistry.(ability.Placeholder); ok && g.registry != "" && p.String() != (*at).String() {
		p.Choose(*at)
	}
	if err := checkUse(g, *at); err != nil {
		return err
	}
	return wiring.SetRegistry(*at, value(to.Server), value(to.Client), value(to.Broker))
}

// value returns what p points at, nil if p is nil.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

// checkUse says which of the settings the registry has no use for: what one of ours
// does not obey, and what a program's own cannot have understood. A namespace that is
// not kept to is an error where others share the registry.
func checkUse(g given, r registry.Registry) error {
	name := r.String()
	used := registryflags.InContract()
	if entry, ok := builtin.Find(builtin.Registries(), name); ok {
		used = entry.Flags
	} else if registryflags.Kept(r.Options()) { // there is one of ours inside
		return nil
	}
	unused := slices.DeleteFunc(slices.Clone(g.settings.Given()), func(flag string) bool { return slices.Contains(used, flag) })
	for i, flag := range unused {
		if flag == registryflags.Namespace && name == "consul" {
			return registryflags.Wrong(flag, g.settings.Layout.Namespace, "the %s registry knows no namespaces: keep fleets apart by agents of their own", name)
		}
		unused[i] = fmt.Sprintf("--%s (%s)", flag, registryflags.Variable(flag))
	}
	if len(unused) > 0 {
		logger.Warnf("Registry [%s] Has no use for %s", name, strings.Join(unused, ", "))
	}
	return nil
}
