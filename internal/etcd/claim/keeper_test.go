package claim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

// counted counts what is sent on a stream.
type counted struct {
	grpc.ClientStream
	sent *atomic.Int32
}

func (c counted) SendMsg(m any) error {
	c.sent.Add(1)
	return c.ClientStream.SendMsg(m)
}

// All leases are renewed on one stream, each once in a third of its time to live.
func TestRenewalRate(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	var streams, sent atomic.Int32
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{e.Addr()},
		DialOptions: []grpc.DialOption{grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			s, err := open(ctx, desc, cc, method, opts...)
			if err != nil || !strings.HasSuffix(method, "LeaseKeepAlive") {
				return s, err
			}
			streams.Add(1)
			return counted{s, &sent}, nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := etcd.Open(etcd.Config{Client: client})
	defer c.Close()
	keeper := NewKeeper(c)
	for i := range 20 {
		s := spec(fmt.Sprintf("%s%d", testKey, i), "v")
		s.TTL = 3 * time.Second
		s.Shared = i > 0
		if err := keeper.Claim(s).Wait(testContext(t, 20*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	before := sent.Load()
	passed := time.NewTimer(4 * time.Second)
	defer passed.Stop()
	<-passed.C
	// Two leases, four seconds, a second apart.
	if n := sent.Load() - before; n < 6 || n > 10 {
		t.Errorf("%d renewals in 4 s, want about 8", n)
	}
	if n := streams.Load(); n != 1 {
		t.Errorf("%d streams, want 1", n)
	}
}

// A connection over which nothing comes back any more is given up.
func TestRenewalUnanswered(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	p := testkit.StartProxy(t, e.Addr())
	c := etcd.Open(etcd.Config{Addrs: []string{p.Addr()}})
	defer c.Close()
	b := siteOver(t, e, c)
	cl := b.held(spec(testKey, "v"))
	begun := c.Link()
	p.Blackhole()
	since := time.Now()
	b.state(cl, testTTL+time.Second, Absent)
	testkit.Eventually(t, renewalLimit+testTTL+busy, "the connection is given up", func() bool {
		l := c.Link()
		return !l.Up || l.Generation != begun.Generation
	})
	t.Logf("given up after %v", time.Since(since).Round(time.Millisecond))
	testkit.Eventually(t, testTTL+busy, "the key expired", func() bool { return b.look(testKey) == nil })
	p.Restore(t)
	b.backWithin(3*time.Second, time.Now(), testKey, "v")
	b.state(cl, time.Second, Held)
}

// A process that was cut off longer than the time to live comes back under a new
// lease.
func TestClaimCutOff(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	p := testkit.StartProxy(t, e.Addr())
	c := etcd.Open(etcd.Config{Addrs: []string{p.Addr()}})
	defer c.Close()
	b := siteOver(t, e, c)
	cl := b.held(spec(testKey, "v"))
	before := b.look(testKey)
	p.Cut()
	testkit.Eventually(t, testTTL+busy, "the key expired", func() bool { return b.look(testKey) == nil })
	b.state(cl, time.Second, Absent)
	p.Restore(t)
	b.backWithin(2*time.Second, time.Now(), testKey, "v")
	b.state(cl, time.Second, Held)
	if after := b.look(testKey); after.Lease == before.Lease {
		t.Errorf("still under lease %x", after.Lease)
	}
}

func TestClaimWithUser(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "right")
	c := etcd.Open(etcd.Config{Addrs: []string{e.Addr()}, Username: "svc", Password: "new"})
	defer c.Close()
	b := siteOver(t, e, c)
	cl := b.keeper.Claim(spec(testKey, "v"))
	testkit.Eventually(t, 20*time.Second, "the wrong password is told", func() bool { // which etcd takes its time to look at
		err := cl.Wait(testContext(t, 1500*time.Millisecond))
		return err != nil && strings.Contains(err.Error(), `"svc"`)
	})
	if s := cl.Status(); s.State != Absent || s.Err == nil {
		t.Errorf("status with the wrong password: %+v", s)
	}
	e.SetPassword(t, "svc", "new")
	b.backWithin(4*time.Second, time.Now(), testKey, "v")
	b.state(cl, time.Second, Held)

	// A change of users makes every token worthless.
	lease := b.look(testKey).Lease
	if _, err := b.eyes.UserAdd(testContext(t, 20*time.Second), "another", "pw"); err != nil {
		t.Fatal(err)
	}
	passed := time.NewTimer(testTTL + time.Second)
	defer passed.Stop()
	<-passed.C
	if e := b.look(testKey); e == nil || e.Lease != lease {
		t.Errorf("after a change of users: %+v, want it under lease %x", e, lease)
	}

	// Not even the pause key may be read where only the registry is granted.
	other := b.held(Spec{Key: testKey + "2", PauseKey: "/elsewhere/pause", Value: []byte("v"), TTL: testTTL})
	if err := other.Release(testContext(t, 20*time.Second)); err != nil {
		t.Error(err)
	}
}

func TestClaimReplacesItsElder(t *testing.T) {
	t.Parallel()
	b := newSite(t)
	var j journal
	s := spec(testKey, "one")
	s.Told = j.add
	elder := b.held(s)
	younger := b.held(spec(testKey, "two"))
	testkit.Eventually(t, busy, "the elder is told", func() bool { return j.states() == "absent held displaced " })
	if err := elder.Release(testContext(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	if e := b.look(testKey); e == nil || string(e.Value) != "two" {
		t.Errorf("in etcd: %+v", e)
	}
	if s := younger.Status(); s.State != Held {
		t.Errorf("younger: %+v", s)
	}
	if err := younger.Release(testContext(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	if err := younger.Wait(testContext(t, 10*time.Second)); err == nil {
		t.Error("wait for a released claim: no error")
	}
}

func TestLease(t *testing.T) {
	t.Parallel()
	for ttl, want := range map[time.Duration]int64{1: 1, time.Second: 1, 1500 * time.Millisecond: 2, 3900 * time.Millisecond: 4} {
		if got := wholeSeconds(ttl); got != want {
			t.Errorf("%v: %d seconds, want %d", ttl, got, want)
		}
	}
	l := newLease(9)
	if wanted, _ := l.wanted(epoch); wanted {
		t.Error("wanted without claims")
	}
	l.claims[nil] = struct{}{}
	if wanted, _ := l.wanted(epoch); !wanted {
		t.Error("not wanted with a claim")
	}
	l.onGranted(5, 12*time.Second, epoch)
	if at, ok := l.due(); !ok || !at.Equal(epoch.Add(4*time.Second)) {
		t.Errorf("due %v, %v; what counts is what was granted", at, ok)
	}
	sent := epoch.Add(4 * time.Second)
	l.onRenewSent(sent)
	if _, ok := l.due(); ok {
		t.Error("due again before the answer")
	}
	if at, ok := l.renewDeadline(); !ok || !at.Equal(sent.Add(renewalLimit)) {
		t.Errorf("late %v, %v", at, ok)
	}
	if at := l.expiry(); !at.Equal(epoch.Add(12 * time.Second)) {
		t.Errorf("expires %v after the grant", at.Sub(epoch))
	}
	l.renewNow()
	if at, ok := l.due(); !ok || at.After(sent) {
		t.Errorf("after the stream broke: due %v, %v", at, ok)
	}
	l.onRenewSent(sent)
	l.onRenewed(12 * time.Second)
	if at := l.expiry(); !at.Equal(sent.Add(12 * time.Second)) {
		t.Errorf("expires %v after the renewal", at.Sub(sent))
	}
	l.onGone(sent, time.Second)
	if wanted, at := l.wanted(sent); wanted || !at.Equal(sent.Add(time.Second)) {
		t.Errorf("lost: wanted %v, %v", wanted, at)
	}
	if wanted, _ := l.wanted(sent.Add(time.Second)); !wanted {
		t.Error("lost and not wanted")
	}
}

// Who may only read cannot claim, also where etcd looks at the permissions of
// plain transactions alone, as 3.4 does.
func TestClaimWithoutTheRightToWrite(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		e := testkit.StartEtcd(t, testkit.OfKind(kind))
		e.EnableAuth(t, "svc", "pw")
		root, ctx := e.Client(t), testContext(t, 20*time.Second)
		_, err1 := root.RoleAdd(ctx, "reader")
		_, err2 := root.RoleGrantPermission(ctx, "reader", "/micro/", "/micro0", clientv3.PermissionType(clientv3.PermRead))
		_, err3 := root.UserAdd(ctx, "eyes", "pw")
		_, err4 := root.UserGrantRole(ctx, "eyes", "reader")
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		c := etcd.Open(etcd.Config{Addrs: []string{e.Addr()}, Username: "eyes", Password: "pw"})
		defer c.Close()
		cl := NewKeeper(c).Claim(spec(testKey, "v"))
		testkit.Eventually(t, 20*time.Second, "the missing permission is told", func() bool {
			return errors.Is(cl.Wait(testContext(t, 1500*time.Millisecond)), fs.ErrPermission)
		})
	})
}

// A lease whose renewal was not answered is renewed over the next stream, be there
// others or not.
func TestLateRenewalIsRepeated(t *testing.T) {
	c := etcd.Open(etcd.Config{Addrs: []string{"127.0.0.1:1"}, Timeout: time.Millisecond})
	defer c.Close()
	k := NewKeeper(c)
	now := time.Now()
	k.mu.Lock()
	cl := &Claim{k: k, m: newMachine(Spec{Key: "a"}, now, k.random), changed: make(chan struct{})}
	cl.lease = k.newLease(60)
	cl.lease.add(cl)
	cl.lease.onGranted(7, time.Minute, now)
	k.claims[cl] = struct{}{}
	k.plan(now, cl.lease)
	k.mu.Unlock()
	now = now.Add(20 * time.Second)
	if due, next, late := k.dueRenewals(now); len(due) != 1 || late || !next.Equal(now.Add(renewalLimit)) {
		t.Fatalf("renews %v, next after %v, late: %v", due, next.Sub(now), late)
	}
	now = now.Add(renewalLimit)
	if due, _, late := k.dueRenewals(now); len(due) != 0 || !late {
		t.Fatalf("renews %v, late: %v", due, late)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if !k.awaitLease(over) {
		t.Fatal("there is nothing more to renew")
	}
	k.renewAgain()
	if due, _, late := k.dueRenewals(now); len(due) != 1 || late {
		t.Errorf("over the next stream it renews %v, late: %v", due, late)
	}
}
