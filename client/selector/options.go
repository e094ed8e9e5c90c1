package selector

import (
	"context"

	"github.com/rollcall-go/micro/registry"
)

// Options are the settings of a selector.
type Options struct {
	// Registry is where services are looked up. Nil means the client's registry,
	// and registry.DefaultRegistry where there is no client.
	Registry registry.Registry
	// Strategy chooses among the nodes. Nil means Random.
	Strategy Strategy

	// Context carries the settings of one implementation. May be nil.
	Context context.Context
}

// SelectOptions are the settings of one selection.
type SelectOptions struct {
	// Filters run in order before the strategy.
	Filters []Filter
	// Strategy replaces the selector's own. Nil means the selector's own.
	Strategy Strategy

	// Context carries the settings of one implementation. May be nil.
	Context context.Context
}

// Option sets a field of Options.
type Option func(*Options)

// SelectOption sets a field of SelectOptions.
type SelectOption func(*SelectOptions)

// Registry sets where services are looked up.
func Registry(r registry.Registry) Option {
	return func(o *Options) { o.Registry = r }
}

// SetStrategy sets the strategy of the selector.
func SetStrategy(fn Strategy) Option {
	return func(o *Options) { o.Strategy = fn }
}

// WithFilter appends filters to those of this selection.
func WithFilter(fn ...Filter) SelectOption {
	return func(o *SelectOptions) { o.Filters = append(o.Filters, fn...) }
}

// WithStrategy sets the strategy of this selection.
func WithStrategy(fn Strategy) SelectOption {
	return func(o *SelectOptions) { o.Strategy = fn }
}
