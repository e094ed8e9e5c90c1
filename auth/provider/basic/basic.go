// Package basic is the provider of programs whose users log in at the program itself.
package basic

import "github.com/rollcall-go/micro/auth/provider"

type basic struct{ options provider.Options }

// NewProvider returns a provider that sends nobody anywhere.
func NewProvider(opts ...provider.Option) provider.Provider {
	b := &basic{}
	for _, o := range opts {
		o(&b.options)
	}
	return b
}

func (b *basic) String() string { return "basic" }

func (b *basic) Options() provider.Options { return b.options }

func (b *basic) Endpoint(...provider.EndpointOption) string { return "" }

func (b *basic) Redirect() string { return "" }
