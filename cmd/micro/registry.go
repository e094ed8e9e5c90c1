package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/mdns"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// registryFlags returns the flags of every command that needs a registry. timeout
// is the default of --timeout.
func registryFlags(timeout time.Duration) []cli.Flag {
	const category = "Registry"
	kind := &cli.StringFlag{Name: "registry", EnvVars: []string{"MICRO_REGISTRY"}, DefaultText: defaultKind, Category: category,
		Usage: "`KIND` of registry, or several with commas between: " + builtin.Choices(lookable())}
	return slices.Concat([]cli.Flag{kind}, registryflags.Flags(), []cli.Flag{timeoutFlag(timeout), loopbackFlag()})
}

// loopbackFlag keeps multicast DNS to this host, for the demo and for tests.
func loopbackFlag() cli.Flag {
	return &cli.BoolFlag{Name: loopbackName, EnvVars: []string{registryflags.Variable(loopbackName)}, Hidden: true}
}

const loopbackName = "mdns_loopback"

func timeoutFlag(timeout time.Duration) cli.Flag {
	return &cli.StringFlag{Name: "timeout", Value: timeout.String(), Category: "Registry", Usage: "give up after `DURATION`"}
}

// lookable returns the registries that can be looked into from outside.
func lookable() []builtin.Entry[builtin.NewRegistry] {
	return slices.DeleteFunc(builtin.Registries(), func(e builtin.Entry[builtin.NewRegistry]) bool { return e.Name == "memory" })
}

// registryTarget says which registry a command works on: one, or several as one.
type registryTarget struct {
	members []member
	timeout time.Duration
	chosen  bool // somebody said which
}

// member is a registry of the target.
type member struct {
	kind string
	registryflags.Settings
	loopback bool // multicast DNS keeps to this host
}

// targetOf reads the flags of registryFlags.
func targetOf(c *cli.Context) (registryTarget, error) {
	given := strings.TrimSpace(registryflags.Given(c, "registry"))
	p := registryTarget{chosen: given != ""}
	kinds, err := kindsOf("registry", given)
	if err != nil {
		return p, err
	}
	if p.timeout, err = timeoutOf(c); err != nil {
		return p, err
	}
	settings, err := registryflags.ReadEach(func(name string) string { return registryflags.Given(c, name) }, kinds)
	if err != nil {
		return p, wrongSetting(err)
	}
	for i, kind := range kinds {
		p.members = append(p.members, member{kind, settings[i], c.Bool(loopbackName)})
	}
	return p, p.check()
}

// kindsOf reads a list of kinds of registries, the value of a flag.
func kindsOf(flag, list string) ([]string, error) {
	if list == "" {
		return []string{defaultKind}, nil
	}
	if slices.ContainsFunc(strings.Split(list, ","), func(kind string) bool { return strings.EqualFold(strings.TrimSpace(kind), "memory") }) {
		return nil, usagef("invalid value %q for %q: a memory is inside each process, and nothing looks into it from outside; choose one of: %s",
			list, dashed(flag), builtin.Choices(lookable()))
	}
	kinds, err := builtin.ResolveRegistries(builtin.Map(lookable()), list)
	if err != nil {
		return nil, usagef("invalid value %q for %q: %v", list, dashed(flag), err)
	}
	return kinds, nil
}

func timeoutOf(c *cli.Context) (time.Duration, error) {
	timeout, err := time.ParseDuration(c.String("timeout"))
	if err != nil || timeout <= 0 {
		return 0, usagef("invalid value %q for \"--timeout\": give a duration such as 500ms, 5s or 1m", c.String("timeout"))
	}
	return timeout, nil
}

// check returns what makes the target one that can never work.
func (p registryTarget) check() error {
	for _, m := range p.members {
		if err := m.check(p.timeout); err != nil {
			return wrongSetting(err)
		}
	}
	for _, flag := range registryflags.Names() {
		given := func(m member) bool { return slices.Contains(m.Given(), flag) }
		used := func(m member) bool { return given(m) && slices.Contains(m.entry().Flags, flag) }
		if slices.ContainsFunc(p.members, given) && !slices.ContainsFunc(p.members, used) {
			return usagef("%q is given, and %s has no use for it; choose a registry that has, as with --registry=etcd", dashed(flag), p)
		}
	}
	return nil
}

func (m member) check(timeout time.Duration) error {
	if err := m.Check(m.options(timeout)); err != nil {
		return err
	}
	r := m.new(timeout)
	if err := ability.Check(r); err != nil {
		return errors.Join(m.Refused(err), closeRegistry(r))
	}
	return closeRegistry(r)
}

func (m member) entry() builtin.Entry[builtin.NewRegistry] {
	e, _ := builtin.Find(builtin.Registries(), m.kind)
	return e
}

// options returns the options of the registry.
func (m member) options(timeout time.Duration) registry.Options {
	var o registry.Options
	for _, option := range m.choose(timeout) {
		option(&o)
	}
	return o
}

// choose returns what the registry is made with.
func (m member) choose(timeout time.Duration) []registry.Option {
	all := []registry.Option{registry.Timeout(timeout), m.Option()}
	if m.loopback {
		all = append(all, func(o *registry.Options) { o.Context = settings.With(o.Context, mdns.Links{Loopback: true}) })
	}
	return all
}

// new makes the registry, which does no I/O yet. The caller closes it.
func (m member) new(timeout time.Duration) registry.Registry {
	return builtin.Map(builtin.Registries())[m.kind](m.choose(timeout)...)
}

// new makes the registry, or all of them as one. The caller closes it.
func (p registryTarget) new() registry.Registry {
	kinds := make([]string, len(p.members))
	for i, m := range p.members {
		kinds[i] = m.kind
	}
	return builtin.OpenRegistry(builtin.Map(builtin.Registries()), kinds, func(kind string) []registry.Option {
		return p.members[slices.Index(kinds, kind)].choose(p.timeout)
	})
}

func closeRegistry(r registry.Registry) error {
	if c, ok := r.(io.Closer); ok {
		return c.Close()
	}
	return nil
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

// String names the registry.
func (p registryTarget) String() string {
	var all []string
	for _, m := range p.members {
		all = append(all, m.String())
	}
	return strings.Join(all, " and ")
}

func (m member) takesAddress() bool { return slices.Contains(m.entry().Flags, registryflags.Address) }

// String names the registry, with where it is.
func (m member) String() string {
	switch {
	case m.Addrs != nil:
		return m.kind + " at " + strings.Join(m.Addrs, ", ")
	case m.kind == "etcd":
		return "etcd at " + registryflags.DefaultAddress
	case m.kind == "consul":
		client := consul.Open(m.Consul(0)) // it does no I/O yet
		defer client.Close()
		return strings.TrimSuffix("consul at "+client.Addr(), " at ")
	}
	return m.kind
}

// flags returns the flags that name the registry, with a blank in front of each, but
// for what nobody is to read over somebody's shoulder.
func (p registryTarget) flags() string {
	var kinds, addrs []string
	for _, m := range p.members {
		kinds = append(kinds, m.kind)
		switch {
		case m.Addrs != nil && len(p.members) > 1:
			addrs = append(addrs, m.kind+"="+strings.Join(m.Addrs, ","))
		case m.Addrs != nil:
			addrs = append(addrs, m.Addrs...)
		}
	}
	text := " --registry=" + strings.Join(kinds, ",")
	if addrs != nil {
		text += " --registry_address=" + strings.Join(addrs, ",")
	}
	return text
}
