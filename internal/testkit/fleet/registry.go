package fleet

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// Timeout bounds one operation of the registries that Registry opens.
const Timeout = 2 * time.Second

// Registry opens a registry in the etcd at addr. It is closed with the test.
func Registry(t testing.TB, addr string, opts ...registry.Option) registry.Registry {
	t.Helper()
	r := etcd.NewRegistry(append([]registry.Option{registry.Addrs(addr), registry.Timeout(Timeout)}, opts...)...)
	t.Cleanup(func() { Close(t, r) })
	return r
}

// Close closes a part that can be closed, and fails the test if that fails.
func Close(t testing.TB, part any) {
	t.Helper()
	if err := part.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
}

// Record returns a service with nodes of these ids, at addresses where nobody is.
func Record(name string, ids ...string) *registry.Service {
	s := &registry.Service{Name: name, Version: "1"}
	for i, id := range ids {
		s.Nodes = append(s.Nodes, &registry.Node{Id: id, Address: fmt.Sprintf("127.0.0.1:%d", i+1)})
	}
	return s
}

// Addresses returns the nodes of a service as r has them, by id. A service that is
// not there has none.
func Addresses(r registry.Registry, name string) (map[string]string, error) {
	services, err := r.GetService(name)
	if errors.Is(err, registry.ErrNotFound) {
		err = nil
	}
	all := map[string]string{}
	for _, s := range services {
		for _, n := range s.Nodes {
			all[n.Id] = n.Address
		}
	}
	return all, err
}

// IDs returns the ids of the nodes of a service as r has them, sorted.
func IDs(r registry.Registry, name string) ([]string, error) {
	all, err := Addresses(r, name)
	return slices.Sorted(maps.Keys(all)), err
}

// Listed tells whether r has n nodes of the service.
func Listed(r registry.Registry, name string, n int) bool {
	all, err := Addresses(r, name)
	return err == nil && len(all) == n
}
