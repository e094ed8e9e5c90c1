package grpc

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// behind returns the node as clients see it through a proxy. A node that is ours
// says so in its metadata.
func behind(t *testing.T, n *node, ours bool) (*node, *testkit.Proxy) {
	p := testkit.StartProxy(t, n.Address)
	seen := &node{Node: &registry.Node{Id: n.Id, Address: p.Addr()}}
	if ours {
		seen.Metadata = map[string]string{"rollcall": "0.1.0"}
	}
	return seen, p
}

// One of three nodes goes silent, without closing its connection, for good: each
// caller loses the call that it has in flight, and the connection one more at most.
func TestSilentNodeCostsAlmostNothing(t *testing.T) {
	for _, ours := range []bool{true, false} {
		t.Run(map[bool]string{true: "ours", false: "v2"}[ours], func(t *testing.T) {
			t.Parallel()
			a, p := behind(t, serve(t, echo), ours)
			c := newClient(t, client.Registry(register(t, service("echo", a, serve(t, echo), serve(t, echo)))))
			testkit.Eventually(t, 5*time.Second, "all nodes are connected", func() bool {
				mustSay(t, c, "x")
				return stateOf(t, c, a) == endpoint.Ready
			})
			p.Blackhole()

			const callers = 4
			var failed, answered atomic.Int64
			var wg sync.WaitGroup
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			for range callers {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := say(context.Background(), c, "x", client.WithRequestTimeout(3*time.Second)); err != nil {
							failed.Add(1)
							continue
						}
						answered.Add(1)
						select {
						case <-ctx.Done():
						case <-time.After(5 * time.Millisecond):
						}
					}
				})
			}
			wg.Wait()
			t.Logf("%d calls failed, %d were answered", failed.Load(), answered.Load())
			if failed.Load() > callers+1 {
				t.Errorf("%d calls of %d callers failed", failed.Load(), callers)
			}
			if got := stateOf(t, c, a); got != endpoint.Silent {
				t.Errorf("the node is %v", got)
			}
			p.Restore(t)
			testkit.Eventually(t, 10*time.Second, "the node is back", func() bool { return stateOf(t, c, a) == endpoint.Ready })
		})
	}
}

// The only node goes silent and comes back, also one that the program named.
func TestTheOnlyNodeIsSilent(t *testing.T) {
	a, p := behind(t, serve(t, echo), false)
	c := newClient(t, client.Registry(register(t, service("echo", a))))
	for _, opts := range [][]client.CallOption{nil, {client.WithAddress(p.Addr())}} {
		mustSay(t, c, "x", opts...)
		p.Blackhole()
		_, err := say(t.Context(), c, "x", append(opts, client.WithRequestTimeout(time.Second))...)
		if e := fault(t, err); e.Code != 408 {
			t.Errorf("got %v", e)
		}
		_, err = say(t.Context(), c, "x", append(opts, client.WithRequestTimeout(4*time.Second), client.WithRetries(0))...)
		if e := fault(t, err); e.Code != 500 || !strings.Contains(e.Detail, p.Addr()) {
			t.Errorf("got %v", e)
		}
		p.Restore(t)
		testkit.Eventually(t, 10*time.Second, "the node answers", func() bool {
			_, err := say(t.Context(), c, "x", append(opts, client.WithRequestTimeout(time.Second))...)
			return err == nil
		})
	}
}

// One of the addresses that a program named goes silent.
func TestOneAddressIsSilent(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	p := testkit.StartProxy(t, a.Address)
	c := newClient(t)
	both := client.WithAddress(p.Addr(), b.Address)
	for range 4 {
		mustSay(t, c, "x", both)
	}
	p.Blackhole()
	testkit.Eventually(t, 30*time.Second, "the silent one is passed over", func() bool {
		_, err := say(t.Context(), c, "x", both, client.WithRequestTimeout(700*time.Millisecond), client.WithRetries(0))
		if err != nil {
			return false
		}
		_, err = say(t.Context(), c, "x", both, client.WithRequestTimeout(700*time.Millisecond), client.WithRetries(0))
		return err == nil
	})
	for range 20 {
		mustSay(t, c, "x", both, client.WithRequestTimeout(5*time.Second), client.WithRetries(0))
	}
}

// A program may have a dialer of its own; then nothing is known of silence.
func TestOwnDialer(t *testing.T) {
	n := serve(t, func(ctx context.Context, path string, decode func(any) error) (any, error) {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
		return echo(ctx, path, decode)
	})
	dial := grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))), func(o *client.Options) { DialOptions(dial)(&o.CallOptions) })
	for range 5 {
		mustSay(t, c, "x")
	}
	if got := n.conns.Load(); got != 1 {
		t.Errorf("%d connections", got)
	}
}
