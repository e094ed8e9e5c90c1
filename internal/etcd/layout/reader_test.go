package layout

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// recordOf returns a record of a node as it stands in etcd.
func recordOf(t *testing.T, id string, change func(*registry.Service)) (key string, value []byte) {
	t.Helper()
	s := &registry.Service{
		Name: "s", Version: "1", Metadata: map[string]string{"of": "the service"},
		Endpoints: []*registry.Endpoint{{Name: "E", Request: &registry.Value{Name: "R"}, Metadata: map[string]string{}}},
		Nodes:     []*registry.Node{{Id: id, Address: id + ":1", Metadata: map[string]string{"server": "grpc"}}},
	}
	change(s)
	value, err := Encode(s, s.Nodes[0])
	if err != nil {
		t.Fatal(err)
	}
	return Layout{}.Node("s", id), value
}

func TestReaderSharesWhatIsEqual(t *testing.T) {
	var r Reader
	read := func(id string, change func(*registry.Service)) (*registry.Service, *registry.Node) {
		t.Helper()
		key, value := recordOf(t, id, change)
		s, n, err := r.Decode(key, value)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := Layout{}.Decode(key, value)
		if err != nil {
			t.Fatal(err)
		}
		whole := *s
		whole.Nodes = []*registry.Node{n}
		if !reflect.DeepEqual(&whole, alone) {
			t.Errorf("read %+v with %+v, want %+v", s, n, alone)
		}
		return s, n
	}
	same := func(a, b map[string]string) bool {
		return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
	}
	s, n := read("a", func(*registry.Service) {})
	if other, m := read("b", func(*registry.Service) {}); other != s || !same(m.Metadata, n.Metadata) {
		t.Error("two nodes of one version share neither service nor metadata")
	}
	other, m := read("c", func(s *registry.Service) {
		s.Version = "2"
		s.Nodes[0].Metadata["zone"] = "z"
	})
	if other == s || same(m.Metadata, n.Metadata) {
		t.Error("nodes that differ share what differs")
	}
	if other.Endpoints[0] != s.Endpoints[0] || !same(other.Metadata, s.Metadata) {
		t.Error("two versions share neither endpoints nor metadata, which are equal")
	}
}

func TestReaderRemembersLittle(t *testing.T) {
	var r Reader
	for i := range 10 * most {
		key, value := recordOf(t, fmt.Sprint(i), func(s *registry.Service) { s.Nodes[0].Metadata["host"] = fmt.Sprint(i) })
		if _, _, err := r.Decode(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.nodes.known); n > most {
		t.Errorf("metadata of %d nodes are remembered", n)
	}
}

// What Decode returns belongs to the caller: a service and its node are told apart though
// their metadata is written alike.
func TestDecodeSharesNothing(t *testing.T) {
	key, value := recordOf(t, "a", func(s *registry.Service) { s.Metadata = s.Nodes[0].Metadata })
	s, err := Layout{}.Decode(key, value)
	if err != nil {
		t.Fatal(err)
	}
	s.Nodes[0].Metadata["zone"] = "z"
	if s.Metadata["zone"] != "" {
		t.Error("what is noted of the node is noted of its service")
	}
}
