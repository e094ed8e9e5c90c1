package registrytest_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/registry"
)

// answers makes a fault that changes what lookups and lists return.
func answers(change func([]*registry.Service) []*registry.Service) func(*broken) {
	return func(b *broken) {
		get, list := b.get, b.list
		b.get = func(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
			got, err := get(name, opts...)
			return change(got), err
		}
		b.list = func(opts ...registry.ListOption) ([]*registry.Service, error) {
			got, err := list(opts...)
			return change(got), err
		}
	}
}

// takes makes a fault that changes what is registered.
func takes(change func(*registry.Service)) func(*broken) {
	return func(b *broken) {
		register := b.register
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if s == nil {
				return register(s, opts...)
			}
			return register(changed(s, change), opts...)
		}
	}
}

// changed returns a changed copy of s.
func changed(s *registry.Service, change func(*registry.Service)) *registry.Service {
	c := *s
	c.Metadata = maps.Clone(s.Metadata)
	c.Nodes, c.Endpoints = nil, nil
	for _, n := range s.Nodes {
		if n != nil {
			one := *n
			one.Metadata = maps.Clone(n.Metadata)
			n = &one
		}
		c.Nodes = append(c.Nodes, n)
	}
	for _, e := range s.Endpoints {
		one := *e
		c.Endpoints = append(c.Endpoints, &one)
	}
	change(&c)
	return &c
}

// there returns what is registered of a node, nil for nothing.
func there(b *broken, service, id string) *registry.Service {
	all, _ := b.inner.GetService(service)
	for _, s := range all {
		for _, n := range s.Nodes {
			if n.Id == id {
				one := *s
				one.Nodes = []*registry.Node{n}
				return &one
			}
		}
	}
	return nil
}

