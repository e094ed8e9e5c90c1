// Package version has calls made to the latest version of a service alone.
package version

import (
	"cmp"
	"strings"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/registry"
)

// NewClientWrapper returns a wrapper by which calls and streams go to the nodes of the
// latest version that is registered, as soon as there is one of it: a version that is
// rolled out gets all calls at its first node. Numbers in versions are compared as
// numbers, 1.10 being later than 1.9, and the rest as text.
func NewClientWrapper() client.Wrapper {
	return wrapping.WithOptions(client.WithSelectOption(selector.WithFilter(latest)))
}

// latest keeps the services of the latest version.
func latest(services []*registry.Service) []*registry.Service {
	if len(services) < 2 {
		return services
	}
	last := services[0].Version
	for _, s := range services[1:] {
		if compare(s.Version, last) > 0 {
			last = s.Version
		}
	}
	kept := make([]*registry.Service, 0, len(services))
	for _, s := range services {
		if s.Version == last {
			kept = append(kept, s)
		}
	}
	return kept
}

// compare compares texts in which runs of digits count as numbers. Of two that are equal
// by that, such as 1.0 and 1.00, the text decides.
func compare(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		m, n := digits(x), digits(y)
		if m == 0 || n == 0 {
			if c := cmp.Compare(x[0], y[0]); c != 0 {
				return c
			}
			x, y = x[1:], y[1:]
			continue
		}
		p, q := strings.TrimLeft(x[:m], "0"), strings.TrimLeft(y[:n], "0")
		if c := cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q)); c != 0 {
			return c
		}
		x, y = x[m:], y[n:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits is how many digits s begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
