package record

import "github.com/rollcall-go/micro/registry"

// Split returns one record a node: copies of s that have that node alone and
// share everything else with s. Nil nodes are left out.
func Split(s *registry.Service) []*registry.Service {
	out := make([]*registry.Service, 0, len(s.Nodes))
	for _, n := range s.Nodes {
		if n == nil {
			continue
		}
		one := *s
		one.Nodes = []*registry.Node{n}
		out = append(out, &one)
	}
	return out
}
