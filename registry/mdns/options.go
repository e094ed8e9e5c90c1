package mdns

import (
	"cmp"
	"context"
	"os"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/mdns"
	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// domainKey is where Domain keeps its value, and where programs for go-micro v2 put
// theirs: a plain string, as v2 has it.
const domainKey = "mdns.domain"

// Domain sets the domain in which services register and are found; services of
// different domains do not see one another. The default is "micro", as in v2. A dot
// at the end does not count. It is given to NewRegistry: the domain of a registry in
// use does not change.
func Domain(domain string) registry.Option {
	return func(o *registry.Options) {
		if o.Context == nil {
			o.Context = context.Background() // carries values only
		}
		//lint:ignore SA1029 the key is v2's
		o.Context = context.WithValue(o.Context, domainKey, domain)
	}
}

// mdnsSettings are the options of this backend alone that only the house sets.
type mdnsSettings struct {
	links  mdns.Links
	open   func() (mdns.Transport, error) // nil: on the interfaces of links
	absent time.Duration                  // 0: mdns.Absent
}

// place is where a registry registers and looks, according to its options.
type place struct {
	domain string
	mdnsSettings
}

func placeOf(o registry.Options) place {
	var domain string
	if o.Context != nil {
		domain, _ = o.Context.Value(domainKey).(string)
	}
	s, _ := settings.Of[mdnsSettings](o.Context)
	// What is in the house may keep to loopback: a demonstration, and tests.
	if links, ok := settings.Of[mdns.Links](o.Context); ok {
		s.links = links
	}
	if s.open == nil {
		s.open = func() (mdns.Transport, error) { return mdns.Open(s.links) }
	}
	return place{cmp.Or(strings.TrimSuffix(domain, "."), txt.DefaultDomain), s}
}

// engine makes the engine of a place.
func (p place) engine(warn func(string)) *mdns.Engine {
	return mdns.New(mdns.Config{
		Domain: p.domain,
		Host:   host(),
		Open:   p.open,
		Warn:   warn,
		Absent: p.absent,
	})
}

// host returns the name of this host as v2 writes it into its records, or what can
// stand there in its place. Nobody looks it up.
func host() string {
	name, err := os.Hostname()
	if err != nil || txt.CheckDomain(name) != nil {
		return "localhost."
	}
	return name + "."
}
