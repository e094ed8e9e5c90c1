package bridge

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// ttl is that of the bridges under test.
const ttl = 15 * time.Second

// node returns a record of the service with one node.
func node(service, id, address string) *registry.Service {
	return &registry.Service{Name: service, Version: "1", Nodes: []*registry.Node{{Id: id, Address: address, Metadata: map[string]string{"zone": "a"}}}}
}

// outline writes what is registered as service/node@address, with the mark behind.
func outline(t *testing.T, r registry.Registry) string {
	t.Helper()
	services, err := r.ListServices()
	if err != nil {
		t.Fatal(err)
	}
	return written(services)
}

// written writes services as outline does.
func written(services []*registry.Service) string {
	var all []string
	for _, s := range services {
		for _, n := range s.Nodes {
			one := s.Name + "/" + n.Id + "@" + n.Address
			if mark := n.Metadata[Mark]; mark != "" {
				one += "<" + mark
			}
			all = append(all, one)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// log collects events.
type log struct {
	mu     sync.Mutex
	events []Event
}

func (l *log) tell(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// kinds returns what happened to a node, or to the bridge if node is "", in order.
func (l *log) kinds(node string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		if e.Node == node {
			all = append(all, strings.TrimSuffix(string(e.Kind)+" "+e.Registry, " "))
		}
	}
	return strings.Join(all, ", ")
}

// start starts a bridge between two memories or what stands for them. stop ends it,
// gracefully, and returns its error.
func start(t *testing.T, from, to Side, change func(*Config)) (*log, func() error) {
	t.Helper()
	l := &log{}
	cfg := Config{From: from, To: to, TTL: ttl, OnEvent: l.tell}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cfg) }()
	synctest.Wait()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = stop() })
	return l, stop
}

func side(name string) Side { return Side{name, memory.NewRegistry()} }

func register(t *testing.T, r registry.Registry, s *registry.Service, opts ...registry.RegisterOption) {
	t.Helper()
	if err := r.Register(s, opts...); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func deregister(t *testing.T, r registry.Registry, s *registry.Service) {
	t.Helper()
	if err := r.Deregister(s); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func want(t *testing.T, what string, r registry.Registry, nodes string) {
	t.Helper()
	synctest.Wait()
	if got := outline(t, r); got != nodes {
		t.Errorf("%s: there is\n  %s\nwant\n  %s", what, got, nodes)
	}
}
