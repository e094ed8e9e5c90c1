package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/bridge"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/logger"
)

// registryCommand groups what is done to registries as a whole.
func registryCommand() *cli.Command {
	return &cli.Command{
		Name:  "registry",
		Usage: "mirror one registry into another",
		Subcommands: []*cli.Command{{
			Name:  "sync",
			Usage: "mirror services from one registry to another, while it runs",
			Description: `Registers every node of the one registry in the other one too, as long as it runs,
for fleets that move and cannot be changed at once. What registers, changes or leaves
there does so here. Mirrored records are marked (metadata ` + bridge.Mark + `)
and never mirrored back, so that both directions may run at once; a node that
registers there by itself goes before its mirrored record; while the registry that is
read is away, everything stays. Run a second one on another host, and it takes over
when the first one is gone. When it is interrupted it takes out what it mirrored;
when it is killed that goes at the end of its time to live.

   micro registry sync --from consul=10.0.0.5:8500 --to etcd=10.0.0.6:2379,10.0.0.7:2379
   micro registry sync --from mdns --to etcd=10.0.0.6:2379 --service 'shop.*' --service user
   micro registry sync --from consul --to etcd=10.0.0.6:2379 --to_user root --to_password_file /run/secrets/etcd`,
			Flags: append(append(endFlags(from), endFlags(to)...),
				&cli.StringSliceFlag{Name: "service", Usage: "mirror the service `NAME`, or with a * at its end all that begin so; may be given more than once"},
				&cli.StringFlag{Name: "ttl", Value: defaults.RegisterTTL.String(), Usage: "mirrored records outlive a killed sync by `DURATION`"},
				&cli.BoolFlag{Name: "leave", Usage: "when interrupted leave the mirrored records to their time to live", DisableDefaultText: true},
				timeoutFlag(5*time.Second), loopbackFlag(), outputFlag()),
			Before: arguments(0, 0),
			Action: runSync,
		}},
	}
}

// end is one end of a sync, by the name of its flag.
type end string

const (
	from end = "from"
	to   end = "to"
)

// flag returns the name of the flag that is for this end what the given one is where
// there is one registry.
func (e end) flag(name string) string {
	if name == registryflags.Address {
		return string(e)
	}
	return string(e) + "_" + strings.TrimPrefix(name, "registry_")
}

// endFlags returns the flags of one end.
func endFlags(e end) []cli.Flag {
	category, where := "The registry to read", "from"
	if e == to {
		category, where = "The registry to write", "to"
	}
	variable := func(name string) []string { return []string{registryflags.Variable(name)} }
	flags := []cli.Flag{
		&cli.StringFlag{Name: string(e), EnvVars: variable(string(e)), Category: category, DefaultText: "has to be given",
			Usage: "mirror " + where + " `KIND[=HOST:PORT,...]`"},
		&cli.StringFlag{Name: e.flag("name"), EnvVars: variable(e.flag("name")), Category: category, DefaultText: "its kind",
			Usage: "it is called `NAME` in marks, the same in every sync; two of one kind need different ones"},
	}
	for _, f := range registryflags.Flags() {
		if f, ok := f.(*cli.StringFlag); ok && f.Name != registryflags.Address {
			flags = append(flags, &cli.StringFlag{Name: e.flag(f.Name), EnvVars: variable(e.flag(f.Name)), Category: category, DefaultText: f.DefaultText, Usage: f.Usage})
		}
	}
	return flags
}

// endOf reads the flags of one end.
func endOf(c *cli.Context, e end) (registryTarget, error) {
	var p registryTarget
	given := strings.TrimSpace(registryflags.Given(c, string(e)))
	if given == "" {
		return p, usagef("%q is missing: give a kind of registry and its address, such as consul=10.0.0.5:8500", dashed(string(e)))
	}
	kind, addrs, assigned := strings.Cut(given, "=")
	if assigned && strings.TrimSpace(addrs) == "" {
		return p, usagef("invalid value %q for %q: no address stands behind the =", given, dashed(string(e)))
	}
	kinds, err := kindsOf(string(e), kind)
	if err != nil {
		return p, err
	}
	if len(kinds) > 1 {
		return p, usagef("invalid value %q for %q: give one registry", given, dashed(string(e)))
	}
	if p.timeout, err = timeoutOf(c); err != nil {
		return p, err
	}
	settings, err := registryflags.Read(func(name string) string {
		if name == registryflags.Address {
			return addrs
		}
		return registryflags.Given(c, e.flag(name))
	})
	if err == nil {
		p.members, p.chosen = []member{{kinds[0], settings, c.Bool(loopbackName)}}, true
		err = p.check()
	}
	return p, e.wrong(err)
}

// wrong puts an error about a flag into words about the one of this end.
func (e end) wrong(err error) error {
	var usage *usageError
	if err == nil || !errors.As(err, &usage) {
		var setting *registryflags.Error
		if !errors.As(err, &setting) {
			return err
		}
		return e.wrong(wrongSetting(err))
	}
	text := usage.text
	for _, name := range registryflags.Names() {
		text = strings.ReplaceAll(text, `"`+dashed(name)+`"`, `"`+dashed(e.flag(name))+`"`)
		text = strings.ReplaceAll(text, dashed(name)+" ", dashed(e.flag(name))+" ")
		text = strings.ReplaceAll(text, "("+registryflags.Variable(name)+")", "("+registryflags.Variable(e.flag(name))+")")
	}
	return &usageError{text}
}

// nameOf returns what the end is called in marks.
func nameOf(c *cli.Context, e end, p, other registryTarget) string {
	if name := strings.TrimSpace(registryflags.Given(c, e.flag("name"))); name != "" {
		return name
	}
	m, name := p.members[0], p.members[0].kind
	if m.kind == other.members[0].kind {
		name += "@" + strings.Join(m.Addrs, "+")
		if m.Layout.Namespace != "" {
			name += "/" + m.Layout.Namespace
		}
	}
	return strings.TrimSuffix(name, "@")
}

func runSync(c *cli.Context) error {
	source, err := endOf(c, from)
	if err != nil {
		return err
	}
	target, err := endOf(c, to)
	if err != nil {
		return err
	}
	ttl, err := time.ParseDuration(c.String("ttl"))
	if err != nil || ttl < time.Second {
		return usagef("invalid value %q for \"--ttl\": give a duration of a second or more, such as 15s or 1m", c.String("ttl"))
	}
	if err := logger.Init(logger.WithOutput(c.App.ErrWriter)); err != nil {
		return fmt.Errorf("set the log up: %w", err)
	}
	cfg := bridge.Config{
		From:     bridge.Side{Name: nameOf(c, from, source, target), Registry: source.new()},
		To:       bridge.Side{Name: nameOf(c, to, target, source), Registry: target.new()},
		Services: c.StringSlice("service"), TTL: ttl, Leave: c.Bool("leave"),
		OnEvent: (&progress{c: c, from: source, to: target}).tell,
	}
	stderr(c).note("mirroring from %s to %s, Ctrl-C ends", source, target)
	err = bridge.Run(c.Context, cfg)
	return errors.Join(err, closeRegistry(cfg.From.Registry), closeRegistry(cfg.To.Registry))
}
