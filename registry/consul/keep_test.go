package consul_test

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/consul"
)

const patience = 15 * time.Second

// node makes a service of one node.
func node(name, id, address string) *registry.Service {
	return &registry.Service{Name: name, Version: "1", Nodes: []*registry.Node{{Id: id, Address: address, Metadata: map[string]string{"from": address}}}}
}

func register(t *testing.T, r registry.Registry, s *registry.Service, opts ...registry.RegisterOption) {
	t.Helper()
	if err := r.Register(s, opts...); err != nil {
		t.Fatal(err)
	}
}

// found waits until the service has these addresses.
func found(t *testing.T, r registry.Registry, name string, addresses ...string) {
	t.Helper()
	testkit.Eventually(t, patience, name+" is at "+strings.Join(addresses, ", "), func() bool {
		services, err := r.GetService(name)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			t.Fatal(err)
		}
		var got []string
		for _, s := range services {
			for _, n := range s.Nodes {
				got = append(got, n.Address)
			}
		}
		slices.Sort(got)
		return slices.Equal(got, addresses)
	})
}

// observe returns what a registration is told to be.
func observe(t *testing.T, r registry.Registry, name, id string) <-chan ability.Status {
	t.Helper()
	statuses := make(chan ability.Status, 100)
	t.Cleanup(r.(ability.RegistrationObserver).ObserveRegistration(name, id, func(s ability.Status) { statuses <- s }))
	return statuses
}

// becomes waits for a state.
func becomes(t *testing.T, statuses <-chan ability.Status, want ability.State) ability.Status {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case s := <-statuses:
			if s.State == want {
				return s
			}
		case <-timeout.C:
			t.Fatalf("the registration did not become %v", want)
		}
	}
}

// TestPutBack shows that a node that somebody deregistered is put back, and that its
// owner is told.
func TestPutBack(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr())
	statuses := observe(t, r, "put-back", "put-back-n")
	register(t, r, node("put-back", "put-back-n", "10.0.0.1:1"), registry.RegisterTTL(time.Minute))
	becomes(t, statuses, ability.Held)
	agent.Do(t, "PUT", "/v1/agent/service/deregister/put-back-n", nil)
	becomes(t, statuses, ability.Absent)
	becomes(t, statuses, ability.Held)
	found(t, r, "put-back", "10.0.0.1:1")
	if err := r.Deregister(node("put-back", "put-back-n", "10.0.0.1:1")); err != nil {
		t.Fatal(err)
	}
	becomes(t, statuses, ability.Released)
	found(t, r, "put-back")
}

// TestPaused shows what the maintenance mode does.
func TestPaused(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr())
	statuses := observe(t, r, "paused", "paused-n")
	s := node("paused", "paused-n", "10.0.0.1:1")
	register(t, r, s, registry.RegisterTTL(time.Minute))
	becomes(t, statuses, ability.Held)
	agent.Do(t, "PUT", "/v1/agent/service/maintenance/paused-n?enable=true&reason=upgrade", nil)
	if got := becomes(t, statuses, ability.Paused); !strings.Contains(got.Reason, "upgrade") {
		t.Errorf("paused because %q", got.Reason)
	}
	found(t, r, "paused")
	if ids, err := r.(ability.Pauser).Paused(t.Context(), "paused"); err != nil || !slices.Equal(ids, []string{"paused-n"}) {
		t.Errorf("paused are %q, %v", ids, err)
	}
	s.Version = "2" // registered anew it stays paused
	register(t, r, s, registry.RegisterTTL(time.Minute))
	if ids, err := r.(ability.Pauser).Paused(t.Context(), "paused"); err != nil || len(ids) != 1 {
		t.Errorf("registered anew, paused are %q, %v", ids, err)
	}
	agent.Do(t, "PUT", "/v1/agent/service/maintenance/paused-n?enable=false", nil)
	becomes(t, statuses, ability.Held)
	found(t, r, "paused", "10.0.0.1:1")
}

// ownerTTL is that of nodes with two owners: a third of it is soon, and none of them runs
// out on a machine that has other work to do, which would hand the node to the other.
var ownerTTL = registry.RegisterTTL(10 * time.Second)

