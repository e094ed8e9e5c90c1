package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
)

// DefaultSelectors are the selectors that can be chosen by name. A program may add its
// own before Init.
var DefaultSelectors = map[string]func(...selector.Option) selector.Selector{}

// Selector says where the selector is.
func Selector(s *selector.Selector) Option { return func(o *Options) { o.Selector = s } }

// NewSelector adds a selector that can be chosen by name.
func NewSelector(name string, s func(...selector.Option) selector.Selector) Option {
	return func(o *Options) { o.Selectors = with(o.Selectors, name, s) }
}

// selectorPart is applied by applySelector, once the registry is known.
func selectorPart() part {
	return part{flags: []cli.Flag{&cli.StringFlag{Name: "selector", Hidden: true}}}
}

// applySelector gives the client the selector that was named, if the program has
// one of that name.
func applySelector(in *input, g *given, to Options) {
	name, named := in.text("selector")
	if !named || to.Client != nil && (*to.Client).Options().Selector != nil && (*to.Client).Options().Selector.String() == name {
		return
	}
	construct, ok := merged(DefaultSelectors, to.Selectors)[name]
	if !ok {
		tellOnce(in.source("selector"), noneOfThatName("selector"))
		return
	}
	var opts []selector.Option
	if to.Registry != nil {
		opts = append(opts, selector.Registry(*to.Registry))
	}
	made := construct(opts...)
	if to.Selector != nil {
		*to.Selector = made
	}
	g.toClient = append(g.toClient, client.Selector(made))
}
