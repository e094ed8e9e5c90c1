package layout

import (
	"bytes"
	"encoding/json"
	"errors"
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
// that says that its node is leaving the error is ErrLeaving, wrapped. What it returns
// belongs to the caller.
func (l Layout) Decode(key string, value []byte) (*registry.Service, error) {
	r := Reader{Layout: l}
	head, node, err := r.Decode(key, value)
	if err != nil {
		return nil, err
	}
	head.Nodes = []*registry.Node{node}
	return head, nil
}
