package faults

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

const (
	// silentCallers call at once, each after its last call has ended, every
	// silentEvery: 200 calls a second.
	silentCallers = 8
	silentEvery   = 40 * time.Millisecond
	// silentTimeout is the deadline of each call.
	silentTimeout = 3 * time.Second
	// reconnected bounds the time after which calls to a node reach it again whose
	// only connection fell silent.
	reconnected = 10 * time.Second
)

// silentLoad starts calls as these tests make them.
func silentLoad(t *testing.T, c client.Client, name string) *fleet.Load {
	t.Helper()
	return fleet.StartLoad(t, c, name, silentCallers, silentEvery, client.WithRequestTimeout(silentTimeout))
}

// behindProxy starts a node that callers reach through a proxy.
func behindProxy(t *testing.T, name, etcd string) *testkit.Proxy {
	t.Helper()
	l := fleet.Listen(t)
	p := testkit.StartProxy(t, l.Addr().String())
	n := fleet.Service(t, name, fleet.Registry(t, etcd), []server.Option{sgrpc.Listener(l), server.Advertise(p.Addr())})
	testkit.Passes(t, patience, "the node is registered", n.Ready)
	return p
}

// Row D12: one of three nodes falls silent under 200 calls a second, its connection
// open: its process is frozen, or something between acknowledges what is sent and
// forwards nothing. No call fails but those that it had been sent, and one more.
// Once it speaks again it is called again.
func TestD12OneOfThreeFallsSilent(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		start func(t *testing.T, etcd string) (address string, begin, end func())
	}{
		{"frozen", func(t *testing.T, etcd string) (string, func(), func()) {
			p := fleet.Process(t, "--registry=etcd", "--registry_address="+etcd, "--register_ttl=120")
			address := p.Says(t, `Listening on (\S+)`)
			p.Says(t, "Registering node: ")
			return address, func() { p.Freeze(t) }, func() { p.Thaw(t) }
		}},
		{"acknowledged", func(t *testing.T, etcd string) (string, func(), func()) {
			p := behindProxy(t, fleet.ProcessName, etcd)
			return p.Addr(), p.Blackhole, func() { p.Restore(t) }
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := testkit.StartEtcd(t)
			address, begin, end := tc.start(t, e.Addr())
			for range 2 {
				fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr())
			}
			r := fleet.Registry(t, e.Addr())
			testkit.Eventually(t, patience, "three nodes are listed", func() bool { return fleet.Listed(r, fleet.ProcessName, 3) })
			c, chosen := chooses(t, r, address)
			load := silentLoad(t, c, fleet.ProcessName)
			load.More(t, 200)
			if chosen.Load() == 0 {
				t.Fatal("the node that is to fall silent was not called")
			}
			begin()
			testkit.Elapse(t, times(10*time.Second, time.Minute))
			load.Stop()
			t.Logf("measured: %v", load)
			atMost(t, "failed calls, beside those that the node had been sent", load.Failed(), silentCallers+1)

			end()
			chosen.Store(0)
			back := time.Now()
			again := silentLoad(t, c, fleet.ProcessName)
			within(t, "called again", since(t, back, "the node is called again", func() bool { return chosen.Load() > 10 }), reconnected)
			again.Stop()
			atMost(t, "failed calls after that", again.Failed(), 1)
		})
	}
}

// Row D13: the only connection to the only node is forgotten by something between,
// which acknowledges what it is sent. Calls reach the node over a new connection.
func TestD13TheOnlyConnectionIsForgotten(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	p := behindProxy(t, "single", e.Addr())
	c := fleet.Client(t, fleet.Registry(t, e.Addr()))
	for _, opts := range [][]client.CallOption{nil, {client.WithAddress(p.Addr())}} {
		fleet.MustSay(t, c, "single", opts...)
		p.Forget()
		begin := time.Now()
		within(t, "called over a new connection", since(t, begin, "a call succeeds", func() bool {
			return fleet.Say(t.Context(), c, "single", append(opts, client.WithRequestTimeout(time.Second))...) == nil
		}), reconnected)
	}
}

// Row D14: handlers that take long, beside quick ones, do not make their node seem
// silent: neither do calls fail, nor is another connection made.
func TestD14SlowHandlersKeepTheirNode(t *testing.T) {
	t.Parallel()
	slow := times(8*time.Second, 30*time.Second)
	e := testkit.StartEtcd(t)
	l := fleet.Listen(t)
	n := fleet.Service(t, "slow", fleet.Registry(t, e.Addr()), []server.Option{sgrpc.Listener(l)})
	testkit.Passes(t, patience, "the node is registered", n.Ready)
	c := fleet.Client(t, fleet.Registry(t, e.Addr()))
	ended := make(chan error, 2)
	wait := func(c client.Client) {
		_, err := fleet.Call(t.Context(), c, "slow", "Wait", slow.String(), client.WithRequestTimeout(2*slow))
		ended <- err
	}
	// One beside quick calls, and one of a caller that makes no other.
	alone := fleet.Client(t, fleet.Registry(t, e.Addr()))
	go wait(c)
	go wait(alone)
	load := silentLoad(t, c, "slow")
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Errorf("a slow call: %v", err)
		}
	}
	judge(t, load, 100)
	t.Logf("measured: %d connections of two clients", l.Accepted())
	fleet.MustSay(t, alone, "slow")
}
