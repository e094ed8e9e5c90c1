// Code in the shape that protoc-gen-micro of go-micro v2 gives its output.
// source: legacypb/legacy.proto

package legacypb

import (
	fmt "fmt"
	proto "github.com/golang/protobuf/proto"
	math "math"
)

import (
	context "context"
	api "github.com/rollcall-go/micro/api"
	client "github.com/rollcall-go/micro/client"
	server "github.com/rollcall-go/micro/server"
)

// The sentinels that tell which version of the libraries the code needs.
var _ = proto.Marshal
var _ = fmt.Errorf
var _ = math.Inf

const _ = proto.ProtoPackageIsVersion3

var _ api.Endpoint
var _ context.Context
var _ client.Option
var _ server.Option

// API endpoints of the service.

func NewGreeterEndpoints() []*api.Endpoint {
	return []*api.Endpoint{
		{
			Name:    "Greeter.Hello",
			Path:    []string{"/greeter/hello"},
			Method:  []string{"POST"},
			Body:    "*",
			Handler: "rpc",
		},
	}
}

// Client side.

type GreeterService interface {
	Hello(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (*HelloReply, error)
	ReadAll(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (*HelloReply, error)
	Count(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (Greeter_CountService, error)
}

type greeterService struct {
	c    client.Client
	name string
}

func NewGreeterService(name string, c client.Client) GreeterService {
	return &greeterService{
		c:    c,
		name: name,
	}
}

func (c *greeterService) Hello(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (*HelloReply, error) {
	req := c.c.NewRequest(c.name, "Greeter.Hello", in)
	out := new(HelloReply)
	err := c.c.Call(ctx, req, out, opts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *greeterService) ReadAll(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (*HelloReply, error) {
	req := c.c.NewRequest(c.name, "Greeter.read_all", in)
	out := new(HelloReply)
	err := c.c.Call(ctx, req, out, opts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *greeterService) Count(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (Greeter_CountService, error) {
	req := c.c.NewRequest(c.name, "Greeter.Count", &HelloRequest{})
	stream, err := c.c.Stream(ctx, req, opts...)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(in); err != nil {
		return nil, err
	}
	return &greeterServiceCount{stream}, nil
}

type Greeter_CountService interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Recv() (*HelloReply, error)
}

type greeterServiceCount struct {
	stream client.Stream
}

func (x *greeterServiceCount) Close() error {
	return x.stream.Close()
}

func (x *greeterServiceCount) Context() context.Context {
	return x.stream.Context()
}

func (x *greeterServiceCount) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *greeterServiceCount) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *greeterServiceCount) Recv() (*HelloReply, error) {
	m := new(HelloReply)
	err := x.stream.Recv(m)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Server side.

type GreeterHandler interface {
	Hello(context.Context, *HelloRequest, *HelloReply) error
	ReadAll(context.Context, *HelloRequest, *HelloReply) error
	Count(context.Context, *HelloRequest, Greeter_CountStream) error
}

func RegisterGreeterHandler(s server.Server, hdlr GreeterHandler, opts ...server.HandlerOption) error {
	type greeter interface {
		Hello(ctx context.Context, in *HelloRequest, out *HelloReply) error
		ReadAll(ctx context.Context, in *HelloRequest, out *HelloReply) error
		Count(ctx context.Context, stream server.Stream) error
	}
	type Greeter struct {
		greeter
	}
	h := &greeterHandler{hdlr}
	opts = append(opts, api.WithEndpoint(&api.Endpoint{
		Name:    "Greeter.Hello",
		Path:    []string{"/greeter/hello"},
		Method:  []string{"POST"},
		Body:    "*",
		Handler: "rpc",
	}))
	return s.Handle(s.NewHandler(&Greeter{h}, opts...))
}

type greeterHandler struct {
	GreeterHandler
}

func (h *greeterHandler) Hello(ctx context.Context, in *HelloRequest, out *HelloReply) error {
	return h.GreeterHandler.Hello(ctx, in, out)
}

func (h *greeterHandler) ReadAll(ctx context.Context, in *HelloRequest, out *HelloReply) error {
	return h.GreeterHandler.ReadAll(ctx, in, out)
}

func (h *greeterHandler) Count(ctx context.Context, stream server.Stream) error {
	m := new(HelloRequest)
	if err := stream.Recv(m); err != nil {
		return err
	}
	return h.GreeterHandler.Count(ctx, m, &greeterCountStream{stream})
}

type Greeter_CountStream interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*HelloReply) error
}

type greeterCountStream struct {
	stream server.Stream
}

func (x *greeterCountStream) Close() error {
	return x.stream.Close()
}

func (x *greeterCountStream) Context() context.Context {
	return x.stream.Context()
}

func (x *greeterCountStream) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *greeterCountStream) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *greeterCountStream) Send(m *HelloReply) error {
	return x.stream.Send(m)
}
