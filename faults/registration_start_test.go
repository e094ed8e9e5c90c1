package faults

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	merrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// TestA12EtcdDeadAtStart: etcd is away when a service starts, with users and
// without. The service listens within 300 ms, answers direct calls, says why it
// is not registered, and registers at most 2 s after etcd appears.
func TestA12EtcdDeadAtStart(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		for name, opts := range map[string][]registry.Option{"plain": nil, "users": {etcd.Auth("svc", "secret")}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				etcdDeadAtStart(t, testkit.StartEtcd(t, testkit.OfKind(kind)), opts)
			})
		}
	})
}

func etcdDeadAtStart(t *testing.T, e *testkit.Etcd, opts []registry.Option) {
	t.Helper()
	if opts != nil {
		e.EnableAuth(t, "svc", "secret")
	}
	e.Kill()
	l := fleet.Listen(t)
	n := fleet.Service(t, "s", fleet.Registry(t, e.Addr(), opts...), []server.Option{sgrpc.Listener(l)})
	within(t, "listening", l.Served().Sub(n.Began()), 300*time.Millisecond)
	fleet.MustSay(t, n.Client(), "s", client.WithAddress(n.Address()))
	testkit.Eventually(t, patience, "readiness tells the cause", func() bool {
		return strings.Contains(fmt.Sprint(n.Ready()), "connection refused")
	})
	t.Logf("readiness: %v", n.Ready())
	testkit.Elapse(t, 3*time.Second) // for the pauses between attempts to grow
	back := e.Restart(t)
	within(t, "registered after etcd appeared", since(t, back, "the service is registered", func() bool { return n.Ready() == nil }), 2*time.Second)
	fleet.MustSay(t, fleet.Client(t, fleet.Registry(t, e.Addr(), opts...)), "s")
}

// TestA13AddressesAsWritten: addresses in every form that people write. Each leads
// to the etcd that is meant, or to an error that quotes it; none to the default.
func TestA13AddressesAsWritten(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	host, port, err := net.SplitHostPort(e.Addr())
	if err != nil {
		t.Fatal(err)
	}
	good, refused := 0, 0
	for _, addrs := range [][]string{
		{e.Addr()}, {"http://" + e.Addr()}, {"http://" + e.Addr() + "/"}, {"  " + e.Addr() + "\t"}, {"localhost:" + port},
		{"127.0.0.1:1", e.Addr()}, {e.Addr(), "http://" + e.Addr()},
	} {
		r := fleet.Registry(t, "", registry.Addrs(addrs...))
		if err := r.Register(fleet.Record("s", fmt.Sprint("a", good))); err != nil {
			t.Errorf("%q: %v", addrs, err)
		}
		good++
	}
	if !fleet.Listed(fleet.Registry(t, e.Addr()), "s", good) {
		t.Error("not all of them are in the etcd that was meant")
	}
	// What cannot be meant is quoted, at once.
	for _, addrs := range [][]string{
		{""}, {" "}, {e.Addr(), ""}, {host + ":" + port + ":1"}, {":" + port}, {host + ":"}, {host + ":http"}, {"h1,h2"}, {"[::1"},
		{"ftp://" + e.Addr()}, {"http://"}, {host + ":99999"}, {"服务:" + port}, {"://"}, {"unix:///run/etcd.sock"}, {"two words"}, {"http://" + e.Addr(), "https://" + e.Addr()},
	} {
		began := time.Now()
		err := fleet.Registry(t, "", registry.Addrs(addrs...)).Register(fleet.Record("s", "b"))
		if err == nil || !quotes(err, addrs) || strings.Contains(err.Error(), "127.0.0.1:2379 ") {
			t.Errorf("%q: got %v, want an error that quotes it", addrs, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%q: refused after %s", addrs, took)
		}
		// A program hears the same where it meets its registry: in Run and in a call.
		r := fleet.Registry(t, "", registry.Addrs(addrs...))
		own := micro.NewService(micro.Name("s"), micro.Registry(r), micro.Address("127.0.0.1:0"), micro.HandleSignal(false), micro.Client(cgrpc.NewClient()), micro.Server(sgrpc.NewServer()))
		for what, err := range map[string]error{"Run": own.Run(), "a call": fleet.Say(t.Context(), fleet.Client(t, r), "s")} {
			if e := merrors.FromError(err); e != nil {
				err = errors.New(e.Detail)
			}
			if err == nil || !quotes(err, addrs) {
				t.Errorf("%q: %s: got %v, want an error that quotes it", addrs, what, err)
			}
		}
		refused++
	}
	// What can be meant, and is not there, is named with the port that was given.
	for addr, names := range map[string]string{
		"https://" + e.Addr():    e.Addr(),
		"[::1]:1":                "[::1]:1",
		"::1":                    "[::1]:2379",
		"http://[::1]:1":         "[::1]:1",
		"etcd.invalid":           "etcd.invalid:2379",
		"http://127.0.0.1:1":     "127.0.0.1:1",
		"https://[::1]:" + port:  "[::1]:" + port,
		"http://etcd.invalid:77": "etcd.invalid:77",
	} {
		err := fleet.Registry(t, "", registry.Addrs(addr), registry.Timeout(200*time.Millisecond)).Register(fleet.Record("s", "b"))
		if err == nil || !strings.Contains(err.Error(), names) {
			t.Errorf("%q: got %v, want an error that names %s", addr, err, names)
		}
		refused++
	}
	t.Logf("measured: %d forms accepted, %d refused or named, bound: none leads elsewhere", good, refused)
}

// quotes tells whether err has one of the texts in it.
func quotes(err error, texts []string) bool {
	for _, s := range texts {
		if strings.Contains(err.Error(), fmt.Sprintf("%q", s)) || s != "" && strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}

// TestA14AdvertisedAddressIsNotUsed: etcd tells clients an address where nobody
// is. A registry stays with the one that it was given, over a lost connection too.
func TestA14AdvertisedAddressIsNotUsed(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		const elsewhere = "192.0.2.1:1"
		e := testkit.StartEtcd(t, testkit.OfKind(kind), testkit.WithAdvertise(elsewhere))
		members, err := e.Client(t).MemberList(t.Context())
		if err != nil || members.Members[0].ClientURLs[0] != "http://"+elsewhere {
			t.Fatalf("etcd says that it is at %v (%v)", members, err)
		}
		p := testkit.StartProxy(t, e.Addr())
		r := fleet.Registry(t, p.Addr())
		register(t, r, fleet.Record("s", "a"), 3*time.Second)
		for range 3 {
			p.Cut()
			p.Restore(t)
			begin := time.Now()
			within(t, "answered over a new connection", since(t, begin, "etcd answers", func() bool { return fleet.Listed(r, "s", 1) }), listedAgain)
		}
		atMost(t, "connections not to the address given", 4-min(4, p.Conns()), 0)
		if got := r.Options().Addrs; len(got) != 1 || got[0] != p.Addr() {
			t.Errorf("the addresses became %v", got)
		}
	})
}

