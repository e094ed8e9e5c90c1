package grpc

import (
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// answer is what a test server does with a call. It is given the path and a
// function that decodes the request.
type answer func(ctx context.Context, path string, decode func(any) error) (any, error)

// node is a server with what it saw.
type node struct {
	*registry.Node
	server  *grpc.Server
	calls   atomic.Int64
	conns   atomic.Int64 // accepted
	talking atomic.Int64 // calls that have not ended
	open    atomic.Int64 // and not closed yet
}

// serve runs a server on a free port of the loopback until the test ends.
func serve(t testing.TB, f answer, opts ...grpc.ServerOption) *node {
	t.Helper()
	return serveAt(t, "127.0.0.1:0", f, opts...)
}

func serveAt(t testing.TB, address string, f answer, opts ...grpc.ServerOption) *node {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, func(stream grpc.ServerStream, codec *rpc.Codec) error {
		path, _ := grpc.MethodFromServerStream(stream)
		out, err := f(stream.Context(), path, func(v any) error {
			return stream.RecvMsg(&rpc.Body{Codec: codec, Value: v})
		})
		if err != nil {
			return err
		}
		return stream.SendMsg(&rpc.Body{Codec: codec, Value: out})
	}, opts...)
}

// serveStreams runs a server of streams on a free port of the loopback until the test
// ends. A stream ends well when f returns nil or io.EOF.
func serveStreams(t testing.TB, f func(grpc.ServerStream, *rpc.Codec) error, opts ...grpc.ServerOption) *node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, f, opts...)
}

func serveOn(t testing.TB, l net.Listener, f func(grpc.ServerStream, *rpc.Codec) error, opts ...grpc.ServerOption) *node {
	t.Helper()
	n := &node{Node: &registry.Node{Id: l.Addr().String(), Address: l.Addr().String()}}
	codecs := rpc.NewServerCodecs(nil)
	handle := func(_ any, stream grpc.ServerStream) error {
		n.calls.Add(1)
		n.talking.Add(1)
		defer n.talking.Add(-1)
		codec, err := codecs.Find(rpc.Incoming(stream.Context()).ContentType)
		if err != nil {
			return err
		}
		if err := f(stream, codec); err != io.EOF {
			return rpc.ToStatus(err)
		}
		return nil
	}
	n.server = grpc.NewServer(append(opts, grpc.ForceServerCodecV2(rpc.Proto), grpc.UnknownServiceHandler(handle))...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = n.server.Serve(&counted{l, n}) // ends with Stop
	}()
	t.Cleanup(func() {
		n.server.Stop()
		<-done
	})
	return n
}

type counted struct {
	net.Listener
	node *node
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.node.conns.Add(1)
	l.node.open.Add(1)
	return &countedConn{Conn: c, node: l.node}, nil
}

type countedConn struct {
	net.Conn
	node   *node
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.node.open.Add(-1)
	}
	return c.Conn.Close()
}

// echo answers a string with itself. What begins with a number of three digits
// is answered with an error of that code.
func echo(_ context.Context, _ string, decode func(any) error) (any, error) {
	in := new(wrapperspb.StringValue)
	if err := decode(in); err != nil && err != io.EOF {
		return nil, err
	}
	if strings.HasPrefix(in.Value, "404") {
		return nil, errors.NotFound("my.id", "%s", in.Value)
	}
	return in, nil
}

// service is the record of a service with the given nodes.
func service(name string, nodes ...*node) *registry.Service {
	s := &registry.Service{Name: name, Version: "1"}
	for _, n := range nodes {
		s.Nodes = append(s.Nodes, n.Node)
	}
	return s
}

// register returns a registry with the services.
func register(t testing.TB, services ...*registry.Service) *memory.Registry {
	t.Helper()
	r := memory.NewRegistry().(*memory.Registry)
	for _, s := range services {
		if err := r.Register(s); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// newClient returns a client that is closed when the test ends.
func newClient(t testing.TB, opts ...client.Option) client.Client {
	t.Helper()
	c := NewClient(opts...)
	t.Cleanup(func() {
		if err := c.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// say calls Echo.Say of the service "echo".
func say(ctx context.Context, c client.Client, what string, opts ...client.CallOption) (string, error) {
	var rsp wrapperspb.StringValue
	err := c.Call(ctx, c.NewRequest("echo", "Echo.Say", wrapperspb.String(what)), &rsp, opts...)
	return rsp.Value, err
}

// mustSay is say that must be answered with what it said.
func mustSay(t testing.TB, c client.Client, what string, opts ...client.CallOption) {
	t.Helper()
	if got, err := say(t.Context(), c, what, opts...); err != nil || got != what {
		t.Fatalf("said %q, heard %q, %v", what, got, err)
	}
}

// fault returns err as what a call returns, and fails the test if it is no
// *errors.Error.
func fault(t testing.TB, err error) *errors.Error {
	t.Helper()
	e, ok := err.(*errors.Error)
	if !ok {
		t.Fatalf("got %T (%v), want an *errors.Error", err, err)
	}
	return e
}

// stateOf returns how ready the client's connection to a node is.
func stateOf(t testing.TB, c client.Client, n *node) endpoint.State {
	t.Helper()
	cc, err := c.(*grpcClient).current.Load().backends.connect("echo", n.Node)
	if err != nil {
		t.Fatal(err)
	}
	return cc.State()
}
