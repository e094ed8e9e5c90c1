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
	versions map[ID]string
	groups   map[version]*group
	dirty    map[version]bool
	services []*registry.Service
}

// version is one version of a service.
type version struct{ name, version string }

// group holds the records of one version.
type group struct {
	records map[string]*registry.Service // by node id
	nodes   []*registry.Node             // as last listed, sorted by id; immutable
	changed map[string]bool              // ids whose record came, changed or went since
}

// Get returns the record of a node, nil if there is none.
func (v *View) Get(id ID) *registry.Service {
	number, ok := v.versions[id]
	if !ok {
		return nil
	}
	return v.groups[version{id.Service, number}].records[id.Node]
}

// Set puts a record with exactly one node in the place of the one that the node
// had. The view keeps s and what it points to: nobody changes it from then on.
func (v *View) Set(s *registry.Service) {
	if v.versions == nil {
		v.versions = make(map[ID]string)
		v.groups = make(map[version]*group)
		v.dirty = make(map[version]bool)
	}
	id, key := ID{s.Name, s.Nodes[0].Id}, version{s.Name, s.Version}
	if old, ok := v.versions[id]; ok && old != s.Version {
		v.Delete(id)
	}
	g := v.groups[key]
	if g == nil {
		g = &group{records: make(map[string]*registry.Service), changed: make(map[string]bool)}
		v.groups[key] = g
	}
	g.records[id.Node], g.changed[id.Node] = s, true
	v.versions[id] = s.Version
	v.dirty[key] = true
}

// Delete removes the record of a node, if there is one.
func (v *View) Delete(id ID) {
	number, ok := v.versions[id]
	if !ok {
		return
	}
	key := version{id.Service, number}
	g := v.groups[key]
	delete(v.versions, id)
	delete(g.records, id.Node)
	g.changed[id.Node] = true
	v.dirty[key] = true
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
	for key := range v.dirty {
		i, found := slices.BinarySearchFunc(next, &registry.Service{Name: key.name, Version: key.version}, Compare)
		s := v.groups[key].list()
		switch {
		case s == nil && found:
			next = slices.Delete(next, i, i+1)
		case s != nil && found:
			next[i] = s
		case s != nil:
			next = slices.Insert(next, i, s)
		}
		if s == nil {
			delete(v.groups, key)
		}
	}
	clear(v.dirty)
	v.services = slices.Clip(next)
	return v.services
}

// list returns one service with the nodes of all records, sorted by id; the rest
// is that of the first. It is nil if there is none.
func (g *group) list() *registry.Service {
	if len(g.records) == 0 {
		return nil
	}
	nodes := make([]*registry.Node, 0, len(g.records))
	rest := g.nodes
	for _, id := range slices.Sorted(maps.Keys(g.changed)) {
		i, found := slices.BinarySearchFunc(rest, id, byID)
		nodes = append(nodes, rest[:i]...)
		rest = rest[i:]
		if found {
			rest = rest[1:]
		}
		if s := g.records[id]; s != nil {
			nodes = append(nodes, s.Nodes[0])
		}
	}
	g.nodes = append(nodes, rest...)
	clear(g.changed)
	s := *g.records[g.nodes[0].Id]
	s.Nodes = g.nodes
	return &s
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
