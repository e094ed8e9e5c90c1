package etcd_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// custodyOf collects the states of a node's record.
func custodyOf(t *testing.T, r registry.Registry, service, node string) <-chan ability.Status {
	t.Helper()
	states := make(chan ability.Status, 100)
	stop := r.(ability.RegistrationObserver).ObserveRegistration(service, node, func(c ability.Status) { states <- c })
	t.Cleanup(stop)
	return states
}

// until waits for a state.
func until(t *testing.T, states <-chan ability.Status, want ability.State) ability.Status {
	t.Helper()
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	var seen []string
	for {
		select {
		case c := <-states:
			if c.State == want {
				return c
			}
			seen = append(seen, c.State.String())
		case <-timeout.C:
			t.Fatalf("saw %v within 10 s, want %v", seen, want)
		}
	}
}

func TestCustody(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := open(t, server.Addr())
	states := custodyOf(t, r, "s", "a")
	if c := <-states; c.State != ability.Absent {
		t.Fatalf("before it is registered the node is %v, want absent", c.State)
	}
	if err := r.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	until(t, states, ability.Held)
	if c := <-custodyOf(t, r, "s", "a"); c.State != ability.Held {
		t.Errorf("a later observer begins with %v, want held", c.State)
	}

	// An operator takes the node out and lets it in again.
	if _, err := client.Put(t.Context(), "/micro/rollcall/pause/s/a", `{"by":"ops"}`); err != nil {
		t.Fatal(err)
	}
	if c := until(t, states, ability.Paused); !strings.Contains(c.Reason, "ops") {
		t.Errorf("the reason is %q, want who paused", c.Reason)
	}
	if err := r.Register(service("s", "a")); err != nil {
		t.Errorf("registering a paused node: %v", err)
	}
	if got, err := r.ListServices(); err != nil || len(got) != 0 {
		t.Errorf("a paused node is listed: %s (%v)", outline(got), err)
	}
	if _, err := client.Delete(t.Context(), "/micro/rollcall/pause/s/a"); err != nil {
		t.Fatal(err)
	}
	until(t, states, ability.Held)

	// Another process registers the same node: the newest wins.
	other := open(t, server.Addr())
	moved := service("s", "a")
	moved.Nodes[0].Address = "10.0.0.2:1"
	if err := other.Register(moved); err != nil {
		t.Fatal(err)
	}
	if c := until(t, states, ability.Displaced); c.Reason == "" {
		t.Error("being displaced has no reason")
	}
	if err := r.Register(service("s", "a")); err != nil {
		t.Errorf("checking a displaced node again: %v", err)
	}
	if err := r.Deregister(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	until(t, states, ability.Released)
	if got, err := r.GetService("s"); err != nil || got[0].Nodes[0].Address != "10.0.0.2:1" {
		t.Errorf("deregistering deleted what another process wrote: %s (%v)", outline(got), err)
	}

	// And back: a fresh registration takes over.
	if err := r.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	until(t, states, ability.Held)
	if got, err := r.GetService("s"); err != nil || got[0].Nodes[0].Address != "10.0.0.1:8080" {
		t.Errorf("taking over failed: %s (%v)", outline(got), err)
	}
}

func TestCustodyMayBeSlowAndCallBack(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := open(t, server.Addr())
	held := make(chan struct{})
	stop := r.(ability.RegistrationObserver).ObserveRegistration("s", "a", func(c ability.Status) {
		_ = r.Options()
		if c.State == ability.Held {
			<-held
		}
	})
	if err := r.Register(service("s", "a", "b")); err != nil {
		t.Fatal(err)
	}
	if err := r.Deregister(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	close(held)
	stop()
	stop()
}

func TestLeases(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := open(t, server.Addr())
	generated := registry.RegisterContext(ability.WithGenerated(t.Context()))
	for _, step := range []struct {
		id   string
		opts []registry.RegisterOption
	}{{"shared-1", []registry.RegisterOption{generated}}, {"shared-2", []registry.RegisterOption{generated}}, {"own-1", nil}, {"own-2", nil}} {
		if err := r.Register(service("s", step.id), step.opts...); err != nil {
			t.Fatal(err)
		}
	}
	lease := func(id string) clientv3.LeaseID {
		t.Helper()
		got, err := client.Get(t.Context(), "/micro/registry/s/"+id)
		if err != nil || len(got.Kvs) != 1 {
			t.Fatalf("key of %s: %v (%v)", id, got.Kvs, err)
		}
		return clientv3.LeaseID(got.Kvs[0].Lease)
	}
	if lease("shared-1") != lease("shared-2") {
		t.Error("nodes with generated ids have different leases")
	}
	if lease("own-1") == lease("own-2") || lease("own-1") == lease("shared-1") || lease("own-1") == 0 {
		t.Error("a node with an id of its own shares a lease")
	}
	old := lease("own-1")
	if err := r.Register(service("s", "own-1"), registry.RegisterTTL(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if ttl, err := client.TimeToLive(t.Context(), lease("own-1")); err != nil || ttl.GrantedTTL != 60 {
		t.Errorf("after another TTL: %+v (%v)", ttl, err)
	}

	// Resolve tells a live lease from one that is gone.
	gone, err := client.Grant(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Revoke(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	left := func(id string, lease clientv3.LeaseID, cause feed.Cause) feed.Departure {
		return feed.Departure{Service: "s", Node: &registry.Node{Id: id}, Cause: cause, Token: etcd.Token(int64(lease))}
	}
	causes, err := r.(feed.Resolver).Resolve(t.Context(), []feed.Departure{
		left("own-2", lease("own-2"), feed.Unknown), left("x", gone.ID, feed.Unknown), left("x", gone.ID, feed.Vanished),
		left("x", 0, feed.Vanished), left("shared-1", lease("shared-1"), feed.Vanished),
	})
	if want := []feed.Cause{feed.Deleted, feed.Expired, feed.Expired, feed.Vanished, feed.Vanished}; err != nil || !slices.Equal(causes, want) {
		t.Errorf("causes are %v (%v), want %v (the first lease was %x)", causes, err, want, old)
	}
}

// sink keeps what it is given.
type sink struct {
	updates chan feed.Update
	states  chan feed.Status
}

func (s sink) Update(u feed.Update) { s.updates <- u }
func (s sink) Status(u feed.Status) { s.states <- u }

func TestFollow(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := open(t, server.Addr())
	s := sink{make(chan feed.Update, 100), make(chan feed.Status, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.(feed.Source).Follow(ctx, "s", s) }()
	update := func(want string) feed.Update {
		t.Helper()
		timeout := time.NewTimer(10 * time.Second)
		defer timeout.Stop()
		for {
			select {
			case u := <-s.updates:
				if outline(u.Services) == want {
					return u
				}
			case <-timeout.C:
				t.Fatalf("the view did not become %q within 10 s", want)
			}
		}
	}
	if u := update(""); u.Gap {
		t.Error("the first view comes after a gap")
	}
	if st := <-s.states; !st.Live {
		t.Errorf("status is %+v, want live", st)
	}
	if err := r.Register(service("s", "a", "b")); err != nil {
		t.Fatal(err)
	}
	update("s@1/a s@1/b")
	if err := r.Deregister(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	if u := update("s@1/b"); len(u.Departed) != 1 || u.Departed[0].Node.Id != "a" || u.Departed[0].Cause != feed.Deleted {
		t.Errorf("departed are %+v, want a, deleted on purpose", u.Departed)
	}
	if _, err := server.Client(t).Delete(t.Context(), layout.Layout{}.Node("s", "b")); err != nil {
		t.Fatal(err)
	}
	if u := update(""); len(u.Departed) != 1 || u.Departed[0].Node.Id != "b" || u.Departed[0].Cause == feed.Deleted || u.Departed[0].Token == nil {
		t.Errorf("departed are %+v, want b with its lease, deleted by who knows whom", u.Departed)
	}
	update("s@1/b") // put back
	server.Kill()
	for st := range s.states {
		if !st.Live {
			if st.Err == nil {
				t.Error("there is no reason for not being live")
			}
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, name := range []string{"..", "/"} {
		if err := r.(feed.Source).Follow(t.Context(), name, s); err == nil {
			t.Errorf("%q can be followed", name)
		}
	}
	if err := open(t, "bad:1:2").(feed.Source).Follow(t.Context(), "s", s); err == nil {
		t.Error("a malformed address can be followed")
	}
}

// TestYielding registers on behalf of another process, as a bridge does.
func TestYielding(t *testing.T) {
	server := testkit.StartEtcd(t)
	owner, bridge := open(t, server.Addr()), open(t, server.Addr())
	yielding := registry.RegisterContext(ability.WithYield(t.Context()))
	address := func() string {
		t.Helper()
		got, err := owner.GetService("s")
		if err != nil {
			t.Fatal(err)
		}
		return got[0].Nodes[0].Address
	}
	mirrored := service("s", "a")
	mirrored.Nodes[0].Address = "10.0.0.9:1"
	states := custodyOf(t, bridge, "s", "a")
	if err := bridge.Register(mirrored, yielding); err != nil {
		t.Fatal(err)
	}
	until(t, states, ability.Held)
	if err := owner.Register(service("s", "a")); err != nil { // the owner takes its record
		t.Fatal(err)
	}
	until(t, states, ability.Displaced)
	if err := bridge.Deregister(mirrored); err != nil {
		t.Fatal(err)
	}
	until(t, states, ability.Released)
	if err := bridge.Register(mirrored, yielding); err != nil { // and is not robbed of it
		t.Fatal(err)
	}
	until(t, states, ability.Displaced)
	if got := address(); got == "10.0.0.9:1" {
		t.Errorf("the owner's record was overwritten")
	}
	if err := owner.Deregister(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	until(t, states, ability.Held)
	if got := address(); got != "10.0.0.9:1" {
		t.Errorf("found %s after the owner left, want what was registered on its behalf", got)
	}
}
