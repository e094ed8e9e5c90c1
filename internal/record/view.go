package record

import (
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/registry"
)

// ID identifies a node among all nodes of all services.
type ID struct{ Service, Node string }

// View keeps single records and makes immutable lists of them, grouped as Group
// does. A list shares with the one before it every group that did not change; of
// one that did, only what changed is sorted in. The zero value is empty and ready.
// It is not safe for concurrent use; the lists are.
type View struct {
	groups   map[string][]*group // by the name of the service, one of each version
	dirty    map[*group]bool
	services []*registry.Service
}

// group holds the records of one version.
type group struct {
	name, version string
	nodes         []*registry.Node    // as last listed, sorted by id; immutable
	head          *registry.Service   // what the record of each says of the service
	heads         []*registry.Service // the same where they differ, else nil
	changed       map[string]single   // by node id, records that came, changed or went since
}

// single is the record of one node: what it says of the service, and the node; nil both
// where there is none any more. The nodes of the head mean nothing.
type single struct {
	head *registry.Service
	node *registry.Node
}

// get returns the record of a node.
func (g *group) get(id string) single {
	if s, ok := g.changed[id]; ok {
		return s
	}
	if i, ok := slices.BinarySearchFunc(g.nodes, id, byID); ok {
		return single{g.headOf(i), g.nodes[i]}
	}
	return single{}
}

func (g *group) headOf(i int) *registry.Service {
	if g.heads == nil {
		return g.head
	}
	return g.heads[i]
}

// find returns the group that has the node, nil if none has, and its record.
func (v *View) find(id ID) (*group, single) {
	for _, g := range v.groups[id.Service] {
		if s := g.get(id.Node); s.node != nil {
			return g, s
		}
	}
	return nil, single{}
}

// Get returns the record of a node, nil if there is none.
func (v *View) Get(id ID) *registry.Service {
	g, s := v.find(id)
	switch {
	case g == nil:
		return nil
	case len(s.head.Nodes) == 1 && s.head.Nodes[0] == s.node:
		return s.head
	}
	one := *s.head
	one.Nodes = []*registry.Node{s.node}
	return &one
}

// Set puts a record with exactly one node in the place of the one that the node
// had. The view keeps s and what it points to: nobody changes it from then on.
func (v *View) Set(s *registry.Service) { v.SetNode(s, s.Nodes[0]) }

// SetNode is Set for a record whose service, head, several nodes share: the nodes in
// it mean nothing.
func (v *View) SetNode(head *registry.Service, n *registry.Node) {
	if v.groups == nil {
		v.groups = make(map[string][]*group)
		v.dirty = make(map[*group]bool)
	}
	id := ID{head.Name, n.Id}
	if old, _ := v.find(id); old != nil && old.version != head.Version {
		v.Delete(id)
	}
	i := slices.IndexFunc(v.groups[id.Service], func(g *group) bool { return g.version == head.Version })
	if i < 0 {
		i = len(v.groups[id.Service])
		v.groups[id.Service] = append(v.groups[id.Service], &group{name: head.Name, version: head.Version})
	}
	v.change(v.groups[id.Service][i], id.Node, single{head, n})
}

// Delete removes the record of a node, if there is one.
func (v *View) Delete(id ID) {
	if g, _ := v.find(id); g != nil {
		v.change(g, id.Node, single{})
	}
}

func (v *View) change(g *group, id string, s single) {
	if g.changed == nil {
		g.changed = make(map[string]single)
	}
	g.changed[id] = s
	v.dirty[g] = true
}

// IDs returns the nodes of the view, sorted.
func (v *View) IDs() []ID {
	var ids []ID
	for _, s := range v.Services() {
		for _, n := range s.Nodes {
			ids = append(ids, ID{s.Name, n.Id})
		}
	}
	slices.SortFunc(ids, func(a, b ID) int {
		if c := strings.Compare(a.Service, b.Service); c != 0 {
			return c
		}
		return strings.Compare(a.Node, b.Node)
	})
	return ids
}

