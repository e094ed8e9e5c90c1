package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	etcdreg "github.com/rollcall-go/micro/registry/etcd"
)

// registryFlags returns the flags of every command that needs a registry. timeout
// is the default of --timeout.
func registryFlags(timeout time.Duration) []cli.Flag {
	const category = "Registry"
	kind := &cli.StringFlag{Name: "registry", EnvVars: []string{"MICRO_REGISTRY"}, DefaultText: defaultKind, Category: category,
		Usage: "`KIND` of registry: " + builtin.Choices(shared())}
	bound := &cli.StringFlag{Name: "timeout", Value: timeout.String(), Category: category, Usage: "give up after `DURATION`"}
	return slices.Concat([]cli.Flag{kind}, registryflags.Flags(), []cli.Flag{bound})
}

// defaultKind is the registry that is looked into when nobody says which.
const defaultKind = "etcd"

// shared returns the registries that can be looked into from outside.
func shared() []builtin.Entry[builtin.NewRegistry] {
	return slices.DeleteFunc(builtin.Registries(), func(e builtin.Entry[builtin.NewRegistry]) bool { return !e.Shared && e.Missing == "" })
}

// registryTarget says which registry a command works on.
type registryTarget struct {
	registryflags.Settings
	timeout time.Duration
}

// targetOf reads the flags of registryFlags.
func targetOf(c *cli.Context) (registryTarget, error) {
	var p registryTarget
	if kind := registryflags.Given(c, "registry"); kind != "" {
		if _, err := builtin.Resolve(shared(), builtin.Map(shared()), kind); err != nil {
			return p, usagef("invalid value %q for \"--registry\": choose %s, the only one that can be looked into from outside", kind, defaultKind)
		}
	}
	timeout, err := time.ParseDuration(c.String("timeout"))
	if err != nil || timeout <= 0 {
		return p, usagef("invalid value %q for \"--timeout\": give a duration such as 500ms, 5s or 1m", c.String("timeout"))
	}
	p.timeout = timeout
	if p.Settings, err = registryflags.Read(c); err != nil {
		return p, wrongSetting(err)
	}
	if err := p.Check(p.options()); err != nil {
		return p, wrongSetting(err)
	}
	conn := etcd.Open(p.config())
	if err := conn.Err(); err != nil {
		return p, wrongSetting(p.Refused(err))
	}
	return p, conn.Close()
}

// wrongSetting puts an error about a flag of the registry into the words of the
// command line.
func wrongSetting(err error) error {
	var e *registryflags.Error
	if errors.As(err, &e) && e.Value != "" {
		return usagef("invalid value %q for %q: %v", e.Value, dashed(e.Flag), e.Why)
	}
	return usagef("%v", err)
}

// options returns the options of the registry.
func (p registryTarget) options() registry.Options {
	o := registry.Options{Timeout: p.timeout}
	p.Option()(&o)
	return o
}

func (p registryTarget) config() etcd.Config { return p.Config(p.timeout) }

// String names the registry.
func (p registryTarget) String() string {
	if p.Addrs == nil {
		return "etcd at " + registryflags.DefaultAddress
	}
	return "etcd at " + strings.Join(p.Addrs, ", ")
}

// explain says, where nobody chose an etcd, which one it was that failed.
func (p registryTarget) explain(err error) error {
	if err == nil || p.Addrs != nil {
		return err
	}
	return fmt.Errorf("%w; no --registry_address was given: name your etcd, or start one with `micro server`", err)
}

// withRegistry wraps an action that needs a registry. In front of a table on a
// terminal it says which registry that is, if nobody said.
func withRegistry(action func(*cli.Context, registryTarget, registry.Registry) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		p, err := targetOf(c)
		if err != nil {
			return err
		}
		if err := p.reach(c.Context); err != nil {
			return p.explain(err)
		}
		if p.Addrs == nil && isTerminal(c.App.Writer) {
			fmt.Fprintln(c.App.ErrWriter, dim(c.App.ErrWriter, "no --registry_address given: "+p.String()))
		}
		// Standard output is for what was asked for.
		if err := logger.Init(logger.WithOutput(c.App.ErrWriter)); err != nil {
			return fmt.Errorf("set the log up: %w", err)
		}
		return p.use(func(r registry.Registry) error { return action(c, p, r) })
	}
}

// use calls f with the registry, open for that long.
func (p registryTarget) use(f func(registry.Registry) error) error {
	r := etcdreg.NewRegistry(func(o *registry.Options) { *o = p.options() })
	err := f(r)
	if c, ok := r.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// reach returns an error if none of the addresses can be connected to. A library
// waits for a registry that is away; a person wants to hear of it at once.
func (p registryTarget) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	conn := etcd.Open(p.config())
	addrs := conn.Addrs()
	results := make(chan error, len(addrs))
	for _, addr := range addrs {
		go func() {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if err == nil {
				err = c.Close()
			}
			results <- err
		}()
	}
	err := conn.Close()
	for range addrs {
		one := <-results
		if one == nil {
			return nil // the others end with ctx
		}
		err = errors.Join(err, one)
	}
	return fmt.Errorf("connect to %s: %s", p, strings.ReplaceAll(err.Error(), "\n", "; "))
}
