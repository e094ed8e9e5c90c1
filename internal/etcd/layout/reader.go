package layout

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Reader decodes the values of many nodes for somebody who keeps them: the nodes of a
// service differ in little more than id and address, and what is equal is made once and
// shared, so that nobody may change it. One record has nothing twice. It is not safe for concurrent use; its Layout
// may be replaced at any time.
type Reader struct {
	Layout

	heads     shared[head, *registry.Service]
	services  shared[jsonText, map[string]string] // the metadata of services
	nodes     shared[jsonText, map[string]string] // the metadata of nodes
	endpoints shared[jsonText, []*registry.Endpoint]
}

// jsonText is a part of a value as it stands there.
type jsonText string

// UnmarshalJSON implements json.Unmarshaler.
func (t *jsonText) UnmarshalJSON(b []byte) error {
	*t = jsonText(b)
	return nil
}

// head is what a record says of the service.
type head struct {
	name, version       string
	metadata, endpoints jsonText
}

// stored is a value. What is shared is looked at only where it is new.
type stored struct {
	Name      string        `json:"name"`
	Version   string        `json:"version"`
	Metadata  jsonText      `json:"metadata"`
	Endpoints jsonText      `json:"endpoints"`
	Nodes     []*storedNode `json:"nodes"`
	Leaving   bool          `json:"leaving"`
}

type storedNode struct {
	ID       string   `json:"id"`
	Address  string   `json:"address"`
	Metadata jsonText `json:"metadata"`
}

// Decode is Layout.Decode with the service, which has no nodes, and the node apart.
func (r *Reader) Decode(key string, value []byte) (*registry.Service, *registry.Node, error) {
	s, n, err := r.decode(key, value)
	if err != nil {
		return nil, nil, fmt.Errorf("decode record %q: %w", key, err)
	}
	return s, n, nil
}

func (r *Reader) decode(key string, value []byte) (*registry.Service, *registry.Node, error) {
	var v stored
	if err := json.Unmarshal(value, &v); err != nil {
		return nil, nil, err
	}
	if v.Leaving {
		return nil, nil, ErrLeaving
	}
	i := slices.IndexFunc(v.Nodes, func(n *storedNode) bool { return n != nil && r.Node(v.Name, n.ID) == key })
	if i < 0 {
		return nil, nil, fmt.Errorf("it holds service %q without the node that the key names", v.Name)
	}
	s, err := r.head(&v)
	if err != nil {
		return nil, nil, err
	}
	n := &registry.Node{Id: v.Nodes[i].ID, Address: v.Nodes[i].Address}
	if strings.HasSuffix(key, n.Id) { // it is kept anyway
		n.Id = key[len(key)-len(n.Id):]
	}
	n.Metadata, err = r.nodes.get(v.Nodes[i].Metadata, decodeMetadata)
	if err != nil {
		return nil, nil, err
	}
	return s, n, record.CheckStored(s, n)
}

// head returns the service of a value, without nodes.
func (r *Reader) head(v *stored) (*registry.Service, error) {
	at := head{v.Name, v.Version, v.Metadata, v.Endpoints}
	return r.heads.get(at, func(at head) (*registry.Service, error) {
		s := &registry.Service{Name: at.name, Version: at.version}
		var err error
		if s.Metadata, err = r.services.get(at.metadata, decodeMetadata); err != nil {
			return nil, err
		}
		s.Endpoints, err = r.endpoints.get(at.endpoints, decodeEndpoints)
		return s, err
	})
}

func decodeMetadata(t jsonText) (m map[string]string, err error) {
	if t == "" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(t), &m)
	return m, err
}

func decodeEndpoints(t jsonText) (all []*registry.Endpoint, err error) {
	if t == "" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(t), &all)
	return slices.DeleteFunc(all, func(e *registry.Endpoint) bool { return e == nil }), err
}

// shared holds what was decoded from equal texts. The zero value is ready for use.
type shared[K comparable, V any] struct{ known map[K]V }

// most is how much is remembered. Where every node has metadata of its own nothing is
// gained by more, and what was handed out stays shared.
const most = 64

// get returns what f makes of k, made once.
func (s *shared[K, V]) get(k K, f func(K) (V, error)) (V, error) {
	if v, ok := s.known[k]; ok {
		return v, nil
	}
	v, err := f(k)
	if err != nil {
		return v, err
	}
	if s.known == nil || len(s.known) >= most {
		s.known = map[K]V{}
	}
	s.known[k] = v
	return v, nil
}
