package conn

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
)

// list is what is routed to.
type list struct {
	mu        sync.Mutex
	addresses []string
}

func (l *list) set(addresses ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addresses = addresses
}

func (l *list) all(yield func(endpoint.Endpoint) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.addresses {
		if !yield(at(a)) {
			return
		}
	}
}

// size is the number of connections held.
func (s *Set) size() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	for _, c := range s.conns {
		if c.current.Load() != nil {
			n++
		}
	}
	return n
}

func TestConnectionOfANodeThatLeft(t *testing.T) {
	const delay = 200 * time.Millisecond
	left, kept, named := serve(t, "", echo), serve(t, "", echo), serve(t, "", echo)
	var l list
	l.set(left.address, kept.address)
	s := newSet(t, Options{Listed: l.all, CloseDelay: delay})
	direct := mustDirect(t, s, named.address)
	held := must(t, s, left.address)
	for _, c := range []*Conn{held, must(t, s, kept.address), direct} {
		if _, err := call(t, c, "x"); err != nil {
			t.Fatal(err)
		}
	}

	l.set(kept.address)
	s.Recheck()
	testkit.Eventually(t, inTime, "the connection is closed", func() bool { return left.open.Load() == 0 })
	if s.size() != 2 || kept.open.Load() != 1 || named.open.Load() != 1 {
		t.Fatalf("%d connections are left, %d and %d open", s.size(), kept.open.Load(), named.open.Load())
	}
	if held.State() != endpoint.Idle {
		t.Fatalf("the closed connection is %v", held.State())
	}

	// One that is held is as good as new, and is closed again: nobody lists it.
	if got, err := call(t, held, "again"); err != nil || got != "again" {
		t.Fatalf("over a connection that was closed: %q, %v", got, err)
	}
	testkit.Eventually(t, inTime, "it is closed again", func() bool { return left.open.Load() == 0 && s.size() == 2 })
}

func TestClosedWithinTheDelay(t *testing.T) {
	const delay = time.Second
	n := serve(t, "", echo)
	var l list
	l.set(n.address)
	s := newSet(t, Options{Listed: l.all, CloseDelay: delay})
	if _, err := call(t, must(t, s, n.address), "x"); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	l.set()
	s.Recheck()
	testkit.Eventually(t, inTime, "the connection is closed", func() bool { return s.size() == 0 })
	// The upper bound leaves some time to a machine that is busy.
	if took := time.Since(begin); took < delay/2 || took > 5*delay {
		t.Fatalf("closed after %v, want %v to %v", took, delay/2, delay)
	}
}

func TestCallsInFlightKeepTheConnection(t *testing.T) {
	const delay = 20 * time.Millisecond
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	n := serve(t, "", gate(entered, leave))
	var l list
	l.set(n.address)
	s := newSet(t, Options{Listed: l.all, CloseDelay: delay})
	c := must(t, s, n.address)

	answered := make(chan error, 1)
	go func() {
		_, err := call(t, c, "x")
		answered <- err
	}()
	st, err := c.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/test.Echo/Chat")
	if err == nil {
		err = st.SendMsg(wrapperspb.String("y"))
	}
	if err != nil {
		t.Fatal(err)
	}
	<-entered
	<-entered
	l.set()
	s.Recheck()
	began := s.now()
	testkit.Eventually(t, inTime, "several sweeps have passed", func() bool {
		return time.Duration(s.clock.Load()) > began+5*delay
	})
	if n.open.Load() != 1 || s.size() != 1 {
		t.Fatal("closed under a call")
	}
	close(leave)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	var got wrapperspb.StringValue
	if err := st.RecvMsg(&got); err != nil || got.Value != "y" {
		t.Fatalf("the stream: %q, %v", got.Value, err)
	}
	_ = st.RecvMsg(&got) // the end
	testkit.Eventually(t, inTime, "closed once the calls ended", func() bool { return n.open.Load() == 0 && s.size() == 0 })
}

func TestNodeThatComesBackKeepsItsConnection(t *testing.T) {
	const delay = 2 * time.Second
	n := serve(t, "", echo)
	var l list
	l.set(n.address)
	s := newSet(t, Options{Listed: l.all, CloseDelay: delay})
	c := must(t, s, n.address)
	if _, err := call(t, c, "x"); err != nil {
		t.Fatal(err)
	}
	l.set()
	if leaving, _ := s.pass(); !leaving {
		t.Fatal("its leaving was not noticed")
	}
	l.set(n.address)
	if leaving, _ := s.pass(); leaving {
		t.Fatal("its return was not noticed")
	}
	if c.absent != 0 || s.size() != 1 {
		t.Fatalf("absent for %v, %d connections", c.absent, s.size())
	}
}

func TestIdleConnectionIsClosed(t *testing.T) {
	n := serve(t, "", echo)
	s := newSet(t, Options{Idle: 100 * time.Millisecond})
	c := mustDirect(t, s, n.address)
	if _, err := call(t, c, "x"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, inTime, "closed for want of use", func() bool { return n.open.Load() == 0 && s.size() == 0 })
}

func TestClose(t *testing.T) {
	entered := make(chan struct{}, 1)
	n := serve(t, "", gate(entered, nil))
	s := New(Options{})
	c := must(t, s, n.address)
	ended := make(chan error, 1)
	go func() {
		_, err := call(t, c, "x")
		ended <- err
	}()
	<-entered
	s.Close()
	if err := <-ended; err == nil || endpoint.Unwritten(err) {
		t.Fatalf("the call in flight: %v", err)
	}
	if _, err := s.Node(at(n.address)); !errors.Is(err, endpoint.ErrClosed) {
		t.Fatalf("another connection: %v", err)
	}
	if err := c.Invoke(context.Background(), "/a/b", nil, nil); !errors.Is(err, endpoint.ErrClosed) || !endpoint.Unwritten(err) {
		t.Fatalf("another call: %v", err)
	}
	s.Close()
}

func TestClosingRacesWithCalls(t *testing.T) {
	const rounds = 50
	n := serve(t, "", echo)
	// Nobody lists the node, so that every sweep closes what is not in use.
	s := newSet(t, Options{Listed: func(func(endpoint.Endpoint) bool) {}, CloseDelay: time.Microsecond})
	c := must(t, s, n.address)
	for range rounds {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if got, err := call(t, c, "x"); err != nil || got != "x" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		s.pass()
		wg.Wait()
		testkit.Eventually(t, inTime, "closed between the rounds", func() bool { s.pass(); return s.size() == 0 })
	}
	if got := n.accepted.Load(); got < rounds {
		t.Fatalf("%d connections in %d rounds", got, rounds)
	}
}

// A node of go-micro v2 may take the address of one of ours, and is not pinged.
func TestAnotherNodeAtTheAddress(t *testing.T) {
	s := newSet(t, Options{})
	c := mustNode(t, s, ours("127.0.0.1:1"))
	mustDirect(t, s, "127.0.0.1:1")
	if !c.pings.Load() {
		t.Error("one of ours is not pinged")
	}
	mustNode(t, s, at("127.0.0.1:1"))
	if c.pings.Load() {
		t.Error("one of v2 is pinged")
	}
}
