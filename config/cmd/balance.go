package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/internal/similar"
)

// balanceFlags returns the flags that say to which nodes calls go.
func balanceFlags() []cli.Flag {
	flags := []cli.Flag{&cli.StringFlag{
		Name: "client_balancer", EnvVars: []string{"MICRO_CLIENT_BALANCER"}, DefaultText: "the program's own, or random", Category: "Client",
		Usage: "how calls choose among nodes: random, roundrobin, leastloaded",
	}}
	for _, s := range balance.Settings() {
		flags = append(flags, &cli.StringFlag{Name: s.Flag, EnvVars: []string{registryflags.Variable(s.Flag)}, DefaultText: s.Default, Usage: s.Usage, Category: "Client"})
	}
	return flags
}

// balanceOptions returns what was given of them.
func balanceOptions(in *input) []selector.Option {
	var opts []selector.Option
	if name, ok := in.text("client_balancer"); ok {
		opts = append(opts, selector.SetStrategy(strategy(in, name)))
	}
	for _, s := range balance.Settings() {
		v, ok := in.text(s.Flag)
		if !ok {
			continue
		}
		if !s.Set(new(balance.Policy), v) {
			in.fail(s.Flag, v, "%s", s.Wants)
		}
		opts = append(opts, func(o *selector.Options) {
			p, _ := settings.Of[balance.Policy](o.Context)
			s.Set(&p, v)
			o.Context = settings.With(o.Context, p)
		})
	}
	return opts
}

// strategy returns the balancer of a name, or fails with the one that may be meant.
func strategy(in *input, name string) selector.Strategy {
	switch name {
	case "random":
		return selector.Random
	case "roundrobin":
		return selector.RoundRobin
	case "leastloaded":
		return selector.LeastLoaded
	}
	meant := ""
	if near := similar.Nearest(name, []string{"random", "roundrobin", "leastloaded"}); near != "" {
		meant = " (did you mean " + near + "?)"
	}
	in.fail("client_balancer", name, "want random, roundrobin or leastloaded%s", meant)
	return nil
}
