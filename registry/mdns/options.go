package mdns

import (
	"context"

	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// domainKey is where Domain keeps its value, and where programs for go-micro v2 put
// theirs: a plain string, as v2 has it.
const domainKey = "mdns.domain"

// Domain sets the mDNS domain in which services register and are found; services of
// different domains do not see one another. The default is "micro". A dot at the
// end does not count.
func Domain(domain string) registry.Option {
	return func(o *registry.Options) {
		if o.Context == nil {
			o.Context = context.Background() // the root of values alone: nothing waits on it
		}
		o.Context = context.WithValue(o.Context, domainKey, domain) //nolint:staticcheck // v2's key
	}
}

// mdnsSettings are the options of this backend alone that only the house sets.
type mdnsSettings struct {
	loopback bool
}

// loopbackOnly keeps every packet on this host.
func loopbackOnly() registry.Option {
	return func(o *registry.Options) {
		s, _ := settings.Of[mdnsSettings](o.Context)
		s.loopback = true
		o.Context = settings.With(o.Context, s)
	}
}
