package conn

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// node is a gRPC server on loopback that answers every method.
type node struct {
	address  string
	accepted *atomic.Int64
	open     *atomic.Int64
	srv      *grpc.Server
	done     chan struct{}
}

// handler answers one call; it is told the request.
type handler func(ctx context.Context, method, text string) (string, error)

func echo(_ context.Context, _, text string) (string, error) { return text, nil }

// serve starts a node, on a port of its own if address is empty.
func serve(t *testing.T, address string, h handler) *node {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	lis, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{address: lis.Addr().String(), accepted: new(atomic.Int64), open: new(atomic.Int64), done: make(chan struct{})}
	n.srv = grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(s)
		var in wrapperspb.StringValue
		if err := s.RecvMsg(&in); err != nil {
			return err
		}
		out, err := h(s.Context(), method, in.Value)
		if err != nil {
			return err
		}
		return s.SendMsg(wrapperspb.String(out))
	}))
	go func() {
		defer close(n.done)
		_ = n.srv.Serve(&counting{Listener: lis, node: n})
	}()
	t.Cleanup(n.kill)
	return n
}

// kill ends the node as a crash would: connections break, calls with them.
func (n *node) kill() {
	n.srv.Stop()
	<-n.done
}

// counting counts connections.
type counting struct {
	net.Listener
	node *node
}

func (l *counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.node.accepted.Add(1)
	l.node.open.Add(1)
	return &counted{Conn: c, closed: sync.OnceFunc(func() { l.node.open.Add(-1) })}, nil
}

type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

// newSet returns a set that is closed with the test.
func newSet(t *testing.T, opts Options) *Set {
	t.Helper()
	s := New(opts)
	t.Cleanup(s.Close)
	return s
}

// must returns the connection to the address of a node.
func must(t *testing.T, s *Set, address string) *Conn {
	t.Helper()
	c, err := s.Node(address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// call makes a unary call of its own deadline and returns the answer.
func call(t *testing.T, c grpc.ClientConnInterface, text string, opts ...grpc.CallOption) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var out wrapperspb.StringValue
	err := c.Invoke(ctx, "/test.Echo/Say", wrapperspb.String(text), &out, opts...)
	return out.Value, err
}

// authority returns a handler that answers with the :authority of the call.
func authority(ctx context.Context, _, _ string) (string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	return md.Get(":authority")[0], nil
}

// gate returns a handler that tells entered of each call and holds it until leave
// is closed.
func gate(entered chan<- struct{}, leave <-chan struct{}) handler {
	return func(ctx context.Context, _, text string) (string, error) {
		entered <- struct{}{}
		select {
		case <-leave:
			return text, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
