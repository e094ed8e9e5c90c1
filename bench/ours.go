package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rollcall-go/micro"
	microclient "github.com/rollcall-go/micro/client"
	grpcclient "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
	"github.com/rollcall-go/micro/internal/testkit/micropb/shared"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/server"
	grpcserver "github.com/rollcall-go/micro/server/grpc"
)

// Rollcall at its defaults: services by name, found in etcd.

// serveNodes runs a service for each node, in this process, and waits until they are
// registered.
func serveNodes(ctx context.Context, s setup, register func(server.Server) error) ([]string, error) {
	r := etcd.NewRegistry(registry.Addrs(s.Etcd))
	var addresses []string
	for i := range max(1, s.Services) * max(1, s.Nodes) {
		started := make(chan struct{})
		service := micro.NewService(
			micro.Server(grpcserver.NewServer(server.Id(fmt.Sprint(i)))), micro.Client(grpcclient.NewClient()),
			micro.Name(s.name(i/max(1, s.Nodes))), micro.Registry(r), micro.Address("127.0.0.1:0"),
			micro.HandleSignal(false), micro.Context(ctx),
			micro.AfterStart(func() error { close(started); return nil }),
		)
		if err := register(service.Server()); err != nil {
			return nil, err
		}
		ended := make(chan error, 1)
		go func() { ended <- service.Run() }()
		select {
		case <-started:
		case err := <-ended:
			return nil, errors.Join(errors.New("a service ended before it had started"), err)
		}
		addresses = append(addresses, service.Server().Options().Address)
	}
	return addresses, nil
}

func serveGenerated(ctx context.Context, s setup) ([]string, error) {
	return serveNodes(ctx, s, func(to server.Server) error { return kinds.RegisterTalkHandler(to, talker{}) })
}

func serveReflection(ctx context.Context, s setup) ([]string, error) {
	return serveNodes(ctx, s, func(to server.Server) error { return micro.RegisterHandler(to, &Talk{}) })
}

func serveV2Code(ctx context.Context, s setup) ([]string, error) {
	return serveNodes(ctx, s, func(to server.Server) error { return legacypb.RegisterGreeterHandler(to, greeter{}) })
}

// Talk is a handler written by hand, whose methods are called by reflection.
type Talk struct{}

// Say answers with what it got.
func (*Talk) Say(_ context.Context, in, out *kinds.Words) error {
	out.Text = in.Text
	return nil
}

// talker is the handler of the generated code.
type talker struct{}

var errUnused = errors.New("nobody calls this")

func (talker) Say(_ context.Context, in, out *kinds.Words) error {
	out.Text = in.Text
	return nil
}
func (talker) ReadAll(context.Context, *shared.Text, *kinds.Words) error         { return errUnused }
func (talker) Old(context.Context, *kinds.Words, *shared.Text) error             { return errUnused }
func (talker) Count(context.Context, *kinds.Words, kinds.Talk_CountStream) error { return errUnused }
func (talker) Sum(context.Context, kinds.Talk_SumStream) error                   { return errUnused }
func (talker) Chat(_ context.Context, s kinds.Talk_ChatStream) error {
	for {
		in, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(in); err != nil {
			return err
		}
	}
}

// greeter is the handler of what go-micro v2's generator wrote.
type greeter struct{}

func (greeter) Hello(_ context.Context, in *legacypb.HelloRequest, out *legacypb.HelloReply) error {
	out.Greeting = in.Name
	return nil
}
func (greeter) ReadAll(context.Context, *legacypb.HelloRequest, *legacypb.HelloReply) error {
	return errUnused
}
func (greeter) Count(context.Context, *legacypb.HelloRequest, legacypb.Greeter_CountStream) error {
	return errUnused
}

// ourClient calls by name.
type ourClient struct {
	// calls has a func for each service.
	calls []func(ctx context.Context, text string) error
	talk  kinds.TalkService
}

// dialNodes makes a client whose calls to the service of a name are made by what of
// returns.
func dialNodes(s setup, of func(c microclient.Client, name string) func(context.Context, string) error) client {
	service := micro.NewService(micro.Name(origin), micro.Registry(etcd.NewRegistry(registry.Addrs(s.Etcd))))
	_ = service.Client().Init(microclient.RequestTimeout(deadline))
	c := &ourClient{talk: kinds.NewTalkService(s.name(0), service.Client())}
	for i := range max(1, s.Services) {
		c.calls = append(c.calls, of(service.Client(), s.name(i)))
	}
	return c
}

func dialGenerated(_ context.Context, s setup) (client, error) {
	return dialNodes(s, func(c microclient.Client, name string) func(context.Context, string) error {
		talk := kinds.NewTalkService(name, c)
		return func(ctx context.Context, text string) error {
			_, err := talk.Say(ctx, &kinds.Words{Text: text})
			return err
		}
	}), nil
}

func dialReflection(_ context.Context, s setup) (client, error) {
	return dialNodes(s, func(c microclient.Client, name string) func(context.Context, string) error {
		return func(ctx context.Context, text string) error {
			return c.Call(ctx, c.NewRequest(name, "Talk.Say", &kinds.Words{Text: text}), new(kinds.Words))
		}
	}), nil
}

func dialV2Code(_ context.Context, s setup) (client, error) {
	return dialNodes(s, func(c microclient.Client, name string) func(context.Context, string) error {
		greeter := legacypb.NewGreeterService(name, c)
		return func(ctx context.Context, text string) error {
			_, err := greeter.Hello(ctx, &legacypb.HelloRequest{Name: text})
			return err
		}
	}), nil
}

func (c *ourClient) call(ctx context.Context, service int, text string) error {
	return c.calls[service](ctx, text)
}

func (c *ourClient) stream(ctx context.Context) (stream, error) {
	s, err := c.talk.Chat(ctx)
	return ourStream{s}, err
}

type ourStream struct{ kinds.Talk_ChatService }

func (s ourStream) send(text string) error { return s.Send(&kinds.Words{Text: text}) }
func (s ourStream) receive() error         { _, err := s.Recv(); return err }
func (s ourStream) closeSend() error       { return s.CloseSend() }
