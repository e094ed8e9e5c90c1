package faults

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// leaseOf returns the lease of a node's key, 0 if there is no key or no lease.
func leaseOf(t *testing.T, c *clientv3.Client, name, id string) clientv3.LeaseID {
	t.Helper()
	got, err := c.Get(t.Context(), "/micro/registry/"+name+"/"+id)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Kvs) == 0 {
		return 0
	}
	return clientv3.LeaseID(got.Kvs[0].Lease)
}

// TestA1LeaseLostInAnOutage: etcd cannot be reached for five times the TTL,
// refused, swallowed or frozen. The node is listed again, under a new lease, at
// most 4 s after etcd answers (6 s after silence), every time.
func TestA1LeaseLostInAnOutage(t *testing.T) {
	t.Parallel()
	const ttl = 2 * time.Second
	for _, outage := range []struct {
		kind  string
		bound time.Duration
		begin func(*testing.T, *testkit.Etcd, *testkit.Proxy)
		end   func(*testing.T, *testkit.Etcd, *testkit.Proxy)
	}{
		{"reject", listedAgain,
			func(_ *testing.T, _ *testkit.Etcd, p *testkit.Proxy) { p.Cut() },
			func(t *testing.T, _ *testkit.Etcd, p *testkit.Proxy) { p.Restore(t) }},
		{"drop", listedAfterSilence,
			func(_ *testing.T, _ *testkit.Etcd, p *testkit.Proxy) { p.Blackhole() },
			func(t *testing.T, _ *testkit.Etcd, p *testkit.Proxy) { p.Restore(t) }},
		{"freeze", listedAfterSilence,
			func(t *testing.T, e *testkit.Etcd, _ *testkit.Proxy) { e.Freeze(t) },
			func(t *testing.T, e *testkit.Etcd, _ *testkit.Proxy) { e.Thaw(t); e.WaitReady(t) }},
	} {
		t.Run(outage.kind, func(t *testing.T) {
			t.Parallel()
			e := testkit.StartEtcd(t)
			p := testkit.StartProxy(t, e.Addr())
			c := e.Client(t)
			register(t, fleet.Registry(t, p.Addr()), fleet.Record("s", "a"), ttl)
			reader := fleet.Registry(t, e.Addr())
			rounds, renewed, worst := times(1, 100), 0, time.Duration(0)
			for range rounds {
				before := leaseOf(t, c, "s", "a")
				outage.begin(t, e, p)
				if outage.kind != "freeze" {
					// A frozen etcd expires nothing until it goes on.
					since(t, time.Now(), "the node is gone", func() bool { return fleet.Listed(reader, "s", 0) })
				}
				testkit.Elapse(t, 5*ttl)
				outage.end(t, e, p)
				back := time.Now()
				worst = max(worst, since(t, back, "the node is listed again", func() bool { return fleet.Listed(reader, "s", 1) }))
				// A frozen etcd may have the key still and drop it a moment later.
				stays(t, reader, outage.kind == "freeze", back)
				if leaseOf(t, c, "s", "a") != before {
					renewed++
				}
			}
			within(t, fmt.Sprintf("listed again, worst of %d", rounds), worst, outage.bound)
			if outage.kind != "freeze" && renewed != rounds {
				t.Errorf("the lease was lost in %d of %d outages", renewed, rounds)
			}
		})
	}
}

// stays waits, if it is to be looked at, for the time in which an etcd that was
// frozen expires leases, and then for the node.
func stays(t *testing.T, r registry.Registry, look bool, back time.Time) {
	t.Helper()
	if !look {
		return
	}
	testkit.Elapse(t, 2*time.Second)
	if took := since(t, back, "the node is listed again", func() bool { return fleet.Listed(r, "s", 1) }); took > listedAfterSilence {
		t.Errorf("the node was gone %s after etcd went on", took)
	}
}

// TestA2FrozenEtcd: etcd is stopped with SIGSTOP. No method of a registry takes
// longer than its timeout, calls go on, a service ends when it is asked to, and
// another says once that it lost its node and once that it is back, without a
// restart.
func TestA2FrozenEtcd(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		frozenEtcd(t, testkit.StartEtcd(t, testkit.OfKind(kind)))
	})
}

