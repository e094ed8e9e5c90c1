package record

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rollcall-go/micro/registry"
)

// Encode returns the value under which one node of a service is stored: the
// service as JSON with that node alone. What nil and empty lists and maps look
// like is part of the format (null, [] and {}).
func Encode(s *registry.Service, n *registry.Node) ([]byte, error) {
	one := *s
	one.Nodes = []*registry.Node{n}
	value, err := json.Marshal(&one)
	if err != nil {
		return nil, fmt.Errorf("encode node %q of service %q: %w", n.Id, s.Name, err)
	}
	return value, nil
}

// Decode reads a stored value: a service with exactly one node, the one that the
// key names. It returns an error for anything else, so that a record planted
// under a foreign key is never taken for the service of that key.
func Decode(key string, value []byte) (*registry.Service, error) {
	var s registry.Service
	if err := json.Unmarshal(value, &s); err != nil {
		return nil, fmt.Errorf("decode record %q: %w", key, err)
	}
	i := slices.IndexFunc(s.Nodes, func(n *registry.Node) bool {
		return n != nil && Key(s.Name, n.Id) == key
	})
	if i < 0 {
		return nil, fmt.Errorf("decode record %q: it holds service %q without the node that the key names", key, s.Name)
	}
	if err := CheckName(s.Name); err != nil {
		return nil, fmt.Errorf("decode record %q: %w", key, err)
	}
	s.Nodes = []*registry.Node{s.Nodes[i]}
	s.Endpoints = slices.DeleteFunc(s.Endpoints, func(e *registry.Endpoint) bool { return e == nil })
	return &s, nil
}
