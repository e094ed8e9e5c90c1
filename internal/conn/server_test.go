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

	"github.com/rollcall-go/micro/internal/endpoint"
)

// node is a gRPC server on loopback that answers every method.
type node struct {
	address  string
	accepted *atomic.Int64
	open     *atomic.Int64
	srv      *grpc.Server
	done     chan struct{}

	mu    sync.Mutex
	conns map[*counted]bool
}

// handler answers one call; it is told the request.
type handler func(ctx context.Context, method, text string) (string, error)

func echo(_ context.Context, _, text string) (string, error) { return text, nil }

// serve starts a node, on a port of its own if address is empty.
func serve(t *testing.T, address string, h handler, opts ...grpc.ServerOption) *node {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	lis, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{address: lis.Addr().String(), accepted: new(atomic.Int64), open: new(atomic.Int64), done: make(chan struct{}), conns: map[*counted]bool{}}
	n.srv = grpc.NewServer(append(opts, grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
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
	}))...)
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

// hush makes something between the client and the node, for the connections that
// are open, acknowledge what is sent and pass on nothing any more.
func (n *node) hush() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		c.hushed.Store(true)
	}
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
	cc := &counted{Conn: c}
	cc.closed = sync.OnceFunc(func() {
		l.node.open.Add(-1)
		l.node.mu.Lock()
		delete(l.node.conns, cc)
		l.node.mu.Unlock()
	})
	l.node.mu.Lock()
	l.node.conns[cc] = true
	l.node.mu.Unlock()
	return cc, nil
}

type counted struct {
	net.Conn
	closed func()
	hushed atomic.Bool
}

func (c *counted) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.hushed.Load() {
			return n, err
		}
	}
}

func (c *counted) Write(p []byte) (int, error) {
	if c.hushed.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
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
	c, err := s.Node(at(address))
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Conn)
}

// mustDirect returns the connection to an address that the program named.
func mustDirect(t *testing.T, s *Set, address string) *Conn {
	t.Helper()
	c, err := s.Direct(at(address))
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Conn)
}

// at returns the endpoint of an address.
func at(address string) endpoint.Endpoint {
	return endpoint.Endpoint{Transport: endpoint.GRPC, Host: address}
}

// state returns how ready the connection to the address is.
func (s *Set) state(address string) endpoint.State {
	c, err := s.conn(at(address), false)
	if err != nil {
		return endpoint.Closed
	}
	return c.State()
}

// inFlight returns the number of calls on c.
func (c *Conn) inFlight() (n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.wires {
		n += w.calls.Load()
	}
	return n
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
