package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/builtin"
)

// DefaultSelectors are the selectors that can be chosen by name. A program may add its
// own before Init.
var DefaultSelectors = builtin.Map(builtin.Selectors())

// Selector says where the selector is.
func Selector(s *selector.Selector) Option { return func(o *Options) { o.Selector = s } }

// NewSelector adds a selector that can be chosen by name.
func NewSelector(name string, s func(...selector.Option) selector.Selector) Option {
	return func(o *Options) { o.Selectors = with(o.Selectors, name, s) }
}

// selectorPart is applied by applySelector, once the registry is known.
func selectorPart() part {
	return part{flags: []cli.Flag{&cli.StringFlag{
		Name: "selector", EnvVars: []string{"MICRO_SELECTOR"}, DefaultText: "the registry's", Category: "Client",
		Usage: "what finds nodes in place of the registry: " + builtin.Choices(builtin.Selectors()),
	}}}
}

// applySelector gives the client the selector that was named.
func applySelector(in *input, g *given, to Options) {
	present := ""
	if to.Client != nil && (*to.Client).Options().Selector != nil {
		present = (*to.Client).Options().Selector.String()
	}
	own := merged(DefaultSelectors, to.Selectors)
	name := choice(in, "selector", present, builtin.Selectors(), own)
	if in.err != nil || name == "" || name == present {
		return
	}
	var opts []selector.Option
	if to.Registry != nil {
		opts = append(opts, selector.Registry(*to.Registry))
	}
	made := own[name](opts...)
	if to.Selector != nil {
		*to.Selector = made
	}
	g.toClient = append(g.toClient, client.Selector(made))
}
