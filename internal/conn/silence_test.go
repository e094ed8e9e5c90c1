package conn

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
)

// ours returns the endpoint of a node of ours, which may be pinged.
func ours(address string) endpoint.Endpoint {
	e := at(address)
	e.Pings = true
	return e
}

// eachKind runs f with nodes that may be pinged and with nodes that may not.
func eachKind(t *testing.T, f func(t *testing.T, kind func(string) endpoint.Endpoint)) {
	t.Run("ours", func(t *testing.T) { f(t, ours) })
	t.Run("v2", func(t *testing.T) { f(t, at) })
}

func mustNode(t *testing.T, s *Set, e endpoint.Endpoint) *Conn {
	t.Helper()
	c, err := s.Node(e)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Conn)
}

// callWithin makes a call of the given time.
func callWithin(ctx context.Context, c grpc.ClientConnInterface, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return c.Invoke(ctx, "/test.Echo/Say", wrapperspb.String("x"), new(wrapperspb.StringValue))
}

// The node accepts connections, as the kernel of a frozen process does, and says
// nothing on any.
func TestFrozenNodeIsSilentUntilItIsHeard(t *testing.T) {
	eachKind(t, func(t *testing.T, kind func(string) endpoint.Endpoint) {
		p := testkit.StartProxy(t, serve(t, "", echo).address)
		c := mustNode(t, newSet(t, Options{Silence: 200 * time.Millisecond}), kind(p.Addr()))
		if _, err := call(t, c, "x"); err != nil {
			t.Fatal(err)
		}
		p.Blackhole()
		inFlight := make(chan error, 1)
		go func() { inFlight <- callWithin(t.Context(), c, 20*time.Second) }()
		testkit.Eventually(t, inTime, "the node is silent", func() bool { return c.State() == endpoint.Silent })
		if err := callWithin(t.Context(), c, 300*time.Millisecond); err == nil {
			t.Fatal("a call was answered")
		}
		p.Restore(t)
		testkit.Eventually(t, inTime, "the node is heard", func() bool { return c.State() == endpoint.Ready })
		if err := <-inFlight; err != nil {
			t.Errorf("the call in flight: %v", err)
		}
		if _, err := call(t, c, "x"); err != nil {
			t.Error(err)
		}
		testkit.Eventually(t, inTime, "one connection is left", func() bool { return p.Open() == 1 })
	})
}

// While a ping is not answered a node comes after those that are ready.
func TestDoubtedNode(t *testing.T) {
	p := testkit.StartProxy(t, serve(t, "", echo).address)
	c := mustNode(t, newSet(t, Options{Silence: 5 * time.Second}), ours(p.Addr()))
	if _, err := call(t, c, "x"); err != nil {
		t.Fatal(err)
	}
	p.Blackhole()
	inFlight := make(chan error, 1)
	go func() { inFlight <- callWithin(t.Context(), c, 20*time.Second) }()
	testkit.Eventually(t, 4*time.Second, "the node is doubted", func() bool { return c.State() == endpoint.Connecting })
	p.Restore(t)
	testkit.Eventually(t, inTime, "the node is heard", func() bool { return c.State() == endpoint.Ready })
	if err := <-inFlight; err != nil {
		t.Error(err)
	}
}