// Services returns the list of the records as they are now. It is shared and
// immutable.
func (v *View) Services() []*registry.Service {
	if len(v.dirty) == 0 {
		return v.services
	}
	next := slices.Clone(v.services)
	for g := range v.dirty {
		i, found := slices.BinarySearchFunc(next, &registry.Service{Name: g.name, Version: g.version}, Compare)
		s := g.list()
		switch {
		case s == nil && found:
			next = slices.Delete(next, i, i+1)
		case s != nil && found:
			next[i] = s
		case s != nil:
			next = slices.Insert(next, i, s)
		}
		if s == nil {
			v.drop(g)
		}
	}
	clear(v.dirty)
	v.services = slices.Clip(next)
	return v.services
}

// drop forgets a group without nodes.
func (v *View) drop(g *group) {
	rest := slices.DeleteFunc(v.groups[g.name], func(other *group) bool { return other == g })
	if v.groups[g.name] = rest; len(rest) == 0 {
		delete(v.groups, g.name)
	}
}

// list returns one service with the nodes of all records, sorted by id; the rest
// is that of the first. It is nil if there is none.
func (g *group) list() *registry.Service {
	ids := slices.Sorted(maps.Keys(g.changed))
	more := 0
	for _, id := range ids {
		_, had := slices.BinarySearchFunc(g.nodes, id, byID)
		switch has := g.changed[id].node != nil; {
		case has && !had:
			more++
		case had && !has:
			more--
		}
	}
	g.spread()
	g.heads = splice(g.heads, g.nodes, ids, more, func(id string) *registry.Service { return g.changed[id].head })
	g.nodes = splice(g.nodes, g.nodes, ids, more, func(id string) *registry.Node { return g.changed[id].node })
	g.changed = nil // it may have been as large as all
	if len(g.nodes) == 0 {
		return nil
	}
	if g.heads != nil && !slices.ContainsFunc(g.heads, func(h *registry.Service) bool { return h != g.heads[0] }) {
		g.head, g.heads = g.heads[0], nil
	}
	s := *g.headOf(0)
	s.Nodes = g.nodes
	return &s
}

// spread gives each node a head of its own, unless they will all have the same.
func (g *group) spread() {
	if g.heads != nil {
		return
	}
	for _, s := range g.changed {
		if s.node != nil && s.head != g.head {
			g.heads = slices.Repeat([]*registry.Service{g.head}, len(g.nodes))
			return
		}
	}
}

// splice returns a list of what is there for each node, with more in it than before: for
// the nodes with the given ids, sorted, what of returns, nil for none any more. It
// returns nil for nil.
func splice[T any](there []*T, nodes []*registry.Node, ids []string, more int, of func(id string) *T) []*T {
	if there == nil && len(nodes) > 0 {
		return nil
	}
	out := make([]*T, 0, len(nodes)+more)
	for _, id := range ids {
		i, found := slices.BinarySearchFunc(nodes, id, byID)
		out = append(out, there[:i]...)
		if found {
			i++
		}
		there, nodes = there[i:], nodes[i:]
		if v := of(id); v != nil {
			out = append(out, v)
		}
	}
	return append(out, there...)
}

func byID(n *registry.Node, id string) int { return strings.Compare(n.Id, id) }

// Named returns the part of Services that is about one service.
func (v *View) Named(name string) []*registry.Service {
	return Named(v.Services(), name)
}

// Named returns the part of sorted services that has the given name. It shares
// the services' array, but appending to it does no harm.
func Named(services []*registry.Service, name string) []*registry.Service {
	byName := func(s *registry.Service, name string) int { return strings.Compare(s.Name, name) }
	from, _ := slices.BinarySearchFunc(services, name, byName)
	to := from
	for to < len(services) && services[to].Name == name {
		to++
	}
	return services[from:to:to]
}
