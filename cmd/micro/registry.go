package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/registry"
)

// registryFlags returns the flags of every command that needs a registry. timeout
// is the default of --timeout.
func registryFlags(timeout time.Duration) []cli.Flag {
	const category = "Registry"
	kind := &cli.StringFlag{Name: "registry", EnvVars: []string{"MICRO_REGISTRY"}, DefaultText: defaultKind, Category: category,
		Usage: "`KIND` of registry: " + builtin.Choices(inspected())}
	bound := &cli.StringFlag{Name: "timeout", Value: timeout.String(), Category: category, Usage: "give up after `DURATION`"}
	return slices.Concat([]cli.Flag{kind}, registryflags.Flags(), []cli.Flag{bound})
}

// defaultKind is the registry that is looked into when nobody says which.
const defaultKind = "etcd"

// inspected returns the registries that can be looked into from outside.
func inspected() []builtin.Entry[builtin.NewRegistry] {
	return slices.DeleteFunc(builtin.Registries(), func(e builtin.Entry[builtin.NewRegistry]) bool { return !e.Inspected && e.Missing == "" })
}

// registryTarget says which registry a command works on.
type registryTarget struct {
	registryflags.Settings
	timeout time.Duration
}

// targetOf reads the flags of registryFlags.
func targetOf(c *cli.Context) (registryTarget, error) {
	var p registryTarget
	if kind := strings.TrimSpace(registryflags.Given(c, "registry")); kind != "" {
		if _, err := builtin.Resolve("registry", inspected(), builtin.Map(inspected()), kind); err != nil {
			return p, usagef("invalid value %q for \"--registry\": choose %s, the only one that can be looked into from outside", kind, defaultKind)
		}
	}
	timeout, err := time.ParseDuration(c.String("timeout"))
	if err != nil || timeout <= 0 {
		return p, usagef("invalid value %q for \"--timeout\": give a duration such as 500ms, 5s or 1m", c.String("timeout"))
	}
	p.timeout = timeout
	if p.Settings, err = registryflags.Read(func(name string) string { return registryflags.Given(c, name) }); err != nil {
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
		return usagef("invalid value %q for %q: %s", e.Value, dashed(e.Flag), e.Reason())
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
