package cmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/wiring"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// applyRegistry sees to it that the registry is the one that was named, or made of
// those that were named, with the settings that were given, and that everybody uses
// it. Parts that have just been put in place are told of the registry in any case.
func applyRegistry(g given, to Options, newParts bool) error {
	settingsGiven := g.snapshot != ""
	for _, s := range g.settings {
		settingsGiven = settingsGiven || len(s.Given()) > 0
	}
	if len(g.registries) == 0 && !settingsGiven && (!newParts || to.Registry == nil) {
		return nil
	}
	at := registryInPlace(to)
	named := strings.Join(g.registries, ",")
	kept := registryName(to, "")
	made := len(g.registries) > 0 && named != registryName(to, named)
	switch {
	case made:
		r, err := openRegistry(g, to)
		if err != nil {
			return err
		}
		if _, ok := (*at).(ability.Placeholder); ok && to.Registry == nil {
			// Others may be reading the variable: what is chosen goes behind its value.
			at = &r
		} else {
			*at = r
		}
	case len(g.registries) == 0 && undecided(*at) && len(g.settings[0].Given()) > 0:
		flag := g.settings[0].Given()[0]
		return registryflags.Wrong(flag, g.settings[0].Whole(flag), "nobody says of which registry, and multicast DNS, the default, has no use for it; choose one, as with --registry=etcd or --registry=consul")
	default:
		if err := setUp(*at, g.settings[0], g.snapshot); err != nil {
			return err
		}
		warnOfUnused(g.settings, *at)
	}
	// What goes by the name of the placeholder may be that, in a program's wrapper: it
	// must not stand for what it is part of.
	p, ok := registry.DefaultRegistry.(ability.Placeholder)
	partOf := ok && kept == p.String() && (!made || slices.Contains(g.registries, kept))
	if ok && len(g.registries) > 0 && !partOf {
		p.Choose(*at)
	}
	return wiring.SetRegistry(*at, value(to.Server), value(to.Client), value(to.Broker))
}

// undecided reports whether r stands for the default, nothing having been chosen yet.
func undecided(r registry.Registry) bool {
	p, ok := r.(ability.Placeholder)
	return ok && !p.Chosen()
}

// openRegistry makes the registry that was named or, of several names, one of all of
// them. The one in place is among them if it is named, with what the code gave it.
func openRegistry(g given, to Options) (registry.Registry, error) {
	present := registryInPlace(to)
	constructors := registries(to)
	options := func(name string) []registry.Option {
		s := g.settings[slices.Index(g.registries, name)]
		opts := []registry.Option{s.Option()}
		if g.snapshot != "" {
			opts = append(opts, registry.Snapshot(g.snapshot))
		}
		return opts
	}
	var members []registry.Registry
	var wrong error
	for i, name := range g.registries {
		make := constructors[name]
		if name == registryName(to, name) {
			make = func(opts ...registry.Option) registry.Registry {
				if err := (*present).Init(opts...); err != nil {
					wrong = cmp.Or(wrong, g.settings[i].Refused(fmt.Errorf("set up the registry: %w", err)))
				}
				return borrowed{*present}
			}
		}
		constructors[name] = func(opts ...registry.Option) registry.Registry {
			r := make(opts...)
			wrong = cmp.Or(wrong, check(r, g.settings[i]))
			members = append(members, r)
			return r
		}
	}
	r := builtin.OpenRegistry(constructors, g.registries, options)
	if len(members) > 1 && g.snapshot != "" {
		wrong = cmp.Or(wrong, r.Init(registry.Snapshot(g.snapshot)))
	}
	if wrong == nil {
		warnOfUnused(g.settings, members...)
	}
	return r, wrong
}

// borrowed is a registry of the program's code among others. It stays the code's to
// close.
type borrowed struct{ registry.Registry }

func (b borrowed) Unwrap() registry.Registry { return b.Registry }

func (borrowed) Close() error { return nil }

// setUp hands what was given to a registry that is there.
func setUp(r registry.Registry, s registryflags.Settings, snapshot string) error {
	var opts []registry.Option
	if len(s.Given()) > 0 {
		opts = append(opts, s.Option())
	}
	if snapshot != "" {
		opts = append(opts, registry.Snapshot(snapshot))
	}
	if len(opts) > 0 {
		if err := r.Init(opts...); err != nil {
			return s.Refused(fmt.Errorf("set up the registry: %w", err))
		}
	}
	return check(r, s)
}

// check returns what is wrong with a registry or the settings that it was given.
func check(r registry.Registry, s registryflags.Settings) error {
	if err := s.Check(r.Options()); err != nil {
		return err
	}
	if err := ability.Check(r); err != nil {
		return s.Refused(err)
	}
	// A namespace that is not kept to is an error where others share the registry.
	if flag := registryflags.Namespace; slices.Contains(s.Given(), flag) && !obeys(r, flag) && (r.String() == "consul" || r.String() == "mdns") {
		return registryflags.Wrong(flag, s.Whole(flag), "the %s registry knows no namespaces: keep fleets apart otherwise, or name the registry that it is for, as in --%s=etcd=%s", r, flag, s.Layout.Namespace)
	}
	return nil
}

// warnOfUnused says which of the settings none of the registries has a use for.
func warnOfUnused(given []registryflags.Settings, of ...registry.Registry) {
	unused := make(map[string]bool)
	for i, r := range of {
		for _, flag := range given[i].Given() {
			before, asked := unused[flag]
			unused[flag] = !obeys(r, flag) && (before || !asked)
		}
	}
	var told []string
	for _, flag := range registryflags.Names() {
		if unused[flag] {
			told = append(told, fmt.Sprintf("--%s (%s)", flag, registryflags.Variable(flag)))
		}
	}
	if len(told) > 0 {
		logger.Warnf("Registry [%s] Has no use for %s", kinds(of), strings.Join(told, ", "))
	}
}

// obeys reports whether a registry has a use for a flag: one of ours says so, and a
// program's own can have understood what is in the contract, or has one of ours inside.
func obeys(r registry.Registry, flag string) bool {
	if entry, ok := builtin.Find(builtin.Registries(), r.String()); ok {
		return slices.Contains(entry.Flags, flag)
	}
	return slices.Contains(registryflags.InContract(), flag) || registryflags.Kept(r.Options())
}

func kinds(of []registry.Registry) string {
	var names []string
	for _, r := range of {
		names = append(names, r.String())
	}
	return strings.Join(names, ",")
}
