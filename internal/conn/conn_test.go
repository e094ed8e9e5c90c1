package conn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
)

// inTime is how long the tests wait for what should happen soon.
const inTime = 10 * time.Second

// free returns an address on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	return lis.Addr().String()
}

func TestCallsAndStreamsShareOneConnection(t *testing.T) {
	n := serve(t, "", echo)
	s := newSet(t, Options{Silence: time.Hour})
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			c, err := s.Node(at(n.address))
			if err != nil {
				t.Error(err)
				return
			}
			want := fmt.Sprint(i)
			if i%3 > 0 {
				if got, err := call(t, c, want); err != nil || got != want {
					t.Errorf("call %d: %q, %v", i, got, err)
				}
				return
			}
			st, err := c.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Echo/Chat")
			if err != nil {
				t.Error(err)
				return
			}
			var got wrapperspb.StringValue
			if err := errors.Join(st.SendMsg(wrapperspb.String(want)), st.RecvMsg(&got)); err != nil || got.Value != want {
				t.Errorf("stream %d: %q, %v", i, got.Value, err)
			}
			_ = st.RecvMsg(&got) // the end
		})
	}
	wg.Wait()
	if n := n.accepted.Load(); n != 1 {
		t.Fatalf("%d connections for 300 calls", n)
	}
	if calls := must(t, s, n.address).inFlight(); calls != 0 {
		t.Fatalf("%d calls count as in flight", calls)
	}
}

// panics is a codec of a program that panics.
type panics struct{}

func (panics) Marshal(any) ([]byte, error) { panic("no") }
func (panics) Unmarshal([]byte, any) error { panic("no") }
func (panics) Name() string                { return "panics" }

// TestACallThatPanicsIsCountedOut: else the node would look busy for ever.
func TestACallThatPanicsIsCountedOut(t *testing.T) {
	c := must(t, newSet(t, Options{}), serve(t, "", echo).address)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = c.Invoke(t.Context(), "/test.Echo/Say", wrapperspb.String(""), &wrapperspb.StringValue{}, grpc.ForceCodec(panics{}))
	}()
	if n := c.Load().InFlight(); n != 0 {
		t.Errorf("%d calls are under way", n)
	}
}

func TestStateFollowsTheNode(t *testing.T) {
	var failures atomic.Int64
	n := serve(t, "", echo)
	s := newSet(t, Options{Failed: func(e endpoint.Endpoint) {
		if e == at(n.address) {
			failures.Add(1)
		}
	}})
	is := func(want endpoint.State) func() bool {
		return func() bool { return s.state(n.address) == want }
	}
	if !is(endpoint.Idle)() {
		t.Fatal("an address never used is not idle")
	}
	c := must(t, s, n.address)
	if !is(endpoint.Idle)() || n.accepted.Load() != 0 {
		t.Fatal("connected before it was needed")
	}
	c.Connect()
	testkit.Eventually(t, inTime, "connected in the background", is(endpoint.Ready))

	n.kill()
	testkit.Eventually(t, inTime, "the end of the node is seen", func() bool { return !is(endpoint.Ready)() })
	_, err := call(t, c, "x")
	if !endpoint.Unwritten(err) || status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), n.address) {
		t.Fatalf("a call to the dead node: %v", err)
	}
	if !is(endpoint.Failing)() || failures.Load() == 0 {
		t.Fatalf("state %v, %d failures reported", s.state(n.address), failures.Load())
	}

	again := serve(t, n.address, echo)
	testkit.Eventually(t, inTime, "connected to the new process", is(endpoint.Ready))
	if got, err := call(t, c, "y"); err != nil || got != "y" || again.accepted.Load() != 1 {
		t.Fatalf("a call to the new process: %q, %v, %d connections", got, err, again.accepted.Load())
	}
}

func TestRefusedFailsAtOnce(t *testing.T) {
	s := newSet(t, Options{})
	c := must(t, s, free(t))
	for range 3 {
		_, err := call(t, c, "x")
		var e *endpoint.ConnectError
		if !endpoint.Unwritten(err) || !errors.As(err, &e) || e.Address != c.endpoint.Host || !strings.Contains(err.Error(), "refused") {
			t.Fatalf("unexpected %v", err)
		}
	}
	_, err := c.NewStream(t.Context(), &grpc.StreamDesc{}, "/test.Echo/Chat")
	if !endpoint.Unwritten(err) {
		t.Fatalf("a stream: %v", err)
	}
	if n := c.inFlight(); n != 0 {
		t.Fatalf("%d calls count as in flight", n)
	}
}

