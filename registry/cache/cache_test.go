package cache_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/cache"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/registry/registrytest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open returns a cache of r; both end with the test.
func open(t *testing.T, r registry.Registry) cache.Cache {
	t.Helper()
	c := cache.New(r)
	t.Cleanup(func() {
		c.Stop()
		if closer, ok := r.(io.Closer); ok {
			if err := closer.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return c
}

func TestCacheOfMemory(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry { return open(t, memory.NewRegistry()) },
		registrytest.Eventual(), registrytest.TTL(200*time.Millisecond))
}

// foreign hides what a registry can do beyond the public contract, and counts.
type foreign struct {
	registry.Registry
	lookups atomic.Int64
}

func (f *foreign) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	f.lookups.Add(1)
	return f.Registry.GetService(name, opts...)
}

func TestCacheOfAForeignRegistry(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		m := memory.NewRegistry()
		t.Cleanup(func() {
			if err := m.(io.Closer).Close(); err != nil {
				t.Error(err)
			}
		})
		return open(t, &foreign{Registry: m})
	}, registrytest.Eventual(), registrytest.TTL(200*time.Millisecond))
}

func TestCacheOfEtcd(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		if _, err := client.Delete(t.Context(), "\x00", clientv3.WithFromKey()); err != nil {
			t.Fatal(err)
		}
		return open(t, etcd.NewRegistry(registry.Addrs(server.Addr())))
	}, registrytest.Second(func(t *testing.T) registry.Registry {
		return etcd.NewRegistry(registry.Addrs(server.Addr()))
	}), registrytest.Eventual(), registrytest.Renews(), registrytest.TTL(2*time.Second), registrytest.Crowd(500))
}

func service(name string, ids ...string) *registry.Service {
	s := &registry.Service{Name: name, Version: "1"}
	for _, id := range ids {
		s.Nodes = append(s.Nodes, &registry.Node{Id: id, Address: "10.0.0.1:8080"})
	}
	return s
}

func outline(services []*registry.Service) string {
	var out []string
	for _, s := range services {
		for _, n := range s.Nodes {
			out = append(out, fmt.Sprintf("%s@%s/%s", s.Name, s.Version, n.Id))
		}
	}
	return strings.Join(out, " ")
}

func TestManyLookupsAreOneRequest(t *testing.T) {
	t.Parallel()
	f := &foreign{Registry: memory.NewRegistry()}
	c := open(t, f)
	if err := f.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	var looking sync.WaitGroup
	for range 50 {
		looking.Go(func() {
			for range 20 {
				if got, err := c.GetService("s"); err != nil || outline(got) != "s@1/a" {
					t.Errorf("got %s (%v)", outline(got), err)
				}
				if _, err := c.GetService("unknown"); !errors.Is(err, registry.ErrNotFound) {
					t.Errorf("got %v, want ErrNotFound", err)
				}
			}
		})
	}
	looking.Wait()
	if n := f.lookups.Load(); n != 2 {
		t.Errorf("the registry was asked %d times, want once a name", n)
	}
}

func TestStaleIsServedWhileTheRegistryIsAway(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	c := open(t, etcd.NewRegistry(registry.Addrs(server.Addr()), registry.Timeout(3*time.Second)))
	if c.String() != "cache" {
		t.Errorf("String is %q", c.String())
	}
	if err := c.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 5*time.Second, "the node is known", func() bool {
		got, err := c.GetService("s")
		return err == nil && outline(got) == "s@1/a"
	})
	server.Kill()
	for range 100 {
		began := time.Now()
		if got, err := c.GetService("s"); err != nil || outline(got) != "s@1/a" {
			t.Fatalf("got %s (%v)", outline(got), err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("a stale answer took %v", took)
		}
	}
	began := time.Now()
	if _, err := c.GetService("new"); err == nil || errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), server.Addr()) {
		t.Errorf("a name that was never known: got %v, want an error that names %s", err, server.Addr())
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("took %v, the timeout is 3 s", took)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	f := &foreign{Registry: memory.NewRegistry()}
	c := open(t, f)
	if err := c.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetService("s"); err != nil {
		t.Fatal(err)
	}
	c.Stop()
	c.Stop()
	before := f.lookups.Load()
	if got, err := c.GetService("s"); err != nil || outline(got) != "s@1/a" {
		t.Errorf("after Stop: got %s (%v)", outline(got), err)
	}
	if f.lookups.Load() == before {
		t.Error("after Stop the registry was not asked")
	}
}

func TestCacheKeepsWhatTheRegistryCan(t *testing.T) {
	e := etcd.NewRegistry(registry.Addrs("bad:1:2"))
	c := open(t, e)
	if _, ok := ability.As[ability.RegistrationObserver](c); !ok {
		t.Error("a cache of etcd does not keep watch over records")
	}
	if _, ok := ability.As[ability.Pauser](c); !ok {
		t.Error("a cache of etcd cannot tell who is paused")
	}
	if !ability.Renews(c) {
		t.Error("a cache of etcd does not renew")
	}
	if feed.Of(c) != e.(feed.Source) {
		t.Error("whoever follows a cache does not follow etcd itself")
	}
	if err := ability.Check(c); err == nil || !strings.Contains(err.Error(), `"bad:1:2"`) {
		t.Errorf("got %v, want what is wrong with the address", err)
	}
	if _, err := c.GetService("s"); err == nil || !strings.Contains(err.Error(), `"bad:1:2"`) {
		t.Errorf("got %v, want what is wrong with the address", err)
	}
	m := open(t, memory.NewRegistry())
	if ability.Renews(m) {
		t.Error("a cache of memory claims to renew")
	}
}

// reluctant is a registry that begins no watch until it is released.
type reluctant struct {
	registry.Registry
	asked, release chan struct{}
}

func (r *reluctant) Watch(...registry.WatchOption) (registry.Watcher, error) {
	close(r.asked)
	<-r.release
	return nil, errors.New("released")
}

func TestStopDuringALookup(t *testing.T) {
	t.Parallel()
	m := memory.NewRegistry()
	if err := m.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	r := &reluctant{Registry: m, asked: make(chan struct{}), release: make(chan struct{})}
	defer close(r.release)
	c := cache.New(r)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-r.asked
		c.Stop()
	}()
	if got, err := c.GetService("s"); err != nil || len(got) != 1 {
		t.Errorf("a lookup that the stop overtook: %v, %v", got, err)
	}
	<-stopped
}

func TestUnknownNamesAreBounded(t *testing.T) {
	m := memory.NewRegistry()
	c := cache.New(m, cache.WithMaxUnknownNames(10))
	defer c.Stop()
	if _, err := c.GetService("warm"); !errors.Is(err, registry.ErrNotFound) {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for i := range 500 {
		if _, err := c.GetService(fmt.Sprintf("unknown-%d", i)); !errors.Is(err, registry.ErrNotFound) {
			t.Fatalf("got %v, want ErrNotFound", err)
		}
	}
	testkit.Eventually(t, 5*time.Second, "few names are followed", func() bool { return runtime.NumGoroutine() < before+50 })
}

func TestCacheOfNoRegistryRefusesAtOnce(t *testing.T) {
	c := open(t, registry.NewRegistry(registry.Timeout(time.Hour)))
	if _, err := c.GetService("greeter"); !errors.Is(err, registry.ErrNoRegistry) {
		t.Errorf("GetService: %v", err)
	}
}