func frozenEtcd(t *testing.T, e *testkit.Etcd) {
	t.Helper()
	const ttl, slack = 2 * time.Second, 500 * time.Millisecond
	start := func(more ...string) *testkit.Process {
		p := fleet.Process(t, append([]string{"--registry=etcd", "--registry_address=" + e.Addr(), "--register_ttl=2", "--register_interval=1"}, more...)...)
		p.Says(t, "Registering node: node-")
		return p
	}
	p, ending := start(), start()
	r := fleet.Registry(t, e.Addr())
	register(t, r, fleet.Record("leaving", "a"), ttl)
	n := fleet.Service(t, "called", fleet.Registry(t, e.Addr()), []server.Option{server.RegisterTTL(ttl), server.RegisterInterval(time.Second)})
	testkit.Eventually(t, patience, "the service is registered", func() bool { return n.Ready() == nil })
	c := fleet.Client(t, r)
	fleet.MustSay(t, c, "called")

	e.Freeze(t)
	worst := slowestMethod(t, r, e.Addr())
	within(t, "slowest method of a registry", worst, fleet.Timeout+slack)
	fleet.MustSay(t, c, "called")
	fleet.MustSay(t, n.Client(), "called", client.WithAddress(n.Address()))
	begin := time.Now()
	ending.Stop(t)
	within(t, "a process ended after SIGTERM", time.Since(begin), 5*time.Second)
	p.Says(t, "Lost node")
	testkit.Elapse(t, 2*ttl)
	e.Thaw(t)
	back := e.WaitReady(t)
	id := p.Says(t, `Registering node: (\S+)`)
	within(t, "listed again", since(t, back, "the node is listed", func() bool {
		all, err := fleet.Addresses(r, fleet.ProcessName)
		return err == nil && all[id] != ""
	}), listedAfterSilence)
	p.Says(t, "Registered again")
	n.Until(t, back, listedAfterSilence)
	// Events are told a moment after readiness changed.
	testkit.Eventually(t, patience, "the registration was lost and is back", func() bool {
		phases := n.Phases()
		return phases[0] == sgrpc.Registered && phases[len(phases)-1] == sgrpc.Registered && slices.Contains(phases, sgrpc.NotRegistered)
	})
	// The freeze is one change of state, the expiry that follows it may be another.
	atMost(t, "lines that tell the loss", p.Lines("Lost node"), 2)
	atMost(t, "lines that tell the return", p.Lines("Registered again"), p.Lines("Lost node"))
	atMost(t, "lines of errors", p.Lines("level=error"), 0)
	if p.Lines("Lost node: node-") > 0 && !strings.Contains(p.Output(), "etcd did not answer") {
		t.Error("the loss is told without its reason")
	}
}

// slowestMethod calls every method of a registry whose etcd at addr does not
// answer, and returns how long the slowest took. Each has to fail and to name addr.
func slowestMethod(t *testing.T, r registry.Registry, addr string) time.Duration {
	t.Helper()
	var calling sync.WaitGroup
	var mu sync.Mutex
	var worst time.Duration
	for what, call := range map[string]func() error{
		"Register":     func() error { return r.Register(fleet.Record("coming", "a")) },
		"Deregister":   func() error { return r.Deregister(fleet.Record("leaving", "a")) },
		"GetService":   func() error { _, err := r.GetService("node"); return err },
		"ListServices": func() error { _, err := r.ListServices(); return err },
		"Watch":        func() error { _, err := r.Watch(); return err },
	} {
		calling.Go(func() {
			began := time.Now()
			err := call()
			mu.Lock()
			defer mu.Unlock()
			worst = max(worst, time.Since(began))
			if err == nil || !strings.Contains(err.Error(), addr) {
				t.Errorf("%s: got %v, want an error that names %s", what, err, addr)
			}
		})
	}
	calling.Wait()
	return worst
}
