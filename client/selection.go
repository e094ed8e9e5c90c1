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
	b, builtin := s.(builtinSelector)
	switch {
	case s == nil:
		return selector.NewSelector(selector.Registry(r))
	case builtin && s == selector.DefaultSelector:
		given, _ := b.Builtin()
		given.Registry = r
		return selector.NewSelector(func(o *selector.Options) { *o = given })
	}
	if err := s.Init(selector.Registry(r)); err != nil { // an Option cannot return it
		logger.Errorf("Selector [%s] Does not take the registry %q: %v", s.String(), r.String(), err)
	}
	return s
}
