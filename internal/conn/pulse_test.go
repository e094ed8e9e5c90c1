package conn

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
)

// patientNode answers a stream when it is told to, and bears many pings.
func patientNode(t *testing.T) (n *node, release chan struct{}) {
	release = make(chan struct{})
	return serve(t, "", func(ctx context.Context, _, text string) (string, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return text, nil
	}, grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Millisecond, PermitWithoutStream: true})), release
}

func rest(t *testing.T, c *Conn, ctx context.Context) grpc.ClientStream {
	t.Helper()
	s, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Echo/Say")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SendMsg(wrapperspb.String("x")); err != nil {
		t.Fatal(err)
	}
	return s
}

// fast has a resting stream looked after often.
var fast = Options{Silence: 200 * time.Millisecond, CloseDelay: 100 * time.Millisecond, Pulse: 25 * time.Millisecond}

func TestAStreamThatRestsStays(t *testing.T) {
	eachKind(t, func(t *testing.T, kind func(string) endpoint.Endpoint) {
		n, release := patientNode(t)
		// A busy machine may keep the node from answering for longer than fast allows.
		c := mustNode(t, newSet(t, Options{Silence: time.Second, Pulse: 200 * time.Millisecond}), kind(n.address))
		s := rest(t, c, t.Context())
		testkit.Elapse(t, 4*time.Second)
		testkit.Eventually(t, inTime, "the node is ready", func() bool { return c.State() == endpoint.Ready })
		close(release)
		var rsp wrapperspb.StringValue
		if err := s.RecvMsg(&rsp); err != nil || rsp.Value != "x" {
			t.Errorf("got %q, %v", rsp.Value, err)
		}
		if got := n.accepted.Load(); got > 2 { // one that may not be pinged is asked on another
			t.Errorf("%d connections", got)
		}
	})
}

// A node that went silent for good has its streams fail, though they have no deadline.
func TestAStreamToANodeThatFroze(t *testing.T) {
	n, _ := patientNode(t)
	p := testkit.StartProxy(t, n.address)
	c := mustNode(t, newSet(t, fast), ours(p.Addr()))
	s := rest(t, c, t.Context())
	p.Blackhole()
	failed := make(chan error, 1)
	go func() { failed <- s.RecvMsg(new(wrapperspb.StringValue)) }()
	select {
	case err := <-failed:
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "nothing was heard of") {
			t.Errorf("got %v", err)
		}
	case <-time.After(inTime):
		t.Error("the stream goes on")
	}
}
