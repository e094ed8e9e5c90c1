package grpc

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/conn"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// Records do not choose what is dialled. What cannot be
// called is skipped, counted, and told where nothing else is left.
func TestAddressesOfRecords(t *testing.T) {
	good := serve(t, echo)
	l, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	bad := func(id, address string) *node { return &node{Node: &registry.Node{Id: id, Address: address}} }
	evil := []*node{bad("1", "unix:"+l.Addr().String()), bad("2", "unix://"+l.Addr().String()), bad("3", "passthrough:///"+good.Address), bad("4", "host"), bad("5", "dns:///x:1")}
	c := newClient(t, client.Registry(register(t, service("echo", append(evil, good)...), service("bad", evil...))))
	for range 50 {
		mustSay(t, c, "x")
	}
	if got := c.(interface{ Stats() map[string]uint64 }).Stats()["nodes_skipped"]; got != uint64(len(evil)) {
		t.Errorf("%d nodes are skipped", got)
	}
	err = c.Call(t.Context(), c.NewRequest("bad", "Echo.Say", wrapperspb.String("x")), new(wrapperspb.StringValue))
	if e := fault(t, err); e.Code != 500 || !strings.Contains(e.Detail, "none of 5 nodes has an address that can be called") || !strings.Contains(e.Detail, `"unix:`) {
		t.Errorf("got %v", e)
	}
	for _, n := range evil {
		_, err := say(t.Context(), c, "x", client.WithAddress(n.Address))
		if e := fault(t, err); e.Code != 500 || !strings.Contains(e.Detail, n.Address) {
			t.Errorf("%q: got %v", n.Address, e)
		}
	}
	if _, err := say(t.Context(), c, "x", client.WithAddress(evil[0].Address, good.Address)); err != nil {
		t.Errorf("the other address: %v", err)
	}
}

// In the environment of a host there may be a proxy for the way out.
func TestNoProxy(t *testing.T) {
	proxy := serve(t, echo)
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "http://"+proxy.Address)
	}
	t.Setenv("NO_PROXY", "")
	// Nothing listens there; the proxy would.
	c := newClient(t)
	_, err := say(t.Context(), c, "x", client.WithAddress("192.0.2.1:1"), client.WithRequestTimeout(300*time.Millisecond))
	if err == nil || strings.Contains(err.Error(), "proxy") || proxy.conns.Load() > 0 {
		t.Errorf("%v; %d connections to the proxy", err, proxy.conns.Load())
	}
}

// lean is a transport of a few lines: it answers by itself.
type lean struct{ calls atomic.Int64 }

func (l *lean) Node(endpoint.Endpoint) (endpoint.Conn, error)   { return l, nil }
func (l *lean) Direct(endpoint.Endpoint) (endpoint.Conn, error) { return l, nil }
func (l *lean) Recheck()                                        {}
func (l *lean) Close()                                          {}
func (l *lean) State() endpoint.State                           { return endpoint.Ready }
func (l *lean) Connect()                                        {}
func (l *lean) Load() *endpoint.Load                            { return new(endpoint.Load) }

func (l *lean) Invoke(_ context.Context, _ string, in, out any, _ ...grpc.CallOption) error {
	l.calls.Add(1)
	proto.Merge(out.(proto.Message), in.(proto.Message))
	return nil
}

func (l *lean) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, endpoint.ErrClosed
}

// A second transport stands beside gRPC; the nodes' metadata say which is meant.
func TestSecondTransport(t *testing.T) {
	l := &lean{}
	beside := set(func(s *clientSettings) {
		s.transports = []otherTransport{{"lean", func(conn.Options) endpoint.Transport { return l }}}
	})
	a := serve(t, echo)
	b := &node{Node: &registry.Node{Id: "b", Address: "b:1", Metadata: map[string]string{"transport": "lean"}}}
	other := serve(t, echo) // of a transport that the client does not have
	other.Metadata = map[string]string{"transport": "http"}
	c := newClient(t, beside, client.Registry(register(t, service("echo", a, b, other))))
	testkit.Eventually(t, 5*time.Second, "all are called", func() bool {
		mustSay(t, c, "x")
		return l.calls.Load() > 0 && a.calls.Load() > 0 && other.calls.Load() > 0
	})
}
