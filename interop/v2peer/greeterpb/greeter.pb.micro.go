// Code in the shape that protoc-gen-micro of go-micro v2 gives its output.
// source: greeterpb/greeter.proto

package greeterpb

import (
	fmt "fmt"
	proto "github.com/golang/protobuf/proto"
	math "math"
)

import (
	context "context"
	api "github.com/micro/go-micro/v2/api"
	client "github.com/micro/go-micro/v2/client"
	server "github.com/micro/go-micro/v2/server"
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

// API endpoints of Greeter.

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

// Client side of Greeter.

type GreeterService interface {
	Hello(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (*HelloReply, error)
	Headers(ctx context.Context, in *HeadersRequest, opts ...client.CallOption) (*HeadersReply, error)
	Fail(ctx context.Context, in *FailRequest, opts ...client.CallOption) (*HelloReply, error)
	Wait(ctx context.Context, in *WaitRequest, opts ...client.CallOption) (*HelloReply, error)
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

func (c *greeterService) Headers(ctx context.Context, in *HeadersRequest, opts ...client.CallOption) (*HeadersReply, error) {
	req := c.c.NewRequest(c.name, "Greeter.Headers", in)
	out := new(HeadersReply)
	err := c.c.Call(ctx, req, out, opts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *greeterService) Fail(ctx context.Context, in *FailRequest, opts ...client.CallOption) (*HelloReply, error) {
	req := c.c.NewRequest(c.name, "Greeter.Fail", in)
	out := new(HelloReply)
	err := c.c.Call(ctx, req, out, opts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *greeterService) Wait(ctx context.Context, in *WaitRequest, opts ...client.CallOption) (*HelloReply, error) {
	req := c.c.NewRequest(c.name, "Greeter.Wait", in)
	out := new(HelloReply)
	err := c.c.Call(ctx, req, out, opts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Server side of Greeter.

type GreeterHandler interface {
	Hello(context.Context, *HelloRequest, *HelloReply) error
	Headers(context.Context, *HeadersRequest, *HeadersReply) error
	Fail(context.Context, *FailRequest, *HelloReply) error
	Wait(context.Context, *WaitRequest, *HelloReply) error
}

func RegisterGreeterHandler(s server.Server, hdlr GreeterHandler, opts ...server.HandlerOption) error {
	type greeter interface {
		Hello(ctx context.Context, in *HelloRequest, out *HelloReply) error
		Headers(ctx context.Context, in *HeadersRequest, out *HeadersReply) error
		Fail(ctx context.Context, in *FailRequest, out *HelloReply) error
		Wait(ctx context.Context, in *WaitRequest, out *HelloReply) error
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

func (h *greeterHandler) Headers(ctx context.Context, in *HeadersRequest, out *HeadersReply) error {
	return h.GreeterHandler.Headers(ctx, in, out)
}

func (h *greeterHandler) Fail(ctx context.Context, in *FailRequest, out *HelloReply) error {
	return h.GreeterHandler.Fail(ctx, in, out)
}

func (h *greeterHandler) Wait(ctx context.Context, in *WaitRequest, out *HelloReply) error {
	return h.GreeterHandler.Wait(ctx, in, out)
}

// API endpoints of Counter.

func NewCounterEndpoints() []*api.Endpoint {
	return []*api.Endpoint{}
}

// Client side of Counter.

type CounterService interface {
	Count(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (Counter_CountService, error)
}

type counterService struct {
	c    client.Client
	name string
}

func NewCounterService(name string, c client.Client) CounterService {
	return &counterService{
		c:    c,
		name: name,
	}
}

func (c *counterService) Count(ctx context.Context, in *HelloRequest, opts ...client.CallOption) (Counter_CountService, error) {
	req := c.c.NewRequest(c.name, "Counter.Count", &HelloRequest{})
	stream, err := c.c.Stream(ctx, req, opts...)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(in); err != nil {
		return nil, err
	}
	return &counterServiceCount{stream}, nil
}

type Counter_CountService interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Recv() (*HelloReply, error)
}

type counterServiceCount struct {
	stream client.Stream
}

func (x *counterServiceCount) Close() error {
	return x.stream.Close()
}

func (x *counterServiceCount) Context() context.Context {
	return x.stream.Context()
}

func (x *counterServiceCount) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *counterServiceCount) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *counterServiceCount) Recv() (*HelloReply, error) {
	m := new(HelloReply)
	err := x.stream.Recv(m)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Server side of Counter.

type CounterHandler interface {
	Count(context.Context, *HelloRequest, Counter_CountStream) error
}

func RegisterCounterHandler(s server.Server, hdlr CounterHandler, opts ...server.HandlerOption) error {
	type counter interface {
		Count(ctx context.Context, stream server.Stream) error
	}
	type Counter struct {
		counter
	}
	h := &counterHandler{hdlr}
	return s.Handle(s.NewHandler(&Counter{h}, opts...))
}

type counterHandler struct {
	CounterHandler
}

func (h *counterHandler) Count(ctx context.Context, stream server.Stream) error {
	m := new(HelloRequest)
	if err := stream.Recv(m); err != nil {
		return err
	}
	return h.CounterHandler.Count(ctx, m, &counterCountStream{stream})
}

type Counter_CountStream interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*HelloReply) error
}

type counterCountStream struct {
	stream server.Stream
}

func (x *counterCountStream) Close() error {
	return x.stream.Close()
}

func (x *counterCountStream) Context() context.Context {
	return x.stream.Context()
}

func (x *counterCountStream) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *counterCountStream) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *counterCountStream) Send(m *HelloReply) error {
	return x.stream.Send(m)
}

// API endpoints of Speaker.

func NewSpeakerEndpoints() []*api.Endpoint {
	return []*api.Endpoint{}
}

// Client side of Speaker.

type SpeakerService interface {
	Sum(ctx context.Context, opts ...client.CallOption) (Speaker_SumService, error)
	Chat(ctx context.Context, opts ...client.CallOption) (Speaker_ChatService, error)
}

type speakerService struct {
	c    client.Client
	name string
}

func NewSpeakerService(name string, c client.Client) SpeakerService {
	return &speakerService{
		c:    c,
		name: name,
	}
}

func (c *speakerService) Sum(ctx context.Context, opts ...client.CallOption) (Speaker_SumService, error) {
	req := c.c.NewRequest(c.name, "Speaker.Sum", &HelloRequest{})
	stream, err := c.c.Stream(ctx, req, opts...)
	if err != nil {
		return nil, err
	}
	return &speakerServiceSum{stream}, nil
}

type Speaker_SumService interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*HelloRequest) error
}

type speakerServiceSum struct {
	stream client.Stream
}

func (x *speakerServiceSum) Close() error {
	return x.stream.Close()
}

func (x *speakerServiceSum) Context() context.Context {
	return x.stream.Context()
}

func (x *speakerServiceSum) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *speakerServiceSum) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *speakerServiceSum) Send(m *HelloRequest) error {
	return x.stream.Send(m)
}

