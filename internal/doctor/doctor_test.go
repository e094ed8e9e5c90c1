package doctor

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
)

// examine examines the etcd at addr.
func examine(t *testing.T, addr string, change ...func(*etcd.Config)) []Finding {
	t.Helper()
	cfg := etcd.Config{Addrs: []string{addr}, Timeout: 15 * time.Second}
	for _, c := range change {
		c(&cfg)
	}
	all := Examine(t.Context(), cfg, layout.Layout{})
	for _, f := range all {
		if f.Code == "" || f.Subject == "" || f.Cause == "" || (f.Fix == "") != (f.Level == OK) {
			t.Errorf("incomplete: %+v", f)
		}
	}
	if t.Failed() || testing.Verbose() {
		for _, f := range all {
			t.Logf("%-8s%s: %s [%s] %s", f.Level, f.Subject, f.Cause, f.Code, f.Fix)
		}
	}
	return all
}

// faults returns the codes of everything that is not ok, but the release's flaws.
func faults(all []Finding) []string {
	codes := []string{}
	for _, f := range all {
		if f.Level != OK && !strings.HasPrefix(f.Code, "version.") {
			codes = append(codes, string(f.Level)+" "+f.Code)
		}
	}
	slices.Sort(codes)
	return codes
}

// want compares the faults with the expected ones, "problem etcd.refused" each.
func want(t *testing.T, all []Finding, codes ...string) {
	t.Helper()
	slices.Sort(codes)
	if got := faults(all); !slices.Equal(got, codes) {
		t.Errorf("the faults are %q, want %q", got, codes)
		for _, f := range all {
			t.Logf("%+v", f)
		}
	}
}

// find returns the findings with a code.
func find(all []Finding, code string) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Code != code })
}

// says fails the test unless one finding of the code has all the parts.
func says(t *testing.T, all []Finding, code string, parts ...string) {
	t.Helper()
	for _, f := range find(all, code) {
		text := f.Subject + ": " + f.Cause + " " + f.Fix
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) }) {
			return
		}
	}
	t.Errorf("no finding %s has all of %q: %+v", code, parts, find(all, code))
}

// listen returns an address that accepts connections.
func listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// gone returns an address that refuses connections.
func gone(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := server.Client(t)
		lease, err := client.Grant(t.Context(), 60)
		if err != nil {
			t.Fatal(err)
		}
		register(t, client, "shop", "shop-1", listen(t), lease.ID)
		register(t, client, "shop", "shop-2", listen(t), lease.ID)
		register(t, client, "user", "user-1", listen(t), lease.ID)
		before := revision(t, client)
		all := examine(t, server.Addr())
		want(t, all)
		for _, code := range []string{"etcd.answers", "cluster.leader", "cluster.members", "advertised.urls", "db.size", "alarm.none", "registry.read", "lease.alive"} {
			says(t, all, code)
		}
		says(t, all, "registry.read", "3 nodes of 2 services")
		says(t, all, "lease.alive", "1 lease:", "of 60 s")
		if after := revision(t, client); after != before {
			t.Errorf("the revision went from %d to %d: something was written", before, after)
		}
		switch kind {
		case testkit.Debian:
			says(t, all, "version.watch_flaws", "3.4.", "#17529", "upgrade to 3.4.38 or later")
			says(t, all, "version.unsupported", "3.4 gets no fixes")
		case testkit.Old:
			says(t, all, "version.unsupported", "3.3 gets no fixes")
		default:
			says(t, all, "version.known")
		}
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	want(t, examine(t, gone(t)), "problem etcd.refused")
	want(t, examine(t, "no-such-host.invalid:2379"), "problem etcd.unresolvable")
	want(t, examine(t, "a:b:c"), "problem address.malformed")
	begun := time.Now()
	mute := listen(t) // accepts and says nothing
	all := examine(t, mute, func(c *etcd.Config) { c.Timeout = 3 * time.Second })
	want(t, all, "problem etcd.no_answer")
	says(t, all, "etcd.no_answer", "within 1s")
	if took := time.Since(begun); took > 6*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestFrozen(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		server.Freeze(t)
		begun := time.Now()
		all := examine(t, server.Addr(), func(c *etcd.Config) { c.Timeout = 3 * time.Second })
		if took := time.Since(begun); took > 6*time.Second {
			t.Errorf("it took %v, want 3 s at most", took)
		}
		want(t, all, "problem etcd.no_answer")
	})
}