// TestA15NoSpace: etcd's database is full. What is registered stays listed for
// three TTLs, a new registration fails within its timeout with an error that
// names the alarm and the three commands, and goes through at most 4 s after the alarm is off.
func TestA15NoSpace(t *testing.T) {
	t.Parallel()
	const ttl, slack = 2 * time.Second, 500 * time.Millisecond
	e := testkit.StartEtcd(t, testkit.WithQuota(16<<20))
	c := e.Client(t)
	r := fleet.Registry(t, e.Addr())
	register(t, r, fleet.Record("s", "a"), ttl)
	n := fleet.Service(t, "waiting", fleet.Registry(t, e.Addr()), nil)
	testkit.Eventually(t, patience, "the service is registered", func() bool { return n.Ready() == nil })

	// Each write is kept in the history.
	var full error
	chunk := strings.Repeat("x", 1<<20)
	for i := 0; i < 64 && full == nil; i++ {
		_, full = c.Put(t.Context(), "/filling", chunk)
	}
	if full == nil || !strings.Contains(full.Error(), "database space exceeded") {
		t.Fatalf("etcd is not full: %v", full)
	}
	began := time.Now()
	err := r.Register(fleet.Record("late", "a"))
	within(t, "refused", time.Since(began), fleet.Timeout+slack)
	for _, want := range []string{"NOSPACE", "etcdctl compact", "etcdctl defrag", "etcdctl alarm disarm", e.Addr()} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that names %s", err, want)
		}
	}
	t.Logf("error: %v", err)
	gone := 0
	for until := time.Now().Add(3 * ttl); time.Now().Before(until); testkit.Elapse(t, 100*time.Millisecond) {
		if !fleet.Listed(r, "s", 1) || !fleet.Listed(r, "waiting", 1) {
			gone++
		}
	}
	atMost(t, "looks at which a registered node was gone", gone, 0)

	// The way out that an operator takes: compact, defragment, disarm.
	e.Compact(t)
	if _, err := c.Defragment(t.Context(), e.Addr()); err != nil {
		t.Fatal(err)
	}
	alarms, err := c.AlarmList(t.Context())
	if err != nil || len(alarms.Alarms) == 0 {
		t.Fatalf("no alarm: %v, %v", alarms, err)
	}
	for _, a := range alarms.Alarms {
		if _, err := c.AlarmDisarm(t.Context(), (*clientv3.AlarmMember)(a)); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	within(t, "registered after the alarm", since(t, begin, "a node can be registered", func() bool {
		return r.Register(fleet.Record("late", "a")) == nil
	}), listedAgain)
}
