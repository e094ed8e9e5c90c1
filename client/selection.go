package client

import (
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// builtinSelector is implemented by the selector of package selector alone.
type builtinSelector interface {
	Builtin() (given selector.Options, strategy string)
}

// withRegistry returns the selector of a client whose registry becomes r.
func withRegistry(s selector.Selector, r registry.Registry) selector.Selector {
	return withOptions(s, selector.Registry(r))
}

// withOptions returns the selector of a client that is given options: s itself, or one
// in the place of the selector that clients share, and of none.
func withOptions(s selector.Selector, opts ...selector.Option) selector.Selector {
	b, builtin := s.(builtinSelector)
	switch {
	case s == nil:
		return selector.NewSelector(opts...)
	case builtin && s == selector.DefaultSelector:
		given, _ := b.Builtin()
		shared := func(o *selector.Options) { *o = given }
		return selector.NewSelector(append([]selector.Option{shared}, opts...)...)
	}
	if err := s.Init(opts...); err != nil { // an Option cannot return it
		logger.Errorf("Selector [%s] Does not take the options of its client: %v", s.String(), err)
	}
	return s
}