// TestTwoOwners shows that of two processes that register one node the newest has it,
// that the other one is told, and takes nothing away when it leaves.
func TestTwoOwners(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	older, newer := open(t, agent.Addr()), open(t, agent.Addr())
	statuses := observe(t, older, "two", "two-n")
	register(t, older, node("two", "two-n", "10.0.0.1:1"), ownerTTL)
	becomes(t, statuses, ability.Held)
	register(t, newer, node("two", "two-n", "10.0.0.2:1"), ownerTTL)
	if got := becomes(t, statuses, ability.Displaced); !strings.Contains(got.Reason, "two-n") {
		t.Errorf("displaced because %q", got.Reason)
	}
	found(t, newer, "two", "10.0.0.2:1")
	if err := older.Deregister(node("two", "two-n", "10.0.0.1:1")); err != nil {
		t.Fatal(err)
	}
	found(t, newer, "two", "10.0.0.2:1")

	// One that is displaced comes back when the other one leaves.
	register(t, older, node("two", "two-n", "10.0.0.1:1"), ownerTTL)
	statuses = observe(t, newer, "two", "two-n")
	becomes(t, statuses, ability.Displaced)
	if err := older.Deregister(node("two", "two-n", "10.0.0.1:1")); err != nil {
		t.Fatal(err)
	}
	becomes(t, statuses, ability.Held)
	found(t, newer, "two", "10.0.0.2:1")
}

// TestMirroredRecordIsNoOwner has a bridge write over what the service registered
// between its look and its write.
func TestMirroredRecordIsNoOwner(t *testing.T) {
	t.Parallel()
	agent, name := testkit.SharedConsul(t), unique("mirrored")
	own, bridge := open(t, agent.Addr()), open(t, agent.Addr())
	register(t, own, node(name, name, "10.0.0.1:1"), ownerTTL)
	statuses := observe(t, bridge, name, name)
	s := node(name, name, "10.0.0.2:1")
	s.Nodes[0].Metadata[record.Mirrored] = "etcd"
	register(t, bridge, s, ownerTTL)
	becomes(t, statuses, ability.Held)
	becomes(t, statuses, ability.Displaced)
	found(t, bridge, name, "10.0.0.1:1")
}

// TestOneIdOfTwoServices shows that services may have nodes of one id, which an agent
// does not know by itself.
func TestOneIdOfTwoServices(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr())
	for i, name := range []string{"one-id-a", "one-id-b", "one-id-c"} {
		register(t, r, node(name, "shared-id", "10.0.0.1:"+string(rune('1'+i))))
	}
	found(t, r, "one-id-a", "10.0.0.1:1")
	found(t, r, "one-id-b", "10.0.0.1:2")
	if err := r.Deregister(node("one-id-b", "shared-id", "")); err != nil {
		t.Fatal(err)
	}
	found(t, r, "one-id-b")
	found(t, r, "one-id-a", "10.0.0.1:1")
	found(t, r, "one-id-c", "10.0.0.1:3")
	services, err := r.GetService("one-id-c")
	if err != nil || services[0].Nodes[0].Id != "shared-id" {
		t.Errorf("the node is called %+v, %v", services, err)
	}
}

// TestIdTakenByAnotherService has a program of v2, which does not look, register a node
// of another service by an id that is in use: both are found.
func TestIdTakenByAnotherService(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr())
	ours, theirs := unique("taken-ours"), unique("taken-theirs")
	id := ours + "-n"
	register(t, r, node(ours, id, "10.0.0.1:1"), registry.RegisterTTL(time.Minute))
	found(t, r, ours, "10.0.0.1:1")
	statuses := observe(t, r, ours, id)
	becomes(t, statuses, ability.Held)
	agent.Do(t, "PUT", "/v1/agent/service/register", map[string]any{"Name": theirs, "ID": id, "Address": "10.0.0.2", "Port": 1, "Check": map[string]string{"TTL": "10m", "Status": "passing"}})
	becomes(t, statuses, ability.Absent)
	becomes(t, statuses, ability.Held)
	found(t, r, ours, "10.0.0.1:1")
	found(t, r, theirs, "10.0.0.2:1")
	if err := r.Deregister(node(ours, id, "")); err != nil {
		t.Fatal(err)
	}
	found(t, r, ours)
	found(t, r, theirs, "10.0.0.2:1")
}