var directoryFaults = []fault{
	{name: "init-takes-nothing", test: "Init", says: "the timeout is 0s", breaks: func(b *broken) {
		b.init = func(...registry.Option) error { return nil }
	}},
	{name: "init-empties", test: "Init", says: "ErrNotFound", breaks: func(b *broken) {
		b.init = func(opts ...registry.Option) error {
			all, _ := b.inner.ListServices()
			for _, s := range all {
				_ = b.inner.Deregister(s)
			}
			return b.inner.Init(opts...)
		}
		b.get = func(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
			got, err := b.inner.GetService(name, opts...)
			if err != nil {
				err = errors.New("not ErrNotFound's text: " + err.Error() + " ErrNotFound")
			}
			return got, err
		}
	}},
	{name: "no-name", test: "Register", says: "has no name", breaks: func(b *broken) { b.name = "" }},
	{name: "version-has-one-owner", test: "Register", says: "look up", breaks: func(b *broken) {
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			old, _ := b.inner.GetService(s.Name)
			for _, o := range old {
				_ = b.inner.Deregister(o)
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "first-node-only", test: "Register", says: "look up", breaks: takes(func(s *registry.Service) { s.Nodes = s.Nodes[:1] })}, // v2's Consul
	{name: "nodes-in-disorder", test: "Register", says: "want them sorted by id", breaks: answers(func(all []*registry.Service) []*registry.Service {
		for _, s := range all {
			slices.Reverse(s.Nodes)
		}
		return all
	})},
	{name: "versions-in-disorder", test: "Versions", says: "want them sorted by name, then version", breaks: answers(func(all []*registry.Service) []*registry.Service {
		slices.Reverse(all) // v2's: at random
		return all
	})},
	{name: "version-for-each-node", test: "Versions", says: "came twice", breaks: answers(func(all []*registry.Service) (out []*registry.Service) {
		for _, s := range all {
			for i, n := range s.Nodes {
				one := changed(s, func(s *registry.Service) { s.Nodes = []*registry.Node{n} })
				if i > 0 {
					one.Endpoints = nil
				}
				out = append(out, one)
			}
		}
		return out
	})},
	{name: "versions-are-one", test: "Versions", says: "look up", breaks: takes(func(s *registry.Service) { s.Version = "1" })},
	{name: "what-is-there-stays", test: "Replace", says: "look up", breaks: func(b *broken) { // v2's memory and mDNS
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if there(b, s.Name, s.Nodes[0].Id) != nil {
				return nil
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "node-alone-counts", test: "Replace", says: "look up", breaks: func(b *broken) { // v2's etcd
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if old := there(b, s.Name, s.Nodes[0].Id); old != nil && reflect.DeepEqual(old.Nodes[0], s.Nodes[0]) {
				return nil
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "deregister-does-nothing", test: "Deregister", says: "look up", breaks: func(b *broken) {
		b.deregister = func(*registry.Service, ...registry.DeregisterOption) error { return nil }
	}},
	{name: "deregister-by-version", test: "Deregister", says: "look up", breaks: func(b *broken) {
		b.deregister = func(s *registry.Service, opts ...registry.DeregisterOption) error {
			if old := there(b, s.Name, s.Nodes[0].Id); old != nil && old.Version != s.Version {
				return nil
			}
			return b.inner.Deregister(s, opts...)
		}
	}},
	{name: "deregister-takes-all", test: "Deregister", says: "look up", breaks: func(b *broken) {
		b.deregister = func(s *registry.Service, opts ...registry.DeregisterOption) error {
			old, _ := b.inner.GetService(s.Name)
			for _, o := range old {
				_ = b.inner.Deregister(o)
			}
			return nil
		}
	}},
	{name: "unknown-cannot-go", test: "DeregisterUnknown", says: "deregister", breaks: func(b *broken) {
		b.deregister = func(s *registry.Service, opts ...registry.DeregisterOption) error {
			if there(b, s.Name, s.Nodes[0].Id) == nil {
				return registry.ErrNotFound
			}
			return b.inner.Deregister(s, opts...)
		}
	}},
	{name: "unknown-is-empty", test: "NotFound", says: "want ErrNotFound", breaks: func(b *broken) { // v2's mDNS and Consul
		b.get = func(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
			got, err := b.inner.GetService(name, opts...)
			if errors.Is(err, registry.ErrNotFound) {
				return []*registry.Service{}, nil
			}
			return got, err
		}
	}},
	{name: "name-is-a-prefix", test: "NotFound", says: "want ErrNotFound", breaks: named(strings.HasPrefix)},
	{name: "case-does-not-matter", test: "NotFound", says: "want ErrNotFound", breaks: func(b *broken) {
		named(strings.EqualFold)(b)
		register := b.register
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			return register(changed(s, func(s *registry.Service) {
				if s.Name == "helloworld" {
					s.Name = "hEllo"
				}
			}), opts...)
		}
	}},
	{name: "empty-list-is-an-error", test: "EmptyList", says: "list nothing", breaks: func(b *broken) {
		b.list = func(opts ...registry.ListOption) ([]*registry.Service, error) {
			got, err := b.inner.ListServices(opts...)
			if len(got) == 0 && err == nil {
				err = registry.ErrNotFound
			}
			return got, err
		}
	}},
	{name: "list-of-names", test: "List", says: "list: got", breaks: func(b *broken) { // v2's mDNS and Consul
		b.list = func(opts ...registry.ListOption) ([]*registry.Service, error) {
			got, err := b.inner.ListServices(opts...)
			for _, s := range got {
				s.Nodes, s.Endpoints = nil, nil
			}
			return got, err
		}
	}},
	{name: "name-and-version-run-together", test: "List", says: "list: got", breaks: answers(func(all []*registry.Service) (out []*registry.Service) { // v2's etcd
		seen := make(map[string]bool)
		for _, s := range all {
			if key := s.Name + s.Version; !seen[key] {
				seen[key] = true
				out = append(out, s)
			}
		}
		return out
	})},
	{name: "list-in-disorder", test: "List", says: "sorted by name", breaks: func(b *broken) {
		b.list = func(opts ...registry.ListOption) ([]*registry.Service, error) {
			got, err := b.inner.ListServices(opts...)
			slices.Reverse(got)
			return got, err
		}
	}},
}

// named makes a fault: names are looked up in another way.
func named(alike func(name, asked string) bool) func(*broken) {
	return func(b *broken) {
		b.get = func(name string, opts ...registry.GetOption) (out []*registry.Service, err error) {
			all, err := b.inner.ListServices()
			for _, s := range all {
				if alike(s.Name, name) {
					out = append(out, s)
				}
			}
			if len(out) == 0 && err == nil {
				err = registry.ErrNotFound
			}
			return out, err
		}
	}
}
