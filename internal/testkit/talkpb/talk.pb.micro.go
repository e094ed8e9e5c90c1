// Code in the shape that protoc-gen-micro of go-micro v2 gives its output.
// source: currentpb/current.proto

package talkpb

import (
	fmt "fmt"
	proto "github.com/golang/protobuf/proto"
	math "math"
)

import (
	context "context"
	api "github.com/rollcall-go/micro/api"
	client "github.com/rollcall-go/micro/client"
	currentpb "github.com/rollcall-go/micro/internal/testkit/currentpb"
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

func NewTalkEndpoints() []*api.Endpoint {
	return []*api.Endpoint{}
}

// Client side.

type TalkService interface {
	Count(ctx context.Context, in *currentpb.SayRequest, opts ...client.CallOption) (Talk_CountService, error)
	Sum(ctx context.Context, opts ...client.CallOption) (Talk_SumService, error)
	Chat(ctx context.Context, opts ...client.CallOption) (Talk_ChatService, error)
}

type talkService struct {
	c    client.Client
	name string
}

func NewTalkService(name string, c client.Client) TalkService {
	return &talkService{
		c:    c,
		name: name,
	}
}

func (c *talkService) Count(ctx context.Context, in *currentpb.SayRequest, opts ...client.CallOption) (Talk_CountService, error) {
	req := c.c.NewRequest(c.name, "Talk.Count", &currentpb.SayRequest{})
	stream, err := c.c.Stream(ctx, req, opts...)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(in); err != nil {
		return nil, err
	}
	return &talkServiceCount{stream}, nil
}

type Talk_CountService interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Recv() (*currentpb.SayReply, error)
}

type talkServiceCount struct {
	stream client.Stream
}

func (x *talkServiceCount) Close() error {
	return x.stream.Close()
}

func (x *talkServiceCount) Context() context.Context {
	return x.stream.Context()
}

func (x *talkServiceCount) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *talkServiceCount) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *talkServiceCount) Recv() (*currentpb.SayReply, error) {
	m := new(currentpb.SayReply)
	err := x.stream.Recv(m)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (c *talkService) Sum(ctx context.Context, opts ...client.CallOption) (Talk_SumService, error) {
	req := c.c.NewRequest(c.name, "Talk.Sum", &currentpb.SayRequest{})
	stream, err := c.c.Stream(ctx, req, opts...)
	if err != nil {
		return nil, err
	}
	return &talkServiceSum{stream}, nil
}

type Talk_SumService interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*currentpb.SayRequest) error
}

type talkServiceSum struct {
	stream client.Stream
}

func (x *talkServiceSum) Close() error {
	return x.stream.Close()
}

func (x *talkServiceSum) Context() context.Context {
	return x.stream.Context()
}

func (x *talkServiceSum) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *talkServiceSum) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *talkServiceSum) Send(m *currentpb.SayRequest) error {
	return x.stream.Send(m)
}

func (c *talkService) Chat(ctx context.Context, opts ...client.CallOption) (Talk_ChatService, error) {
	req := c.c.NewRequest(c.name, "Talk.Chat", &currentpb.SayRequest{})
	stream, err := c.c.Stream(ctx, req, opts...)
	if err != nil {
		return nil, err
	}
	return &talkServiceChat{stream}, nil
}

type Talk_ChatService interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*currentpb.SayRequest) error
	Recv() (*currentpb.SayReply, error)
}

type talkServiceChat struct {
	stream client.Stream
}

func (x *talkServiceChat) Close() error {
	return x.stream.Close()
}

func (x *talkServiceChat) Context() context.Context {
	return x.stream.Context()
}

func (x *talkServiceChat) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *talkServiceChat) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *talkServiceChat) Send(m *currentpb.SayRequest) error {
	return x.stream.Send(m)
}

func (x *talkServiceChat) Recv() (*currentpb.SayReply, error) {
	m := new(currentpb.SayReply)
	err := x.stream.Recv(m)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Server side.

type TalkHandler interface {
	Count(context.Context, *currentpb.SayRequest, Talk_CountStream) error
	Sum(context.Context, Talk_SumStream) error
	Chat(context.Context, Talk_ChatStream) error
}

func RegisterTalkHandler(s server.Server, hdlr TalkHandler, opts ...server.HandlerOption) error {
	type talk interface {
		Count(ctx context.Context, stream server.Stream) error
		Sum(ctx context.Context, stream server.Stream) error
		Chat(ctx context.Context, stream server.Stream) error
	}
	type Talk struct {
		talk
	}
	h := &talkHandler{hdlr}
	return s.Handle(s.NewHandler(&Talk{h}, opts...))
}

type talkHandler struct {
	TalkHandler
}

func (h *talkHandler) Count(ctx context.Context, stream server.Stream) error {
	m := new(currentpb.SayRequest)
	if err := stream.Recv(m); err != nil {
		return err
	}
	return h.TalkHandler.Count(ctx, m, &talkCountStream{stream})
}

type Talk_CountStream interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*currentpb.SayReply) error
}

type talkCountStream struct {
	stream server.Stream
}

func (x *talkCountStream) Close() error {
	return x.stream.Close()
}

func (x *talkCountStream) Context() context.Context {
	return x.stream.Context()
}

func (x *talkCountStream) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *talkCountStream) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *talkCountStream) Send(m *currentpb.SayReply) error {
	return x.stream.Send(m)
}

func (h *talkHandler) Sum(ctx context.Context, stream server.Stream) error {
	return h.TalkHandler.Sum(ctx, &talkSumStream{stream})
}

type Talk_SumStream interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Recv() (*currentpb.SayRequest, error)
}

type talkSumStream struct {
	stream server.Stream
}

func (x *talkSumStream) Close() error {
	return x.stream.Close()
}

func (x *talkSumStream) Context() context.Context {
	return x.stream.Context()
}

func (x *talkSumStream) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *talkSumStream) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *talkSumStream) Recv() (*currentpb.SayRequest, error) {
	m := new(currentpb.SayRequest)
	if err := x.stream.Recv(m); err != nil {
		return nil, err
	}
	return m, nil
}

func (h *talkHandler) Chat(ctx context.Context, stream server.Stream) error {
	return h.TalkHandler.Chat(ctx, &talkChatStream{stream})
}

type Talk_ChatStream interface {
	Context() context.Context
	SendMsg(interface{}) error
	RecvMsg(interface{}) error
	Close() error
	Send(*currentpb.SayReply) error
	Recv() (*currentpb.SayRequest, error)
}

type talkChatStream struct {
	stream server.Stream
}

func (x *talkChatStream) Close() error {
	return x.stream.Close()
}

func (x *talkChatStream) Context() context.Context {
	return x.stream.Context()
}

func (x *talkChatStream) SendMsg(m interface{}) error {
	return x.stream.Send(m)
}

func (x *talkChatStream) RecvMsg(m interface{}) error {
	return x.stream.Recv(m)
}

func (x *talkChatStream) Send(m *currentpb.SayReply) error {
	return x.stream.Send(m)
}

func (x *talkChatStream) Recv() (*currentpb.SayRequest, error) {
	m := new(currentpb.SayRequest)
	if err := x.stream.Recv(m); err != nil {
		return nil, err
	}
	return m, nil
}