// TestNextOwnerComesDuringFarewell has a process register a node in the moment between
// the farewell of the one before and its end, as one that is restarted quickly does: it
// keeps what it registered, whatever the check.
func TestNextOwnerComesDuringFarewell(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for name, opts := range map[string][]registry.Option{"ttl": nil, "tcp": {consul.TCPCheck(200 * time.Millisecond)}} {
		t.Run(name, func(t *testing.T) {
			f := frontOf(t, agent)
			before := open(t, f.addr(), append(opts, registry.Timeout(patience))...)
			next := open(t, agent.Addr(), append(opts, registry.Timeout(patience))...)
			s := node(unique("next-"+name), unique("next-"+name), listener.Addr().String())
			register(t, before, s, registry.RegisterTTL(time.Minute))
			found(t, next, s.Name, s.Nodes[0].Address)
			var came atomic.Bool
			removed := make(chan struct{}, 10)
			f.turn(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasPrefix(r.URL.Path, "/v1/health/service/") && came.CompareAndSwap(false, true):
					// Who asks that has said farewell.
					if err := next.Register(s, registry.RegisterTTL(time.Minute)); err != nil {
						t.Error(err)
					}
				case strings.HasPrefix(r.URL.Path, "/v1/agent/service/deregister/"):
					removed <- struct{}{}
				}
				f.forward.ServeHTTP(w, r)
			})
			if err := before.Deregister(s); err != nil {
				t.Fatal(err)
			}
			if !came.Load() {
				t.Fatal("there was no farewell")
			}
			if len(removed) > 0 {
				t.Error("what the next owner registered was taken away")
			}
			found(t, next, s.Name, s.Nodes[0].Address)
		})
	}
}

// TestTCPCheck shows a node that is listed for as long as its port takes connections.
func TestTCPCheck(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr(), consul.TCPCheck(200*time.Millisecond))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	statuses := observe(t, r, "tcp", "tcp-n")
	register(t, r, node("tcp", "tcp-n", address))
	found(t, r, "tcp", address)
	becomes(t, statuses, ability.Held)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	found(t, r, "tcp")
	if got := becomes(t, statuses, ability.Absent); !strings.Contains(got.Reason, address) {
		t.Errorf("absent because %q", got.Reason)
	}
	if err := r.Deregister(node("tcp", "tcp-n", address)); err != nil {
		t.Fatal(err)
	}
	var there map[string]any
	if agent.Get(t, "/v1/agent/services", &there); there["tcp-n"] != nil {
		t.Error("the agent still has the node")
	}
}

// TestRefused shows what Consul would not take, or not give back.
func TestRefused(t *testing.T) {
	t.Parallel()
	r := open(t, nobody)
	for what, s := range map[string]*registry.Service{
		`"0.0.0.0:80"`: node("s", "n", "0.0.0.0:80"), `"[::]:80"`: node("s", "n", "[::]:80"), `"a//b"`: node("a//b", "n", "h:1"), `"x/../y"`: node("s", "x/../y", "h:1"),
		"1024": node(strings.Repeat("x", 1025), "n", "h:1"), "shorten": {Name: "s", Version: strings.Repeat("x", 2<<20), Nodes: []*registry.Node{{Id: "n", Address: "h:1"}}},
	} {
		if err := r.Register(s); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %.200v", what, err)
		}
	}
}

// TestMovesWithInit shows that what is registered moves to another agent.
func TestMovesWithInit(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, nobody)
	if err := r.Init(registry.Addrs(agent.Addr())); err != nil {
		t.Fatal(err)
	}
	register(t, r, node("moves", "moves-n", "10.0.0.1:1"))
	found(t, r, "moves", "10.0.0.1:1")
	if err := r.Init(registry.Addrs("a:b")); err == nil || !strings.Contains(err.Error(), `"a:b"`) {
		t.Errorf("a malformed address: %v", err)
	}
	if err := r.Register(node("moves", "moves-n", "10.0.0.1:1")); err == nil || !strings.Contains(err.Error(), `"a:b"`) {
		t.Errorf("register there: %v", err)
	}
	agent.Do(t, "PUT", "/v1/agent/service/deregister/moves-n", nil)
	if err := r.Init(registry.Addrs(agent.Addr())); err != nil {
		t.Fatal(err)
	}
	found(t, r, "moves", "10.0.0.1:1")
}

// TestForeignServices shows a service that nobody of ours registered.
func TestForeignServices(t *testing.T) {
	t.Parallel()
	agent := testkit.SharedConsul(t)
	r := open(t, agent.Addr())
	agent.Do(t, "PUT", "/v1/agent/service/register", map[string]any{"Name": "rails", "ID": "rails-1", "Port": 3000, "Address": "10.0.0.9", "Tags": []string{"primary", "v1", "t-garbage"}})
	found(t, r, "rails", "10.0.0.9:3000")
	names, err := r.(ability.NameLister).Names(t.Context())
	if err != nil || !slices.Contains(names, "rails") || slices.Contains(names, "consul") {
		t.Errorf("names are %q, %v", names, err)
	}
	if services, err := r.GetService("consul"); err != nil || len(services) != 1 {
		t.Errorf("Consul's own servers: %v, %v", services, err)
	}
}
