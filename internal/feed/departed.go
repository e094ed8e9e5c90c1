package feed

import "github.com/rollcall-go/micro/registry"

// Departed returns the nodes of prev that are not in cur, under any version. It
// knows no leases. A service that both views share is not looked into.
func Departed(prev, cur []*registry.Service) []Departure {
	type id struct{ service, node string }
	shared := make(map[*registry.Service]bool, len(cur))
	for _, s := range cur {
		shared[s] = true
	}
	var there map[id]bool
	var gone []Departure
	for _, s := range prev {
		if shared[s] {
			continue
		}
		if there == nil {
			there = make(map[id]bool)
			for _, c := range cur {
				for _, n := range c.Nodes {
					there[id{c.Name, n.Id}] = true
				}
			}
		}
		for _, n := range s.Nodes {
			if !there[id{s.Name, n.Id}] {
				gone = append(gone, Departure{Service: s.Name, Version: s.Version, Node: n})
			}
		}
	}
	return gone
}
