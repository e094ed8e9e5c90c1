package faults

import (
	"fmt"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// Metrics of etcd.
const (
	authentications = `grpc_server_started_total{grpc_method="Authenticate",`
	keepalives      = `grpc_server_msg_received_total{grpc_method="LeaseKeepAlive",`
	renewalStreams  = `grpc_server_started_total{grpc_method="LeaseKeepAlive",`
	watchStreams    = `grpc_server_started_total{grpc_method="Watch",`
)

// TestA4AThousandComeBack: etcd restarts empty under 300 registrations of 100
// registries, each with a connection of its own (in full 1,000 of 500). All are
// back in at most 10 s, and no registry writes more than once: 10 % more writes
// than registries fail the test. How the writes are spread is printed as a watcher
// sees it, who hears of several at once on a busy machine; when they are sent is
// looked at in internal/etcd, by a simulated clock.
func TestA4AThousandComeBack(t *testing.T) {
	nodes, processes := times(300, 1000), times(100, 500)
	e := testkit.StartEtcd(t)
	p := testkit.StartProxy(t, e.Addr())
	for i := range processes {
		r := fleet.Registry(t, p.Addr(), registry.Timeout(defaults.RegistryTimeout))
		var own []string
		for n := range nodes / processes {
			own = append(own, fmt.Sprintf("a%d-%d", i, n))
		}
		if err := r.Register(fleet.Record("s", own...), registry.RegisterTTL(60*time.Second), generated(t)); err != nil {
			t.Fatal(err)
		}
	}
	// They are let in once there is somebody who watches them come.
	p.Cut()
	e.Wipe()
	e.Restart(t)
	writes := e.Client(t).Watch(clientv3.WithRequireLeader(t.Context()), "/micro/registry/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	if w := <-writes; !w.Created {
		t.Fatalf("watch etcd: %+v", w)
	}
	p.Restore(t)
	back := time.Now()
	at := map[int64]time.Time{} // by revision
	seen := map[string]bool{}
	var first, last time.Time
	late := time.NewTimer(patience)
	defer late.Stop()
	for len(seen) < nodes {
		select {
		case w := <-writes:
			if w.Err() != nil {
				t.Fatal(w.Err())
			}
			last = time.Now()
			if first.IsZero() {
				first = last
			}
			for _, ev := range w.Events {
				at[ev.Kv.ModRevision] = last
				seen[string(ev.Kv.Key)] = true
			}
		case <-late.C:
			t.Fatalf("%d of %d nodes are back after %s", len(seen), nodes, patience)
		}
	}
	within(t, fmt.Sprintf("all %d nodes back", nodes), last.Sub(back), 10*time.Second)
	atMost(t, "writes", len(at), processes+processes/10)
	instant, second := map[int64]int{}, map[int64]int{}
	for _, when := range at {
		instant[when.UnixMilli()]++
		second[int64(when.Sub(first)/time.Second)]++
	}
	busiest := func(m map[int64]int) (most int) {
		for _, n := range m {
			most = max(most, n)
		}
		return most
	}
	t.Logf("measured: writes in the busiest second %d, in the busiest millisecond %d, over %s",
		busiest(second), busiest(instant), last.Sub(first).Round(time.Millisecond))
}

// TestA5AuthenticateOncePerToken: 200 services register with a user and a
// password and are kept for a while. etcd is asked to authenticate at most once
// per connection and once per end of a token.
func TestA5AuthenticateOncePerToken(t *testing.T) {
	t.Parallel()
	const services, processes = 200, 20
	long := times(8*time.Second, 10*time.Minute)
	for _, tc := range []struct {
		token string
		life  time.Duration // 0: it does not end
		opts  []testkit.EtcdOption
	}{
		{"simple", 0, nil},
		{"jwt", 4 * time.Second, []testkit.EtcdOption{testkit.OfKind(testkit.Debian), testkit.WithJWT(t, 4*time.Second)}},
	} {
		t.Run(tc.token, func(t *testing.T) {
			t.Parallel()
			e := testkit.StartEtcd(t, tc.opts...)
			e.EnableAuth(t, "svc", "secret")
			p := testkit.StartProxy(t, e.Addr())
			// etcd's own client, once its token ended, asks for ever under JWT.
			reader := fleet.Registry(t, p.Addr(), etcd.Auth("svc", "secret"))
			before, began := e.Metric(t, authentications), time.Now()
			renewed := e.Metric(t, keepalives)
			var starting sync.WaitGroup
			for i := range processes {
				r := fleet.Registry(t, p.Addr(), registry.Timeout(patience), etcd.Auth("svc", "secret"))
				starting.Go(func() {
					for n := range services / processes {
						if err := r.Register(fleet.Record(fmt.Sprintf("s%d-%d", i, n), "a"), registry.RegisterTTL(3*time.Second), generated(t)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			starting.Wait()
			testkit.Elapse(t, long)
			took := time.Since(began)
			got, conns := e.Metric(t, authentications)-before, p.Conns()
			if renewed = e.Metric(t, keepalives) - renewed; renewed < processes*int(long/time.Second)/2 {
				t.Errorf("only %d renewals in %s", renewed, took)
			}
			if all, err := reader.ListServices(); err != nil || len(all) != services {
				t.Errorf("%d services are there (%v), want %d", len(all), err, services)
			}
			bound := conns
			if tc.life > 0 {
				bound += conns * int(took/tc.life)
			}
			t.Logf("%d renewals in %s over %d connections", renewed, took.Round(time.Second), conns)
			atMost(t, "authentications", got, bound)
		})
	}
}

// TestA7OneLeaseOneStream: 20 services of one process share one registry. They
// have one lease, renewed once per third of the TTL (20 % more or less) on one
// stream, and one stream of watches.
func TestA7OneLeaseOneStream(t *testing.T) {
	t.Parallel()
	const services, ttl = 20, 3 * time.Second
	e := testkit.StartEtcd(t)
	c := e.Client(t)
	r := fleet.Registry(t, e.Addr())
	for i := range services {
		n := fleet.Service(t, fmt.Sprintf("s%d", i), r, nil, micro.RegisterTTL(ttl))
		testkit.Eventually(t, patience, "the service is registered", func() bool { return n.Ready() == nil })
	}
	leases, err := c.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	atMost(t, "leases of 20 services", len(leases.Leases), 1)
	long := times(12*time.Second, 2*time.Minute)
	began, before := time.Now(), e.Metric(t, keepalives)
	testkit.Elapse(t, long)
	got := float64(e.Metric(t, keepalives) - before)
	want := float64(time.Since(began)) / float64(ttl/3)
	t.Logf("measured: %.0f renewals in %s, bound %.1f +- 20 %%", got, time.Since(began).Round(time.Second), want)
	if got < want*0.8-1 || got > want*1.2+1 {
		t.Errorf("%.0f renewals, want %.1f", got, want)
	}
	atMost(t, "streams of renewals", e.Metric(t, renewalStreams), 1)
	atMost(t, "streams of watches", e.Metric(t, watchStreams), 1)
	keys := map[clientv3.LeaseID]int{}
	all, err := c.Get(t.Context(), "/micro/registry/", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range all.Kvs {
		keys[clientv3.LeaseID(kv.Lease)]++
	}
	if n := keys[leases.Leases[0].ID]; n != services || len(keys) != 1 {
		t.Errorf("keys by lease are %v, want %d under one", keys, services)
	}
}
