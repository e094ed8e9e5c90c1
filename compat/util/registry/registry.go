// Package registry has what go-micro v2's util/registry has: copies of services, and
// lists of them put together and taken apart. It is frozen.
package registry

import (
	"slices"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// CopyService returns a deep copy.
func CopyService(service *registry.Service) *registry.Service { return record.CopyService(service) }

// Copy returns deep copies.
func Copy(current []*registry.Service) []*registry.Service { return record.Copy(current) }

// Merge returns copies of the services of both lists, one a version. Of a node that is
// in both, that of nlist counts.
func Merge(olist, nlist []*registry.Service) []*registry.Service {
	merged := record.Copy(olist)
	for _, n := range record.Copy(nlist) {
		i := slices.IndexFunc(merged, func(o *registry.Service) bool { return o.Version == n.Version })
		if i < 0 {
			merged = append(merged, n)
			continue
		}
		merged[i].Nodes = append(n.Nodes, without(merged[i].Nodes, n.Nodes)...)
	}
	return merged
}

// Remove returns copies of the services without the nodes in del. A version that loses
// its last node is not among them.
func Remove(old, del []*registry.Service) []*registry.Service {
	var left []*registry.Service
	for _, s := range record.Copy(old) {
		lost := false
		for _, d := range del {
			if d.Version == s.Version {
				s.Nodes = without(s.Nodes, d.Nodes)
				lost = lost || len(s.Nodes) == 0
			}
		}
		if !lost {
			left = append(left, s)
		}
	}
	return left
}

// without returns the nodes whose ids are not among those of others.
func without(nodes, others []*registry.Node) []*registry.Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n *registry.Node) bool {
		return slices.ContainsFunc(others, func(o *registry.Node) bool { return o.Id == n.Id })
	})
}
