package registrytest_test

import (
	"errors"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/registry"
)

var contentFaults = []fault{
	{name: "slash-is-a-dash", test: "Names", says: "look up", breaks: func(b *broken) { // v2's etcd
		takes(func(s *registry.Service) { s.Name = strings.ReplaceAll(s.Name, "/", "-") })(b)
		b.get = func(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
			return b.inner.GetService(strings.ReplaceAll(name, "/", "-"), opts...)
		}
	}},
	{name: "long-names-are-cut", test: "LongNames", says: "service not found", breaks: takes(func(s *registry.Service) {
		s.Name = s.Name[:min(len(s.Name), 63)]
		s.Nodes[0].Id = s.Nodes[0].Id[:min(len(s.Nodes[0].Id), 63)]
	})},
	{name: "labels-are-refused", test: "LongNames", says: "of 63 bytes", breaks: func(b *broken) {
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if len(s.Name) > 60 {
				return errors.New("the name is too long: " + s.Name)
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "long-names-are-refused-without-a-word", test: "LongNames", says: "want one that shows it", breaks: func(b *broken) {
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if len(s.Name) > 63 {
				return errors.New("too long")
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "keys-in-lower-case", test: "Metadata", says: "look up", breaks: takes(func(s *registry.Service) {
		for k, v := range s.Nodes[0].Metadata {
			delete(s.Nodes[0].Metadata, k)
			s.Nodes[0].Metadata[strings.ToLower(k)] = v
		}
	})},
	{name: "no-empty-values", test: "Metadata", says: "look up", breaks: takes(func(s *registry.Service) {
		for k, v := range s.Nodes[0].Metadata {
			if v == "" {
				delete(s.Nodes[0].Metadata, k)
			}
		}
	})},
	{name: "no-metadata-of-services", test: "Metadata", says: "look up", breaks: takes(func(s *registry.Service) { s.Metadata = nil })}, // v2's mDNS and Consul
	{name: "endpoints-in-order-of-names", test: "Endpoints", says: "the order in which they were registered", breaks: takes(func(s *registry.Service) {
		slices.SortFunc(s.Endpoints, func(a, b *registry.Endpoint) int { return strings.Compare(a.Name, b.Name) })
	})},
	{name: "shallow-endpoints", test: "Endpoints", says: "look up", breaks: takes(func(s *registry.Service) {
		for _, e := range s.Endpoints {
			if e.Request != nil && len(e.Request.Values) > 1 {
				request := *e.Request
				request.Values = request.Values[:1]
				e.Request = &request
			}
		}
	})},
	{name: "request-out-of-nothing", test: "Endpoints", says: "look up", breaks: takes(func(s *registry.Service) {
		for _, e := range s.Endpoints {
			if e.Request == nil {
				e.Request = &registry.Value{}
			}
		}
	})},
	{name: "services-without-nodes", test: "BadInput", says: "no nodes", breaks: func(b *broken) { // v2's memory
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if s != nil && len(s.Nodes) == 0 {
				return nil
			}
			return b.inner.Register(s, opts...)
		}
	}},
	{name: "bad-names-are-mended", test: "BadInput", says: "blank", breaks: takes(func(s *registry.Service) { s.Name = strings.TrimSpace(s.Name) })},
	{name: "bad-names-are-not-shown", test: "BadInput", says: "want one that shows", breaks: func(b *broken) {
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			if b.inner.Register(s, opts...) != nil {
				return errors.New("bad name")
			}
			return nil
		}
	}},
	{name: "no-name-means-all", test: "BadInput", says: `look up ""`, breaks: func(b *broken) { // v2's etcd
		b.get = func(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
			if name == "" {
				return b.inner.ListServices()
			}
			return b.inner.GetService(name, opts...)
		}
	}},
	{name: "what-is-handed-in-is-kept", test: "Copies", says: "spoilt", breaks: func(b *broken) {
		kept := make(map[string]*registry.Service)
		b.register = func(s *registry.Service, opts ...registry.RegisterOption) error {
			kept[s.Name] = s
			return b.inner.Register(s, opts...)
		}
		b.get = func(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
			return []*registry.Service{kept[name]}, nil
		}
	}},
	{name: "what-is-handed-out-is-shared", test: "Copies", says: "spoilt", breaks: func(b *broken) { // v2's cache
		var shared []*registry.Service
		b.get = func(name string, opts ...registry.GetOption) (_ []*registry.Service, err error) {
			if shared == nil {
				shared, err = b.inner.GetService(name, opts...)
			}
			return slices.Clone(shared), err
		}
	}},
}
