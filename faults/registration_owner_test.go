package faults

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// TestA8KillNine: a node of a service is killed with kill -9. It leaves the list
// at most TTL + 1 s later, a caller chooses it no more after one refused dial, and
// no call fails. A node that is registered without a TTL has a lease all the same.
func TestA8KillNine(t *testing.T) {
	t.Parallel()
	const ttl = 3 * time.Second
	e := testkit.StartEtcd(t)
	etcd := e.Client(t)
	r := fleet.Registry(t, e.Addr())
	if err := r.Register(fleet.Record("lasting", "a")); err != nil {
		t.Fatal(err)
	}
	lease, err := etcd.TimeToLive(t.Context(), leaseOf(t, etcd, "lasting", "a"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("measured: TTL without one %d s, bound 15 s", lease.GrantedTTL)
	if lease.GrantedTTL != 15 {
		t.Errorf("registered without a TTL, the lease has %d s", lease.GrantedTTL)
	}
	killNine(t, r, ttl, "--registry=etcd", "--registry_address="+e.Addr())
}

// killNine kills one of three processes with these flags, whose records r reads.
func killNine(t *testing.T, r registry.Registry, ttl time.Duration, flags ...string) {
	t.Helper()
	var nodes []*testkit.Process
	for range 3 {
		nodes = append(nodes, fleet.Process(t, append(flags, fmt.Sprintf("--register_ttl=%d", int(ttl.Seconds())))...))
	}
	testkit.Eventually(t, patience, "three nodes are listed", func() bool { return fleet.Listed(r, "node", 3) })
	before, err := fleet.Addresses(r, "node")
	if err != nil {
		t.Fatal(err)
	}
	c, chosen := chooses(t, r, addressOf(t, nodes[0], before))
	for range 50 {
		fleet.MustSay(t, c, "node")
	}
	if chosen.Swap(0) == 0 {
		t.Fatal("the node that is to die was not called")
	}
	nodes[0].Kill()
	killed := time.Now()
	gone := time.Duration(0)
	calls, failed := 0, 0
	for gone == 0 || calls < 300 {
		if err := fleet.Say(t.Context(), c, "node"); err != nil {
			t.Log(err)
			failed++
		}
		calls++
		if gone == 0 && fleet.Listed(r, "node", 2) {
			gone = time.Since(killed)
		}
		if time.Since(killed) > patience {
			t.Fatal("the node stays listed")
		}
	}
	within(t, "unlisted after kill -9", gone, ttl+time.Second)
	// A request that the dying process had been sent may have run: it is not sent
	// again by itself. One caller has one such request at most.
	atMost(t, fmt.Sprintf("failed of %d calls", calls), failed, 1)
	atMost(t, "calls that chose the dead node", int(chosen.Load()), 1)
}

// TestA8KillNineWhileTheLeaderChanges: a node is killed with kill -9, and at once
// the leader of three members. The next leader gives every lease its whole TTL
// anew; the node leaves the list at most 2 x TTL + 1 s after its death.
func TestA8KillNineWhileTheLeaderChanges(t *testing.T) {
	t.Parallel()
	const ttl = 3 * time.Second
	cluster := testkit.StartCluster(t)
	addresses := strings.Join(cluster.Addrs(), ",")
	r := fleet.Registry(t, addresses, registry.Addrs(cluster.Addrs()...))
	doomed := fleet.Process(t, "--registry=etcd", "--registry_address="+addresses, "--register_ttl=3")
	fleet.Process(t, "--registry=etcd", "--registry_address="+addresses, "--register_ttl=3")
	testkit.Eventually(t, patience, "two nodes are listed", func() bool { return fleet.Listed(r, "node", 2) })
	leader := cluster.Leader(t)
	doomed.Kill()
	killed := time.Now()
	leader.Kill()
	gone := since(t, killed, "one node is listed", func() bool { return fleet.Listed(r, "node", 1) })
	cluster.Leader(t) // another one leads by now
	within(t, "unlisted after kill -9 and a change of leader", gone, 2*ttl+time.Second)
	testkit.Elapse(t, ttl)
	if !fleet.Listed(r, "node", 1) {
		t.Error("the node that lives is not listed")
	}
}

// addressOf returns the address under which a process is registered. The registry
// may have its record a moment before the process says so.
func addressOf(t *testing.T, p *testkit.Process, nodes map[string]string) string {
	t.Helper()
	id := p.Says(t, `Registering node: (\S+)`)
	if nodes[id] == "" {
		t.Fatalf("%s is none of %v", id, nodes)
	}
	return nodes[id]
}

// TestA9TwoProcessesOfOneId: two processes have the same id. The newest wins, the
// other says once that it is displaced, they share no lease, and stopping either
// does not remove the other's key.
func TestA9TwoProcessesOfOneId(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	etcd := e.Client(t)
	r := fleet.Registry(t, e.Addr())
	start := func() *testkit.Process {
		p := fleet.Process(t, "--registry=etcd", "--registry_address="+e.Addr(), "--register_ttl=2", "--register_interval=1", "--server_id=one")
		p.Says(t, "Registering node: node-one")
		return p
	}
	a := start()
	leaseOfA := leaseOf(t, etcd, "node", "node-one")
	b := start()
	begun := time.Now()
	within(t, "displacement told", since(t, begun, "the first says that it is displaced", func() bool { return a.Lines("Node is displaced") > 0 }), 2*time.Second)
	leaseOfB := leaseOf(t, etcd, "node", "node-one")
	if leaseOfB == leaseOfA || leaseOfB == 0 {
		t.Errorf("the second stands on lease %x, the first on %x", leaseOfB, leaseOfA)
	}
	testkit.Elapse(t, 5*time.Second) // two TTLs and several checks again
	if got := leaseOf(t, etcd, "node", "node-one"); got != leaseOfB {
		t.Errorf("the key passed on to lease %x: they fight over it", got)
	}
	atMost(t, "lines that tell the conflict", a.Lines("Node is displaced"), 1)
	a.Stop(t)
	if got := leaseOf(t, etcd, "node", "node-one"); got != leaseOfB {
		t.Errorf("stopping the first left the key under lease %x", got)
	}
	c := start() // displaces b
	leaseOfC := leaseOf(t, etcd, "node", "node-one")
	b.Kill()
	testkit.Elapse(t, 4*time.Second)
	if got := leaseOf(t, etcd, "node", "node-one"); got != leaseOfC {
		t.Errorf("killing the second left the key under lease %x", got)
	}
	c.Stop(t)
	if !fleet.Listed(r, "node", 0) {
		t.Error("stopping the last left the key")
	}
}

// Row A9, as the services themselves see it: the older one's readiness says that it
// was displaced; the newer one is ready and is called, also after the older has left.
func TestA9TheOlderKnows(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := fleet.Registry(t, e.Addr())
	same := []server.Option{server.Id("1")}
	older := fleet.Service(t, "greeter", fleet.Registry(t, e.Addr()), same)
	older.Until(t, older.Began(), 2*time.Second)
	newer := fleet.Service(t, "greeter", fleet.Registry(t, e.Addr()), same)
	newer.Until(t, newer.Began(), 2*time.Second)
	testkit.Eventually(t, 4*time.Second, "the older knows that it was displaced", func() bool { return slices.Contains(older.Phases(), sgrpc.Displaced) })
	if err := older.Ready(); err == nil || !strings.Contains(err.Error(), "displaced") {
		t.Errorf("the older's readiness: %v", err)
	}
	registered := func() string {
		got, err := r.GetService("greeter")
		if err != nil || len(got) != 1 || len(got[0].Nodes) != 1 {
			return fmt.Sprint(got, err)
		}
		return got[0].Nodes[0].Address
	}
	if got := registered(); got != newer.Address() {
		t.Errorf("%s is registered, want the newer, %s", got, newer.Address())
	}
	// The older leaves what is not its own.
	if err := older.Stop(); err != nil {
		t.Errorf("stop the older: %v", err)
	}
	// It told so once each, and did not fight.
	if got, want := older.Phases(), []sgrpc.Phase{sgrpc.Registered, sgrpc.Displaced, sgrpc.Left}; !slices.Equal(got, want) {
		t.Errorf("the older was %v, want %v", got, want)
	}
	testkit.Eventually(t, patience, "the newer heard that it is registered, and of nothing else", func() bool {
		return slices.Equal(newer.Phases(), []sgrpc.Phase{sgrpc.Registered})
	})
	if got := registered(); got != newer.Address() {
		t.Errorf("%s is registered after the older has left, want %s", got, newer.Address())
	}
	if err := newer.Ready(); err != nil {
		t.Errorf("the newer: %v", err)
	}
	fleet.MustSay(t, fleet.Client(t, r), "greeter")
}

// TestA10LateDeregister: 100 nodes move to another process under the same ids,
// and the former one deregisters 3 s later. No new key is removed, 100 of 100.
func TestA10LateDeregister(t *testing.T) {
	t.Parallel()
	const nodes = 100
	e := testkit.StartEtcd(t)
	old, fresh := fleet.Registry(t, e.Addr()), fleet.Registry(t, e.Addr())
	var names []string
	for i := range nodes {
		names = append(names, fmt.Sprint("a", i))
	}
	was, is := fleet.Record("s", names...), fleet.Record("s", names...)
	for _, n := range is.Nodes {
		n.Address = "127.0.0.2:1"
	}
	register(t, old, was, 15*time.Second)
	register(t, fresh, is, 15*time.Second)
	testkit.Elapse(t, 3*time.Second)
	if err := old.Deregister(was); err != nil {
		t.Error(err)
	}
	testkit.Elapse(t, time.Second) // for a delete that was still under way
	all, err := fleet.Addresses(fresh, "s")
	if err != nil {
		t.Fatal(err)
	}
	survived := 0
	for _, address := range all {
		if address == "127.0.0.2:1" {
			survived++
		}
	}
	t.Logf("measured: survived %d, bound %d", survived, nodes)
	if survived != nodes {
		t.Errorf("%d of %d keys survived", survived, nodes)
	}
}

// TestA11InitTenTimes: a service calls Init ten times. It has one connection to
// etcd and one key.
func TestA11InitTenTimes(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	proxy := testkit.StartProxy(t, e.Addr())
	p := testkit.StartProcess(t, fleet.AsNode(exec.Command(os.Args[0], "--registry=etcd", "--registry_address="+proxy.Addr()), 10))
	p.Says(t, "Registering node: node-")
	atMost(t, "open connections", proxy.Open(), 1)
	atMost(t, "connections made", proxy.Conns(), 1)
	got, err := e.Client(t).Get(t.Context(), "/micro/registry/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	atMost(t, "keys", int(got.Count), 1)

	// A registry that is given its address again and again keeps one as well.
	r := fleet.Registry(t, proxy.Addr())
	register(t, r, fleet.Record("s", "a"), 15*time.Second)
	for range 10 {
		if err := r.Init(registry.Addrs(proxy.Addr())); err != nil {
			t.Fatal(err)
		}
	}
	if !fleet.Listed(fleet.Registry(t, e.Addr()), "s", 1) {
		t.Error("the node got lost in Init")
	}
	testkit.Eventually(t, patience, "one connection each is left", func() bool { return proxy.Open() <= 2 })
	atMost(t, "open connections of two registries", proxy.Open(), 2)
}