// Something between acknowledges what is sent over the connection and passes on
// nothing, while new connections are carried: a NAT or load balancer that forgot.
func TestSilentConnectionIsReplaced(t *testing.T) {
	eachKind(t, func(t *testing.T, kind func(string) endpoint.Endpoint) {
		n := serve(t, "", echo)
		c := mustNode(t, newSet(t, Options{Silence: 200 * time.Millisecond}), kind(n.address))
		if _, err := call(t, c, "x"); err != nil {
			t.Fatal(err)
		}
		n.hush()
		// Callers with less patience than the connection teach as well.
		failed := 0
		testkit.Eventually(t, inTime, "calls are answered again", func() bool {
			err := callWithin(t.Context(), c, 50*time.Millisecond)
			if err != nil {
				failed++
			}
			return err == nil
		})
		if failed == 0 || n.accepted.Load() < 2 { // more where answers take longer than the silence
			t.Errorf("%d calls failed, %d connections", failed, n.accepted.Load())
		}
		for range 20 {
			if err := callWithin(t.Context(), c, 10*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Eventually(t, inTime, "the silent one is closed", func() bool { return n.open.Load() == 1 })
	})
}

// A stream that rests on a connection that was left is no slow handler: the next silence
// is borne no longer for it.
func TestAStreamThatRestsIsNoSlowHandler(t *testing.T) {
	const silence = time.Second
	n := serve(t, "", echo)
	c := mustNode(t, newSet(t, Options{Silence: silence}), at(n.address))
	if _, err := call(t, c, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Echo/Say"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n.hush()
		begun := time.Now()
		testkit.Eventually(t, inTime, "calls are answered again", func() bool { return callWithin(t.Context(), c, 50*time.Millisecond) == nil })
		if took := time.Since(begun); took > maxPatience*silence*3/4 {
			t.Errorf("calls went on failing for %v", took)
		}
	}
}

// A slow handler beside quick ones, and alone.
func TestSlowHandlersDoNotLoseTheirNode(t *testing.T) {
	eachKind(t, func(t *testing.T, kind func(string) endpoint.Endpoint) {
		const silence = 250 * time.Millisecond // a busy machine may not run us for a fifth of it
		slow := func(ctx context.Context, method, text string) (string, error) {
			if strings.HasPrefix(text, "slow") {
				select {
				case <-time.After(6 * silence):
				case <-ctx.Done():
					return "", ctx.Err()
				}
			}
			return text, nil
		}
		n := serve(t, "", slow)
		c := mustNode(t, newSet(t, Options{Silence: silence}), kind(n.address))
		silent, open := false, int64(0)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 3 {
				if _, err := call(t, c, fmt.Sprint("slow", i)); err != nil {
					t.Error(err)
				}
			}
		}()
		for quick := 0; ; quick++ {
			select {
			case <-done:
			case <-time.After(2 * silence):
				silent = silent || c.State() == endpoint.Silent
				open = max(open, n.open.Load())
				if quick%4 == 0 {
					if _, err := call(t, c, "quick"); err != nil {
						t.Error(err)
					}
				}
				continue
			}
			break
		}
		if silent {
			t.Error("the node counted as silent")
		}
		if open > 2 {
			t.Errorf("%d connections at a time", open)
		}
	})
}

// However long a handler takes, a server that bears pings every five minutes only
// does not end the connection.
func TestPingsAreFew(t *testing.T) {
	const silence = 20 * time.Millisecond
	leave := make(chan struct{})
	entered := make(chan struct{}, 1)
	n := serve(t, "", gate(entered, leave), grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Hour}))
	c := mustNode(t, newSet(t, Options{Silence: silence}), ours(n.address))
	answered := make(chan error, 1)
	go func() { answered <- callWithin(t.Context(), c, 20*time.Second) }()
	<-entered
	testkit.Eventually(t, inTime, "a second connection was asked", func() bool { return n.accepted.Load() > 1 })
	began := c.set.now()
	testkit.Eventually(t, inTime, "long after", func() bool { return c.set.now() > began+50*silence })
	close(leave)
	if err := <-answered; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
}

// Calls that go on without an answer, and others that give up, are no reason for a
// server to count pings anew, though the data of each make it ask something itself.
func TestPingsDoNotEndCalls(t *testing.T) {
	leave := make(chan struct{})
	n := serve(t, "", func(_ context.Context, _, text string) (string, error) {
		<-leave
		return text, nil
	})
	c := mustNode(t, newSet(t, Options{Silence: 100 * time.Millisecond}), ours(n.address))
	answered := make(chan error, 1)
	go func() { answered <- callWithin(t.Context(), c, 20*time.Second) }()
	for range 20 {
		_ = callWithin(t.Context(), c, 40*time.Millisecond)
		select {
		case err := <-answered:
			t.Fatalf("the call in flight: %v", err)
		case <-time.After(40 * time.Millisecond):
		}
	}
	close(leave)
	if err := <-answered; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
}

// Calls to a node that lives and does not answer for long, begun one after another,
// have no connection each, however few calls the server allows on one.
func TestLongCallsShareConnections(t *testing.T) {
	for _, streams := range []uint32{1, 1000} {
		eachKind(t, func(t *testing.T, kind func(string) endpoint.Endpoint) {
			const (
				silence = 20 * time.Millisecond
				calls   = 12
			)
			leave := make(chan struct{})
			n := serve(t, "", gate(make(chan struct{}, calls), leave), grpc.MaxConcurrentStreams(streams))
			s := newSet(t, Options{Silence: silence, PoolSize: 2})
			c := mustNode(t, s, kind(n.address))
			answered := make(chan error, calls)
			for range calls {
				go func() { answered <- callWithin(t.Context(), c, 20*time.Second) }()
				began := s.now()
				testkit.Eventually(t, inTime, "a while is over", func() bool { return s.now() > began+12*silence })
			}
			if open := n.open.Load(); open > 4 || open > 3 && streams > calls {
				t.Errorf("%d connections with %d calls each", open, streams)
			}
			close(leave)
			for range calls {
				if err := <-answered; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A node that is silent leaves the registry, and nothing of it stays behind.
func TestSilentNodeLeaves(t *testing.T) {
	p := testkit.StartProxy(t, serve(t, "", echo).address)
	var l list
	l.set(p.Addr())
	s := newSet(t, Options{Silence: 100 * time.Millisecond, Listed: l.all, CloseDelay: 200 * time.Millisecond})
	c := mustNode(t, s, ours(p.Addr()))
	if _, err := call(t, c, "x"); err != nil {
		t.Fatal(err)
	}
	p.Blackhole()
	_ = callWithin(t.Context(), c, 800*time.Millisecond)
	testkit.Eventually(t, inTime, "the node is silent", func() bool { return c.State() == endpoint.Silent })
	l.set()
	s.Recheck()
	testkit.Eventually(t, inTime, "the connection is closed", func() bool { return c.State() == endpoint.Idle && s.size() == 0 })
	testkit.Eventually(t, inTime, "it is not watched any more", s.watching.empty)
}
