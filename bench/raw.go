package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
	"go.etcd.io/etcd/client/v3/naming/resolver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
)

// The base of the comparisons: grpc-go as its own generator's code uses it. The methods
// are spelled out, as that code would have them.

var talk = grpc.ServiceDesc{
	ServiceName: "bench.Talk",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		{MethodName: "Say", Handler: unaryOf(func(in *kinds.Words) *kinds.Words { return &kinds.Words{Text: in.Text} })},
		{MethodName: "Hello", Handler: unaryOf(func(in *legacypb.HelloRequest) *legacypb.HelloReply {
			return &legacypb.HelloReply{Greeting: in.Name}
		})},
	},
	Streams: []grpc.StreamDesc{{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true}},
}

func unaryOf[In, Out any](answer func(*In) *Out) grpc.MethodHandler {
	return func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		return answer(in), nil
	}
}

func chat(_ any, s grpc.ServerStream) error {
	for {
		in := new(kinds.Words)
		err := s.RecvMsg(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.SendMsg(in); err != nil {
			return err
		}
	}
}

// serveGRPC serves one node of each service, all on one server with a listener each.
func serveGRPC(_ context.Context, s setup) (addresses []string, err error) {
	server := grpc.NewServer()
	server.RegisterService(&talk, nil)
	for range max(1, s.Services) * max(1, s.Nodes) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		go server.Serve(l) // to the end of the process
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}

// serveListed serves, and lists the nodes in etcd as grpc's resolver there finds them.
func serveListed(ctx context.Context, s setup) ([]string, error) {
	addresses, err := serveGRPC(ctx, s)
	if err != nil {
		return nil, err
	}
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Etcd}, Context: ctx})
	if err != nil {
		return nil, err
	}
	for i, address := range addresses {
		name := s.name(i / s.Nodes)
		m, err := endpoints.NewManager(etcd, name)
		if err != nil {
			return nil, err
		}
		if err := m.AddEndpoint(ctx, name+"/"+address, endpoints.Endpoint{Addr: address}); err != nil {
			return nil, err
		}
	}
	return addresses, nil
}

// rawClient calls over grpc-go alone.
type rawClient struct {
	conns []*grpc.ClientConn // one of each service
	say   func(ctx context.Context, cc *grpc.ClientConn, text string) error
}

func dialGRPC(_ context.Context, s setup) (client, error) {
	cc, err := grpc.NewClient("passthrough:///"+s.Addresses[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	return &rawClient{[]*grpc.ClientConn{cc}, say}, err
}

func dialGRPCLegacy(ctx context.Context, s setup) (client, error) {
	c, err := dialGRPC(ctx, s)
	if err != nil {
		return nil, err
	}
	c.(*rawClient).say = func(ctx context.Context, cc *grpc.ClientConn, text string) error {
		return cc.Invoke(ctx, "/bench.Talk/Hello", &legacypb.HelloRequest{Name: text}, new(legacypb.HelloReply))
	}
	return c, nil
}

func dialListed(ctx context.Context, s setup) (client, error) {
	etcd, err := clientv3.New(clientv3.Config{Endpoints: []string{s.Etcd}, Context: ctx})
	if err != nil {
		return nil, err
	}
	b, err := resolver.NewBuilder(etcd)
	if err != nil {
		return nil, err
	}
	c := &rawClient{say: say}
	for i := range max(1, s.Services) {
		cc, err := grpc.NewClient(fmt.Sprintf("etcd:///%s", s.name(i)), grpc.WithResolvers(b),
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
		if err != nil {
			return nil, err
		}
		c.conns = append(c.conns, cc)
	}
	return c, nil
}

func say(ctx context.Context, cc *grpc.ClientConn, text string) error {
	return cc.Invoke(ctx, "/bench.Talk/Say", &kinds.Words{Text: text}, new(kinds.Words))
}

func (c *rawClient) call(ctx context.Context, service int, text string) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return c.say(metadata.AppendToOutgoingContext(ctx, "micro-from-service", origin), c.conns[service], text)
}

func (c *rawClient) stream(ctx context.Context) (stream, error) {
	ctx = metadata.AppendToOutgoingContext(ctx, "micro-from-service", origin)
	s, err := c.conns[0].NewStream(ctx, &talk.Streams[0], "/bench.Talk/Chat")
	return rawStream{s}, err
}

type rawStream struct{ grpc.ClientStream }

func (s rawStream) send(text string) error { return s.SendMsg(&kinds.Words{Text: text}) }
func (s rawStream) receive() error         { return s.RecvMsg(new(kinds.Words)) }
func (s rawStream) closeSend() error       { return s.CloseSend() }
