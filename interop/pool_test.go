package interop_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// TestPool has nodes of both frameworks behind one name, and callers of both.
func TestPool(t *testing.T) {
	const nodesOfAKind, calls = 2, 200
	etcd := testkit.StartEtcd(t)
	servers := make(map[string]*program)
	for _, k := range kinds {
		for i := range nodesOfAKind {
			id := fmt.Sprintf("%s-%d", k, i)
			p := run(t, k, etcd.Addr(), "interop."+id)
			p.start(peer.Service{Name: service, ID: id, TTL: 10 * time.Second, Interval: 3 * time.Second})
			storeOf(t, etcd).there(service, service+"-"+id)
			servers[service+"-"+id] = p
		}
	}
	callers := make(map[kind]*program)
	for _, k := range kinds {
		callers[k] = run(t, k, etcd.Addr(), "interop.caller."+string(k))
	}
	spread := func(k kind, contentType string) map[string]int {
		t.Helper()
		n := make(map[string]int)
		for range calls {
			answer, err := callers[k].call(peer.Call{Service: service, Endpoint: "Greeter.Hello", ContentType: contentType})
			if err != nil {
				t.Fatalf("%s calls: %v", k, err)
			}
			var reply struct{ Node string }
			if err := json.Unmarshal(answer, &reply); err != nil {
				t.Fatal(err)
			}
			n[reply.Node]++
		}
		return n
	}
	for _, k := range kinds {
		for _, contentType := range []string{"", "application/json"} {
			got := spread(k, contentType)
			for id := range servers {
				// Of 200 calls at random, a node gets fewer than 15 once in 10^9 runs.
				if got[id] < 15 {
					t.Errorf("%s, %q: calls per node %v, want about %d each", k, contentType, got, calls/len(servers))
				}
			}
		}
	}

	// One of each leaves in good order while calls go on. v2 stops serving at once,
	// when its own callers still know the node: there only ours must not fail.
	for _, k := range kinds {
		leaving := fmt.Sprintf("%s-%s-0", service, k)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			if err := servers[leaving].try(peer.OpStop, peer.Name{Name: service}, nil); err != nil {
				t.Errorf("stop %s: %v", leaving, err)
			}
		}()
		for going := true; going; {
			select {
			case <-stopped:
				going = false
			default:
			}
			for _, caller := range kinds {
				if _, err := callers[caller].call(peer.Call{Service: service, Endpoint: "Greeter.Hello"}); err != nil && (caller == ours || k == ours) {
					t.Errorf("%s calls while %s stops: %v", caller, leaving, err)
				}
			}
		}
		if got := spread(ours, ""); got[leaving] > 0 {
			t.Errorf("calls still reach %s: %v", leaving, got)
		}
	}
}