func TestSilentHostIsGivenUp(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	s := newSet(t, Options{DialTimeout: 100 * time.Millisecond})
	if _, err := call(t, must(t, s, lis.Addr().String()), "x"); !endpoint.Unwritten(err) {
		t.Fatalf("unexpected %v", err)
	}
}

func TestWaitForReadyWaits(t *testing.T) {
	s := newSet(t, Options{})
	c := must(t, s, free(t))

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := c.Invoke(short, "/test.Echo/Say", wrapperspb.String(""), &wrapperspb.StringValue{}, grpc.WaitForReady(true))
	if status.Code(err) != codes.DeadlineExceeded {
		t.Fatalf("to the deadline: %v", err)
	}

	answered := make(chan error, 1)
	go func() {
		_, err := call(t, c, "x", grpc.WaitForReady(true))
		answered <- err
	}()
	testkit.Eventually(t, inTime, "an attempt has failed", func() bool { return c.State() == endpoint.Failing })
	serve(t, c.endpoint.Host, echo)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasWrittenIsNotUnwritten(t *testing.T) {
	s := newSet(t, Options{})
	inner := must(t, s, free(t))
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	for name, h := range map[string]handler{
		"the failure of an inner call": func(context.Context, string, string) (string, error) {
			return call(t, inner, "x")
		},
		"unavailable": func(context.Context, string, string) (string, error) {
			return "", status.Error(codes.Unavailable, `connect to "h:1": refused`)
		},
	} {
		_, err := call(t, must(t, s, serve(t, "", h).address), "x")
		if status.Code(err) != codes.Unavailable || endpoint.Unwritten(err) {
			t.Errorf("%s: %v counts as unwritten: %v", name, err, endpoint.Unwritten(err))
		}
	}

	n := serve(t, "", gate(entered, leave))
	failed := make(chan error, 1)
	go func() {
		_, err := call(t, must(t, s, n.address), "x")
		failed <- err
	}()
	<-entered
	n.kill()
	if err := <-failed; err == nil || endpoint.Unwritten(err) {
		t.Errorf("the node died during the call: %v counts as unwritten: %v", err, endpoint.Unwritten(err))
	}
}

func TestWhatGoesOverTheWire(t *testing.T) {
	n := serve(t, "", authority)
	s := newSet(t, Options{DialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1000), grpc.MaxCallRecvMsgSize(5))}})
	c := must(t, s, n.address)
	if _, err := call(t, c, strings.Repeat("x", 2000)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a message over the limit: %v", err)
	}
	if _, err := call(t, c, ""); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("an answer over the limit: %v", err)
	}
	got, err := call(t, must(t, newSet(t, Options{}), n.address), "")
	if err != nil || got != n.address {
		t.Errorf(":authority is %q, want %q (%v)", got, n.address, err)
	}
}

func TestBadAddresses(t *testing.T) {
	s := newSet(t, Options{})
	for _, address := range []string{"", ":", "nonsense", "a b:1", "%zz:1", "host/path:1", "[::1", "https://h:1"} {
		c, err := s.Node(at(address))
		if err == nil {
			_, err = call(t, c, "x")
		}
		if !endpoint.Unwritten(err) || !strings.Contains(err.Error(), fmt.Sprintf("%q", address)) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestInvokeAllocatesAsGRPCDoes(t *testing.T) {
	n := serve(t, "", echo)
	raw, err := grpc.NewClient(n.address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(defaults.MaxSendMsgSize)))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	ours := must(t, newSet(t, Options{DialOptions: []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(defaults.MaxSendMsgSize)),
	}}), n.address)

	in, out := wrapperspb.String("x"), &wrapperspb.StringValue{}
	measure := func(c grpc.ClientConnInterface) float64 {
		return testing.AllocsPerRun(500, func() {
			if err := c.Invoke(t.Context(), "/test.Echo/Say", in, out); err != nil {
				t.Error(err)
			}
		})
	}
	measure(raw) // both processes' pools are warm from here on
	measure(ours)
	// The count takes in the server and may round up differently.
	if r, o := measure(raw), measure(ours); o > r+1 {
		t.Fatalf("%v allocations a call, grpc with the same limits makes %v", o, r)
	} else {
		t.Logf("%v allocations a call, client and server together; grpc alone: %v", o, r)
	}
}
