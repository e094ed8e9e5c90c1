package faults

import (
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// poolSize is how many connections a client opens to a node at most, unless it is
// told otherwise.
const poolSize = 4

// Row D8: a thousand calls at once to three nodes. They share few connections, one
// for each node where the server bears as many calls on it; the connection to a node
// that leaves is closed within 5 s.
func TestD8ConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	const nodes, calls = 3, 1000
	e := testkit.StartEtcd(t)
	var all []*fleet.Node
	var listeners []*fleet.Listener
	for range nodes {
		l := fleet.Listen(t)
		listeners = append(listeners, l)
		all = append(all, fleet.Service(t, "many", fleet.Registry(t, e.Addr()), []server.Option{sgrpc.Listener(l)}))
	}
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "the nodes are listed", func() bool { return fleet.Listed(r, "many", nodes) })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "many")
	for range times(1, 10) {
		var calling sync.WaitGroup
		for range calls {
			calling.Go(func() {
				if _, err := fleet.Call(t.Context(), c, "many", "Wait", "200ms", client.WithRequestTimeout(patience)); err != nil {
					t.Error(err)
				}
			})
		}
		calling.Wait()
	}
	for i, l := range listeners {
		t.Logf("measured: node %d has accepted %d connections", i, l.Accepted())
		atMost(t, "connections to a node", l.Accepted(), poolSize)
		if l.Open() == 0 {
			t.Error("no connection is open")
		}
	}

	// The node leaves the registry, and goes on otherwise.
	admin := e.Client(t)
	begin := time.Now()
	commit(t, admin, clientv3.OpPut(layout.Layout{}.Pause("many", all[0].ID()), "{}"))
	within(t, "closed", since(t, begin, "the connections to the node that left are closed", func() bool { return listeners[0].Open() == 0 }), 5*time.Second)
	fleet.MustSay(t, c, "many")
}
