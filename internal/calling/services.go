// Package calling is what clients of every protocol have in common: how they find the
// nodes of a service, and how they say that there is none.
package calling

import (
	"context"
	"strings"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// Selection is what the options of a client say of the choice of nodes.
type Selection struct {
	Registry registry.Registry // never nil
	Custom   selector.Selector // written by the program, else nil
	Balancer pick.Balancer
	Strategy selector.Strategy // written by the program, else nil
	Policy   balance.Policy
}

// builtinSelector is the selector that a client need not ask.
type builtinSelector interface {
	Builtin() (given selector.Options, strategy string)
}

// SelectionOf reads the options of a client.
func SelectionOf(o client.Options) Selection {
	s := Selection{Registry: o.Registry}
	if b, ok := o.Selector.(builtinSelector); ok {
		given, strategy := b.Builtin()
		var ours bool
		if s.Balancer, ours = pick.BalancerOf(strategy); !ours {
			s.Strategy = given.Strategy
		}
		s.Policy, _ = settings.Of[balance.Policy](given.Context)
		if given.Registry != nil {
			s.Registry = given.Registry
		}
	} else {
		s.Custom = o.Selector
	}
	if s.Registry == nil {
		s.Registry = registry.DefaultRegistry
	}
	return s
}

// Describe names a registry for errors: at the moment of the error, because what stands
// behind the default registry may be chosen after the client is made.
func Describe(r registry.Registry) string {
	addrs := r.Options().Addrs
	if len(addrs) == 0 {
		return r.String()
	}
	return r.String() + " (" + strings.Join(addrs, ",") + ")"
}

// Known returns what is known of a service. It waits only for one that nobody called
// before and on which the registry has not answered yet. With an error it may return a
// snapshot that is not Known.
func Known(ctx context.Context, d *discovery.Directory, r registry.Registry, service string) (*discovery.Snapshot, error) {
	s := d.Lookup(service)
	if s.Known {
		return s, nil
	}
	if err := ability.Check(r); err != nil {
		return s, err
	}
	return d.Wait(ctx, service)
}
