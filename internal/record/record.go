// Package record works on registry records: it copies them, sorts them into
// one service per version, and compares views.
package record

import (
	"slices"
	"strings"

	"github.com/rollcall-go/micro/registry"
)

// Mark is the key of a node's metadata that tells our nodes from v2's. Its value is
// our version.
const Mark = "rollcall"

// Mirrored is the key of a node's metadata that says that the record was written by a
// bridge between registries, and not by its service. Its value names the registries
// that the record came through, the first one first, with commas between.
const Mirrored = "rollcall-synced-from"

// CopyShallow copies the services and their node slices but shares nodes,
// endpoints and metadata. It is what a user-written Filter or Strategy may
// reorder and cut without harm.
func CopyShallow(services []*registry.Service) []*registry.Service {
	out := make([]*registry.Service, len(services))
	for i, s := range services {
		c := *s
		c.Nodes = slices.Clone(s.Nodes)
		out[i] = &c
	}
	return out
}

// Group sorts single records, each a service with usually one node, into one
// service per name and version: names in order, versions in order, nodes by id.
// Name, metadata and endpoints of a group are those of its first record. The
// result shares the records' nodes, endpoints and metadata.
func Group(records []*registry.Service) []*registry.Service {
	type key struct{ name, version string }
	groups := make(map[key]*registry.Service, len(records))
	out := make([]*registry.Service, 0, len(records))
	for _, r := range records {
		k := key{r.Name, r.Version}
		g, ok := groups[k]
		if !ok {
			c := *r
			c.Nodes = slices.Clone(r.Nodes)
			groups[k] = &c
			out = append(out, &c)
			continue
		}
		g.Nodes = append(g.Nodes, r.Nodes...)
	}
	for _, g := range out {
		slices.SortStableFunc(g.Nodes, func(a, b *registry.Node) int { return strings.Compare(a.Id, b.Id) })
	}
	slices.SortStableFunc(out, Compare)
	return out
}

// Compare orders services by name, then version.
func Compare(a, b *registry.Service) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Version, b.Version)
}

// NodeID returns the id of the node of a server with that id, as go-micro v2 makes it.
func NodeID(service, server string) string { return service + "-" + server }
