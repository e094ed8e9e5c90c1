package layout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-go/micro/internal/record"
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

// ErrLeaving is the error of Decode for a record that MarkLeaving marked.
var ErrLeaving = errors.New("the node says that it is leaving")

// MarkLeaving returns a copy of a stored value that says that the node is about to
// take its record out. Who reads it knows that the delete that follows is meant.
// Readers of v2 take no notice.
func MarkLeaving(value []byte) []byte {
	end := bytes.LastIndexByte(value, '}')
	if end < 0 {
		return bytes.Clone(value)
	}
	return slices.Concat(value[:end], []byte(`,"leaving":true`), value[end:])
}

// Decode reads a stored value: a service with exactly one node, the one that the
// key names. It returns an error for anything else, so that a record planted
// under a foreign key is never taken for the service of that key. For a record
// that says that its node is leaving the error is ErrLeaving, wrapped.
func (l Layout) Decode(key string, value []byte) (*registry.Service, error) {
	var stored struct {
		registry.Service
		Leaving bool `json:"leaving"`
	}
	if err := json.Unmarshal(value, &stored); err != nil {
		return nil, fmt.Errorf("decode record %q: %w", key, err)
	}
	if stored.Leaving {
		return nil, fmt.Errorf("decode record %q: %w", key, ErrLeaving)
	}
	s := stored.Service
	i := slices.IndexFunc(s.Nodes, func(n *registry.Node) bool {
		return n != nil && l.Node(s.Name, n.Id) == key
	})
	if i < 0 {
		return nil, fmt.Errorf("decode record %q: it holds service %q without the node that the key names", key, s.Name)
	}
	s.Nodes = []*registry.Node{s.Nodes[i]}
	if err := record.CheckStored(&s); err != nil {
		return nil, fmt.Errorf("decode record %q: %w", key, err)
	}
	s.Endpoints = slices.DeleteFunc(s.Endpoints, func(e *registry.Endpoint) bool { return e == nil })
	return &s, nil
}
