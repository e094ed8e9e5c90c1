package selector

import (
	"slices"

	"github.com/rollcall-go/micro/registry"
)

// FilterEndpoint keeps the services that have an endpoint of the given name.
func FilterEndpoint(name string) Filter {
	return keep(func(s *registry.Service) bool {
		return slices.ContainsFunc(s.Endpoints, func(e *registry.Endpoint) bool { return e != nil && e.Name == name })
	})
}

// FilterVersion keeps the services of the given version.
func FilterVersion(version string) Filter {
	return keep(func(s *registry.Service) bool { return s.Version == version })
}

// FilterLabel keeps the nodes whose metadata has the given value under key, and
// the services that have such a node. A node without the key counts as one whose
// value is empty.
func FilterLabel(key, val string) Filter {
	return func(services []*registry.Service) []*registry.Service {
		var kept []*registry.Service
		for _, s := range services {
			var nodes []*registry.Node
			for _, n := range s.Nodes {
				if n.Metadata[key] == val {
					nodes = append(nodes, n)
				}
			}
			if len(nodes) == 0 {
				continue
			}
			c := *s
			c.Nodes = nodes
			kept = append(kept, &c)
		}
		return kept
	}
}

func keep(ok func(*registry.Service) bool) Filter {
	return func(services []*registry.Service) []*registry.Service {
		var kept []*registry.Service
		for _, s := range services {
			if ok(s) {
				kept = append(kept, s)
			}
		}
		return kept
	}
}