func TestOneOfTwoIsGone(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	dead := gone(t)
	all := examine(t, server.Addr(), func(c *etcd.Config) { c.Addrs = append(c.Addrs, dead) })
	want(t, all, "problem etcd.refused")
	says(t, all, "etcd.refused", dead)
	says(t, all, "registry.read", server.Addr())
}

// Two etcds that were started alike have the same ids.
func TestTwoClustersOfOneIdentity(t *testing.T) {
	t.Parallel()
	one, other := testkit.StartEtcd(t), testkit.StartEtcd(t)
	all := examine(t, one.Addr(), func(c *etcd.Config) { c.Addrs = append(c.Addrs, other.Addr()) })
	if len(find(all, "cluster.several")) != 1 {
		t.Errorf("not found: %v", faults(all))
	}
	// One etcd by two names is one.
	_, port, err := net.SplitHostPort(one.Addr())
	if err != nil {
		t.Fatal(err)
	}
	all = examine(t, one.Addr(), func(c *etcd.Config) { c.Addrs = append(c.Addrs, "localhost:"+port) })
	if len(find(all, "cluster.several")) != 0 {
		t.Errorf("found: %v", faults(all))
	}
}

func TestTwoClusters(t *testing.T) {
	t.Parallel()
	one, other := testkit.StartEtcd(t), testkit.StartEtcd(t, testkit.OfKind(testkit.Debian))
	all := examine(t, one.Addr(), func(c *etcd.Config) { c.Addrs = append(c.Addrs, other.Addr()) })
	if len(find(all, "cluster.several")) != 1 {
		t.Errorf("not found: %v", faults(all))
	}
}

func TestNoSpace(t *testing.T) {
	t.Setenv("MICRO_ETCD_QUOTA", "16MiB")
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	lease, err := client.Grant(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}
	register(t, client, "shop", "shop-1", listen(t), lease.ID)
	big := strings.Repeat("x", 1<<20)
	for i := 0; err == nil; i++ {
		if i > 100 {
			t.Fatal("the quota of 16 MiB is not reached by 100 MiB")
		}
		_, err = client.Put(t.Context(), fmt.Sprintf("/other/%d", i), big)
	}
	all := examine(t, server.Addr())
	want(t, all, "problem alarm.nospace", "warning db.filling")
	says(t, all, "alarm.nospace", "etcdctl --endpoints="+server.Addr()+" compact ", "defrag", "alarm disarm")
	says(t, all, "db.filling", "of its quota of 16.0 MiB")
	says(t, all, "registry.read", "1 node of 1 service registered")
}

func register(t *testing.T, client *clientv3.Client, service, id, address string, lease clientv3.LeaseID) {
	t.Helper()
	put(t, client, "/micro/registry/"+service+"/"+id, fmt.Sprintf(`{"name":%q,"version":"1","nodes":[{"id":%q,"address":%q}]}`, service, id, address), lease)
}

func put(t *testing.T, client *clientv3.Client, key, value string, lease clientv3.LeaseID) {
	t.Helper()
	var options []clientv3.OpOption
	if lease != 0 {
		options = append(options, clientv3.WithLease(lease))
	}
	if _, err := client.Put(t.Context(), key, value, options...); err != nil {
		t.Fatal(err)
	}
}

func revision(t *testing.T, client *clientv3.Client) int64 {
	t.Helper()
	answer, err := client.Get(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	return answer.Header.Revision
}

// grpc gives a connection up before a long timeout has passed.
func TestFrozenForLong(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	server.Freeze(t)
	want(t, examine(t, server.Addr()), "problem etcd.no_answer")
}