func (c *speakerService) Chat(ctx context.Context, opts ...client.CallOption) (Speaker_ChatService, error) {
	req := c.c.NewRequest(c.name, "Speaker.Chat", &HelloRequest{})
	stream, err := c.c.Stream(ctx, req, opts...)
	if err != nil {
		return nil, err
	}
	return &speakerServiceChat{stream}, nil
}

type Speaker_ChatService interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*HelloRequest) error
	Recv() (*HelloReply, error)
}

type speakerServiceChat struct {
	stream client.Stream
}

func (x *speakerServiceChat) Close() error {
	return x.stream.Close()
}

func (x *speakerServiceChat) Context() context.Context {
	return x.stream.Context()
}

func (x *speakerServiceChat) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *speakerServiceChat) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *speakerServiceChat) Send(m *HelloRequest) error {
	return x.stream.Send(m)
}

func (x *speakerServiceChat) Recv() (*HelloReply, error) {
	m := new(HelloReply)
	err := x.stream.Recv(m)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Server side of Speaker.

type SpeakerHandler interface {
	Sum(context.Context, Speaker_SumStream) error
	Chat(context.Context, Speaker_ChatStream) error
}

func RegisterSpeakerHandler(s server.Server, hdlr SpeakerHandler, opts ...server.HandlerOption) error {
	type speaker interface {
		Sum(ctx context.Context, stream server.Stream) error
		Chat(ctx context.Context, stream server.Stream) error
	}
	type Speaker struct {
		speaker
	}
	h := &speakerHandler{hdlr}
	return s.Handle(s.NewHandler(&Speaker{h}, opts...))
}

type speakerHandler struct {
	SpeakerHandler
}

func (h *speakerHandler) Sum(ctx context.Context, stream server.Stream) error {
	return h.SpeakerHandler.Sum(ctx, &speakerSumStream{stream})
}

type Speaker_SumStream interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Recv() (*HelloRequest, error)
}

type speakerSumStream struct {
	stream server.Stream
}

func (x *speakerSumStream) Close() error {
	return x.stream.Close()
}

func (x *speakerSumStream) Context() context.Context {
	return x.stream.Context()
}

func (x *speakerSumStream) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *speakerSumStream) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *speakerSumStream) Recv() (*HelloRequest, error) {
	m := new(HelloRequest)
	if err := x.stream.Recv(m); err != nil {
		return nil, err
	}
	return m, nil
}

func (h *speakerHandler) Chat(ctx context.Context, stream server.Stream) error {
	return h.SpeakerHandler.Chat(ctx, &speakerChatStream{stream})
}

type Speaker_ChatStream interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*HelloReply) error
	Recv() (*HelloRequest, error)
}

type speakerChatStream struct {
	stream server.Stream
}

func (x *speakerChatStream) Close() error {
	return x.stream.Close()
}

func (x *speakerChatStream) Context() context.Context {
	return x.stream.Context()
}

func (x *speakerChatStream) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *speakerChatStream) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *speakerChatStream) Send(m *HelloReply) error {
	return x.stream.Send(m)
}

func (x *speakerChatStream) Recv() (*HelloRequest, error) {
	m := new(HelloRequest)
	if err := x.stream.Recv(m); err != nil {
		return nil, err
	}
	return m, nil
}
