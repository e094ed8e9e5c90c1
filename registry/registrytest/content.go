package registrytest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// metadata registers nodes with odd metadata, and reads back what was given.
func (s *suite) metadata(t *testing.T) {
	r := s.open(t)
	odd := map[string]string{
		"": "under no key", "empty": "", "Zone": "upper", "zone": "lower", "a.b/c=d, e": "x=y, z", "服务": "节点",
		"json": `{"a":["\u00e9",null,"<&>"]}`, "lines": "one\r\n\ttwo\x00", "long": strings.Repeat("0123456789abcdef", 64),
	}
	hello := service("hello", "1", "a", "b", "c")
	hello.Nodes[0].Metadata, hello.Nodes[1].Metadata, hello.Nodes[2].Metadata = odd, map[string]string{}, nil
	mustRegister(t, r, hello)
	s.holds(t, r, "hello", hello)

	if s.noServiceMetadata {
		s.says(r, "service metadata", "the backend keeps the metadata of nodes alone")
		return
	}
	hello.Metadata = odd
	mustRegister(t, r, hello)
	s.holds(t, r, "hello", hello)
}

// endpoints registers a service with odd endpoints, and reads back what was given, in
// the order given.
func (s *suite) endpoints(t *testing.T) {
	r := s.open(t)
	hello := service("hello", "1", "a")
	hello.Endpoints = []*registry.Endpoint{
		{
			Name: "Greeter.Hello",
			Request: &registry.Value{Name: "Request", Type: "Request", Values: []*registry.Value{
				{Name: "tags", Type: "[]string"},
				{Name: "inner", Type: "Inner", Values: []*registry.Value{{Name: "deep", Type: "Deep", Values: []*registry.Value{{Name: "名", Type: "string"}}}}},
				{Name: "all", Type: "map[string]bool", Values: []*registry.Value{}},
			}},
			Response: &registry.Value{Name: "Response", Type: "Response"},
			Metadata: map[string]string{"path": `/a/{b}?c="d"&e`, "method": "GET,POST"},
		},
		{Name: "Greeter.Empty", Request: &registry.Value{}, Metadata: map[string]string{}},
		{Name: "Greeter.Bare"},
		{Name: "Events", Request: &registry.Value{Name: "Event", Type: "Event"}, Metadata: map[string]string{"subscriber": "true", "topic": "a.b"}},
	}
	mustRegister(t, r, hello)
	s.holds(t, r, "hello", hello)
	s.settles(t, func() error {
		got, err := r.GetService("hello")
		if err != nil {
			return err
		}
		if g, w := endpointNames(got...), endpointNames(hello); !slices.Equal(g, w) {
			return fmt.Errorf("the endpoints came as %q, want %q, the order in which they were registered", g, w)
		}
		return nil
	})
}

func endpointNames(services ...*registry.Service) (names []string) {
	for _, s := range services {
		for _, e := range s.Endpoints {
			names = append(names, e.Name)
		}
	}
	return names
}
