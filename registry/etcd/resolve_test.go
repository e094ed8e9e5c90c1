package etcd_test

import (
	"context"
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// TestWhyNodesLeft puts nodes of ours, and one as v2 would, into a real etcd, takes
// them out in each way there is, and looks at what followers are told.
func TestWhyNodesLeft(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := server.Client(t)
		// The owner looks after its records through a connection of its own.
		owner, reader := open(t, server.Addr()), open(t, server.Addr())
		ours := func(id string) *registry.Service {
			s := service("s", id)
			s.Nodes[0].Metadata = map[string]string{record.Mark: "1"}
			return s
		}
		s := sink{make(chan feed.Update, 100), make(chan feed.Status, 100)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- reader.(feed.Source).Follow(ctx, "s", s) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		next := func(what string) feed.Update {
			t.Helper()
			select {
			case u := <-s.updates:
				return u
			case <-time.After(20 * time.Second):
				t.Fatalf("not told within 20 s: %s", what)
				return feed.Update{}
			}
		}
		departed := func(id string) feed.Departure {
			t.Helper()
			for {
				for _, d := range next(id + " left").Departed {
					if d.Node.Id == id {
						return d
					}
				}
			}
		}
		// Who comes and goes between two views is in none, and nobody is told that it left.
		listed := func(id string) {
			t.Helper()
			for {
				for _, s := range next(id + " came").Services {
					if slices.ContainsFunc(s.Nodes, func(n *registry.Node) bool { return n.Id == id }) {
						return
					}
				}
			}
		}
		resolves := func(d feed.Departure, want feed.Cause) {
			t.Helper()
			causes, err := reader.(feed.Resolver).Resolve(t.Context(), []feed.Departure{d})
			if err != nil || !slices.Equal(causes, []feed.Cause{want}) {
				t.Errorf("%s: resolved to %v (%v), want %v", d.Node.Id, causes, err, want)
			}
		}
		register := func(s *registry.Service) {
			t.Helper()
			if err := owner.Register(s); err != nil {
				t.Fatal(err)
			}
			listed(s.Nodes[0].Id)
		}

		register(ours("leaves"))
		if err := owner.Deregister(ours("leaves")); err != nil {
			t.Fatal(err)
		}
		if d := departed("leaves"); d.Cause != feed.Deleted {
			t.Errorf("who deregistered left as %v", d.Cause)
		}

		register(ours("robbed"))
		if _, err := client.Delete(t.Context(), layout.Layout{}.Node("s", "robbed")); err != nil {
			t.Fatal(err)
		}
		d := departed("robbed")
		if d.Cause != feed.Vanished {
			t.Errorf("whose key was deleted by hand left as %v", d.Cause)
		}
		resolves(d, feed.Vanished)
		// An operator takes it out while it is a suspect.
		if _, err := client.Put(t.Context(), layout.Layout{}.Pause("s", "robbed"), "{}"); err != nil {
			t.Fatal(err)
		}
		resolves(d, feed.Deleted)

		register(ours("paused"))
		if _, err := client.Put(t.Context(), layout.Layout{}.Pause("s", "paused"), "{}"); err != nil {
			t.Fatal(err)
		}
		if d := departed("paused"); d.Cause != feed.Deleted {
			t.Errorf("who was paused left as %v", d.Cause)
		}

		for id, want := range map[string]feed.Cause{"v2-1": feed.Deleted, "ours-1": feed.Expired} {
			lease, err := client.Grant(t.Context(), 60)
			if err != nil {
				t.Fatal(err)
			}
			value := ours(id)
			if want == feed.Deleted {
				value = service("s", id)
			}
			stored, err := layout.Encode(value, value.Nodes[0])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Put(t.Context(), layout.Layout{}.Node("s", id), string(stored), clientv3.WithLease(lease.ID)); err != nil {
				t.Fatal(err)
			}
			listed(id)
			if want == feed.Deleted {
				_, err = client.Delete(t.Context(), layout.Layout{}.Node("s", id))
			} else {
				_, err = client.Revoke(t.Context(), lease.ID)
			}
			if err != nil {
				t.Fatal(err)
			}
			resolves(departed(id), want)
		}
	})
}
