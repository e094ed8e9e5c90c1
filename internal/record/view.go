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
// does. A list shares with the one before it every group that did not change.
// The zero value is empty and ready. It is not safe for concurrent use; the
// lists are.
type View struct {
	versions map[ID]string
	groups   map[group]map[string]*registry.Service // by node id
	dirty    map[group]bool
	services []*registry.Service
}

// group is one version of a service.
type group struct{ name, version string }

// Get returns the record of a node, nil if there is none.
func (v *View) Get(id ID) *registry.Service {
	version, ok := v.versions[id]
	if !ok {
		return nil
	}
	return v.groups[group{id.Service, version}][id.Node]
}

// Set puts a record with exactly one node in the place of the one that the node
// had. The view keeps s and what it points to: nobody changes it from then on.
func (v *View) Set(s *registry.Service) {
	if v.versions == nil {
		v.versions = make(map[ID]string)
		v.groups = make(map[group]map[string]*registry.Service)
		v.dirty = make(map[group]bool)
	}
	id, g := ID{s.Name, s.Nodes[0].Id}, group{s.Name, s.Version}
	v.Delete(id)
	if v.groups[g] == nil {
		v.groups[g] = make(map[string]*registry.Service)
	}
	v.groups[g][id.Node] = s
	v.versions[id] = s.Version
	v.dirty[g] = true
}

// Delete removes the record of a node, if there is one.
func (v *View) Delete(id ID) {
	version, ok := v.versions[id]
	if !ok {
		return
	}
	g := group{id.Service, version}
	delete(v.versions, id)
	delete(v.groups[g], id.Node)
	v.dirty[g] = true
}

// IDs returns the nodes of the view, sorted.
func (v *View) IDs() []ID {
	return slices.SortedFunc(maps.Keys(v.versions), func(a, b ID) int {
		if c := strings.Compare(a.Service, b.Service); c != 0 {
			return c
		}
		return strings.Compare(a.Node, b.Node)
	})
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
		switch members := v.groups[g]; {
		case len(members) == 0 && found:
			next = slices.Delete(next, i, i+1)
			delete(v.groups, g)
		case len(members) == 0:
			delete(v.groups, g)
		case found:
			next[i] = merge(members)
		default:
			next = slices.Insert(next, i, merge(members))
		}
	}
	clear(v.dirty)
	v.services = slices.Clip(next)
	return v.services
}

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

// merge returns one service with the nodes of all members, sorted by id; the
// rest is that of the first.
func merge(members map[string]*registry.Service) *registry.Service {
	ids := slices.Sorted(maps.Keys(members))
	s := *members[ids[0]]
	s.Nodes = make([]*registry.Node, len(ids))
	for i, id := range ids {
		s.Nodes[i] = members[id].Nodes[0]
	}
	return &s
}
