package interop_test

import (
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

var registrationFaults = []fault{
	{row: "A1", what: "etcd refuses connections for 5 x TTL", bound: "listed again <= 4 s after the link is back", measure: lostLease((*testkit.Proxy).Cut, listedAgain)},
	{row: "A1 silence", what: "what is sent to etcd and back is lost for 5 x TTL", bound: "listed again <= 6 s after the link is back", measure: lostLease((*testkit.Proxy).Drop, listedAfterSilence)},
	{row: "A2", what: "etcd is frozen while a node renews its registration", bound: "returns <= 5.5 s (timeout 5 s)", measure: renewWhileFrozen},
	{row: "A2 new", what: "a node registers for the first time while etcd is frozen", bound: "returns <= 5.5 s (timeout 5 s)", measure: registerWhileFrozen},
	{row: "A2 stop", what: "a service is stopped while etcd is frozen", bound: "stopped <= 5 s", measure: stopWhileFrozen},
	{row: "A3", what: "the key of a live node is deleted", bound: "listed again <= 1 s", measure: deletedKey},
	{row: "A3 empty", what: "etcd restarts with no data", bound: "listed again <= 4 s after etcd answers", measure: restartedEmpty},
	{row: "A8", what: "registered without a TTL, then kill -9", bound: "gone <= 16 s (default TTL 15 s + 1 s)", measure: killedWithoutTTL},
	{row: "A9", what: "two processes with one id; the newer stops", bound: "the older is listed <= 2 s", measure: newerStops},
	{row: "A10", what: "two processes with one id; the older stops", bound: "the newer's key is not touched", short: true, measure: olderStops},
	{row: "A11", what: "Init ten times", bound: "1 connection to etcd", short: true, measure: initTenTimes},
	{row: "A12", what: "etcd is down at the start", bound: "answers calls by address <= 1 s; listed <= 4 s after etcd answers", measure: startedWithout},
	{row: "A13", what: "the address of etcd begins with http://", bound: "registered in that etcd", measure: addressWithScheme},
}

// lostLease returns the measurement of an outage that cut begins.
func lostLease(cut func(*testkit.Proxy), bound time.Duration) func(*testing.T, kind) outcome {
	return func(t *testing.T, k kind) outcome {
		_, link, s := linked(t)
		subject(t, k, link.Addr()).start(victim("s"))
		s.there("s", "s-one")
		begin := time.Now()
		cut(link)
		s.gone(expiry, "s", "s-one")
		testkit.Elapse(t, 5*leaseTTL-time.Since(begin))
		if s.get("s", "s-one") != nil {
			t.Fatal("the node is listed although the link is cut")
		}
		link.Restore(t)
		return after(time.Now(), "listed", bound, func() bool { return s.get("s", "s-one") != nil })
	}
}

// registerBound bounds Register: it is the registry's timeout, which is 5 s unless
// told otherwise, and some slack.
const registerBound = 5500 * time.Millisecond

func renewWhileFrozen(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	p := subject(t, k, etcd.Addr())
	node := peer.Record{Service: one("s", "one", "127.0.0.1:1"), TTL: 60 * time.Second}
	p.do(peer.OpRegister, node, nil)
	etcd.Freeze(t)
	took, err := p.bounded(peer.OpRegister, node, nil)
	return replied("Register", took, err, registerBound)
}

func registerWhileFrozen(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	p := subject(t, k, etcd.Addr())
	p.do(peer.OpList, nil, nil)
	etcd.Freeze(t)
	took, err := p.bounded(peer.OpRegister, peer.Record{Service: one("s", "one", "127.0.0.1:1"), TTL: leaseTTL}, nil)
	return replied("Register", took, err, registerBound)
}

func stopWhileFrozen(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	p := subject(t, k, etcd.Addr())
	p.start(victim("s"))
	storeOf(t, etcd).there("s", "s-one")
	etcd.Freeze(t)
	testkit.Elapse(t, 2*beat) // a renewal is under way
	took, err := p.bounded(peer.OpStop, peer.Name{Name: "s"}, nil)
	return replied("Stop", took, err, 5*time.Second)
}

func deletedKey(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	subject(t, k, etcd.Addr()).start(victim("s"))
	s.there("s", "s-one")
	s.remove(prefix + "s/s-one")
	return after(time.Now(), "listed", time.Second, func() bool { return s.get("s", "s-one") != nil })
}

func restartedEmpty(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	subject(t, k, etcd.Addr()).start(victim("s"))
	s.there("s", "s-one")
	etcd.Wipe()
	return after(etcd.Restart(t), "listed", listedAgain, func() bool { return s.get("s", "s-one") != nil })
}

func killedWithoutTTL(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	p := subject(t, k, etcd.Addr())
	p.do(peer.OpRegister, peer.Record{Service: one("s", "s-one", "127.0.0.1:1")}, nil)
	s.there("s", "s-one")
	p.crash()
	return after(time.Now(), "gone", 16*time.Second, func() bool { return s.get("s", "s-one") == nil })
}

// twoOfOneID starts two processes with the same node and waits until the newer one
// holds the key. It returns both and the address of each.
func twoOfOneID(t *testing.T, k kind, etcd *testkit.Etcd, s store) (programs [2]*program, addresses [2]string) {
	t.Helper()
	for i := range programs {
		addresses[i] = fmt.Sprintf("127.0.0.1:%d", i+1)
		own := victim("s")
		own.Advertise = addresses[i]
		programs[i] = subject(t, k, etcd.Addr())
		programs[i].start(own)
		testkit.Eventually(t, 10*time.Second, "the node is registered", func() bool { return s.is("s", "s-one", addresses[i]) })
	}
	testkit.Elapse(t, 2*beat)
	return programs, addresses
}

func newerStops(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	programs, addresses := twoOfOneID(t, k, etcd, s)
	begin := time.Now()
	programs[1].stop("s")
	return after(begin, "listed", 2*time.Second, func() bool { return s.is("s", "s-one", addresses[0]) })
}

func olderStops(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	programs, addresses := twoOfOneID(t, k, etcd, s)
	before := s.get("s", "s-one")
	programs[0].stop("s")
	if now := s.get("s", "s-one"); now != nil && now.revision == before.revision {
		return outcome{"not touched", true}
	}
	o := after(time.Now(), "listed", 0, func() bool { return s.is("s", "s-one", addresses[1]) })
	return outcome{"deleted; " + o.text, false}
}

func initTenTimes(t *testing.T, k kind) outcome {
	_, link, _ := linked(t)
	p := subject(t, k, link.Addr())
	for range 10 {
		p.do(peer.OpInit, nil, nil)
		p.do(peer.OpList, nil, nil)
	}
	// What was opened in vain may take a moment to be closed.
	happened(time.Now(), 2*time.Second, func() bool { return link.Open() == 1 })
	n := link.Open()
	return outcome{fmt.Sprintf("%d open", n), n == 1}
}

func startedWithout(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	etcd.Kill()
	p, caller := subject(t, k, etcd.Addr()), subject(t, k, etcd.Addr())
	own := victim("s")
	own.Address = freeAddress(t)
	begin := time.Now()
	if _, err := p.Watch(peer.OpStart, own); err != nil {
		t.Fatal(err)
	}
	answers := after(begin, "answers", time.Second, func() bool {
		_, err := caller.call(peer.Call{Service: "s", Endpoint: "Greeter.Hello", Address: own.Address, Timeout: 200 * time.Millisecond})
		return err == nil
	})
	listed := after(etcd.Restart(t), "listed", listedAgain, func() bool { return s.get("s", "s-one") != nil })
	return outcome{answers.text + "; " + listed.text, answers.met && listed.met}
}

// addressWithScheme also listens where an etcd is by default, if nobody does.
func addressWithScheme(t *testing.T, k kind) outcome {
	etcd := testkit.StartEtcd(t)
	s := storeOf(t, etcd)
	var elsewhere atomic.Int32
	if l, err := net.Listen("tcp", "127.0.0.1:2379"); err == nil {
		var accepting sync.WaitGroup
		accepting.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				elsewhere.Add(1)
				t.Cleanup(func() { _ = c.Close() })
			}
		})
		t.Cleanup(func() { _ = l.Close(); accepting.Wait() })
	}
	p := subject(t, k, "http://"+etcd.Addr())
	took, err := p.bounded(peer.OpRegister, peer.Record{Service: one("s", "s-one", "127.0.0.1:1"), TTL: leaseTTL}, nil)
	if s.get("s", "s-one") != nil {
		return outcome{fmt.Sprintf("registered after %s", round(took)), elsewhere.Load() == 0}
	}
	o := replied("Register", took, err, 0)
	if n := elsewhere.Load(); n > 0 {
		o.text += "; it has connected to 127.0.0.1:2379 instead"
	}
	return outcome{o.text, false}
}

// one returns the record of a service with one node.
func one(service, node, address string) json.RawMessage {
	return fmt.Appendf(nil, `{"name":%q,"version":"1","metadata":{},"endpoints":[],"nodes":[{"id":%q,"address":%q,"metadata":{}}]}`, service, node, address)
}

// freeAddress returns a loopback address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
