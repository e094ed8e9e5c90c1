package record

import (
	"maps"

	"github.com/rollcall-go/micro/registry"
)

// Copy returns a deep copy that shares nothing with services. All structs of one kind,
// and all lists of pointers to them, are made in one piece: a copy costs few allocations
// beside those of its maps, and keeping a part of it keeps all of it in memory.
func Copy(services []*registry.Service) []*registry.Service {
	if services == nil {
		return nil
	}
	c := newCopier(services)
	return copyEach(c, &c.services, services, (*copier).service)
}

// CopyService returns a deep copy of s, nil for nil.
func CopyService(s *registry.Service) *registry.Service {
	return Copy([]*registry.Service{s})[0]
}

// CopyNode returns a deep copy of n, nil for nil.
func CopyNode(n *registry.Node) *registry.Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Metadata = maps.Clone(n.Metadata)
	return &c
}

// room is space for so many structs of a kind, and for lists of pointers to them.
type room[T any] struct {
	structs []T
	lists   []*T
}

func roomFor[T any](n int) room[T] {
	if n == 0 {
		return room[T]{}
	}
	return room[T]{make([]T, n), make([]*T, n)}
}

// copyEach returns the copies of a list, taken from the room, each filled in by f. It
// keeps nil nil and empty empty: the two differ in JSON.
func copyEach[T any](c *copier, r *room[T], in []*T, f func(*copier, *T)) []*T {
	if in == nil {
		return nil
	}
	if len(in) == 0 {
		return []*T{}
	}
	out := r.lists[:len(in):len(in)]
	r.lists = r.lists[len(in):]
	for i, v := range in {
		if v != nil {
			out[i] = r.copy(c, v, f)
		}
	}
	return out
}

// copy returns the copy of v, filled in by f.
func (r *room[T]) copy(c *copier, v *T, f func(*copier, *T)) *T {
	to := &r.structs[0]
	r.structs = r.structs[1:]
	*to = *v
	f(c, to)
	return to
}

// copier has room for the copies of services.
type copier struct {
	services  room[registry.Service]
	nodes     room[registry.Node]
	endpoints room[registry.Endpoint]
	values    room[registry.Value]
}

func newCopier(services []*registry.Service) *copier {
	nodes, endpoints, values := 0, 0, 0
	for _, s := range services {
		if s == nil {
			continue
		}
		nodes, endpoints = nodes+len(s.Nodes), endpoints+len(s.Endpoints)
		for _, e := range s.Endpoints {
			if e != nil {
				values += 2 + count(e.Request) + count(e.Response)
			}
		}
	}
	return &copier{
		services: roomFor[registry.Service](len(services)), nodes: roomFor[registry.Node](nodes),
		endpoints: roomFor[registry.Endpoint](endpoints), values: roomFor[registry.Value](values),
	}
}

// count returns how many values are below v.
func count(v *registry.Value) (n int) {
	if v == nil {
		return 0
	}
	n = len(v.Values)
	for _, inner := range v.Values {
		n += count(inner)
	}
	return n
}

// Each of these makes a struct that is still the same as another one a deep copy of it.

func (c *copier) service(s *registry.Service) {
	s.Metadata = maps.Clone(s.Metadata)
	s.Endpoints = copyEach(c, &c.endpoints, s.Endpoints, (*copier).endpoint)
	s.Nodes = copyEach(c, &c.nodes, s.Nodes, (*copier).node)
}

func (c *copier) node(n *registry.Node) { n.Metadata = maps.Clone(n.Metadata) }

func (c *copier) endpoint(e *registry.Endpoint) {
	e.Metadata = maps.Clone(e.Metadata)
	if e.Request != nil {
		e.Request = c.values.copy(c, e.Request, (*copier).value)
	}
	if e.Response != nil {
		e.Response = c.values.copy(c, e.Response, (*copier).value)
	}
}

func (c *copier) value(v *registry.Value) {
	v.Values = copyEach(c, &c.values, v.Values, (*copier).value)
}
