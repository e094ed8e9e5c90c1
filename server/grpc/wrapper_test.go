package grpc_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// talker is a service written by hand: a call whose method the implementation does
// not have, and a stream that echoes.
var talkerDesc = grpc.ServiceDesc{
	ServiceName: "demo.v1.Talker",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Do", Handler: func(_ any, ctx context.Context, decode func(any) error, through grpc.UnaryServerInterceptor) (any, error) {
		in := &currentpb.SayRequest{}
		if err := decode(in); err != nil {
			return nil, err
		}
		return through(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/demo.v1.Talker/Do"}, func(_ context.Context, req any) (any, error) {
			return &currentpb.SayReply{Text: "did " + req.(*currentpb.SayRequest).Text}, nil
		})
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Talk", ServerStreams: true, ClientStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
		for {
			in := &currentpb.SayRequest{}
			if err := stream.RecvMsg(in); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if in.Text == "panic" {
				panic("boom")
			}
			if err := stream.SendMsg(&currentpb.SayReply{Text: in.Text}); err != nil {
				return err
			}
		}
	}}},
}

// generated starts a server with services of RegisterService alone.
func generated(t *testing.T, opts ...server.Option) *fixture {
	t.Helper()
	f := &fixture{registry: memory.NewRegistry(), log: captureLog(t)}
	f.server = sgrpc.NewServer(append([]server.Option{
		server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0),
	}, opts...)...)
	currentpb.RegisterEchoServer(registrar(t, f.server), standard{})
	registrar(t, f.server).RegisterService(&talkerDesc, nil)
	return f.start(t)
}

func talk(t *testing.T, ctx context.Context, f *fixture, path string, texts ...string) ([]string, error) {
	t.Helper()
	stream, err := f.conn.NewStream(ctx, &talkerDesc.Streams[0], path)
	if err != nil {
		return nil, err
	}
	var got []string
	for _, text := range texts {
		if err := stream.SendMsg(&currentpb.SayRequest{Text: text}); err != nil {
			break
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	for {
		out := &currentpb.SayReply{}
		if err := stream.RecvMsg(out); err == io.EOF {
			return got, nil
		} else if err != nil {
			return got, err
		}
		got = append(got, out.Text)
	}
}

// What a wrapper refuses is refused whoever generated the code of the service.
func TestWrappersGuardEveryService(t *testing.T) {
	deny := func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			if _, denied := metadata.Get(ctx, "deny"); denied {
				return errors.Forbidden("my.id", "denied: %s", req.Endpoint())
			}
			return next(ctx, req, rsp)
		}
	}
	f := generated(t, server.WrapHandler(deny))
	if err := f.server.Handle(f.server.NewHandler(Raw{})); err != nil {
		t.Fatal(err)
	}
	denied := grpcmd.AppendToOutgoingContext(t.Context(), "deny", "1")
	for _, path := range []string{"/rollcall.test.current.Echo/Say", "/go.micro.test.Echo/Say", "/demo.v1.Talker/Do", "/go.micro.test.Talker/Do"} {
		out := &currentpb.SayReply{}
		in := &currentpb.SayRequest{Text: "x"}
		if err := f.conn.Invoke(denied, path, in, out); status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: %v, want it denied", path, err)
		}
		if err := f.conn.Invoke(t.Context(), path, in, out); err != nil || out.Text == "" {
			t.Errorf("%s: %q, %v", path, out.Text, err)
		}
	}
	for _, path := range []string{"/demo.v1.Talker/Talk", "/go.micro.test.Talker/Talk"} {
		if got, err := talk(t, denied, f, path, "a"); status.Code(err) != codes.PermissionDenied || len(got) > 0 {
			t.Errorf("%s: %q, %v, want it denied", path, got, err)
		}
		if got, err := talk(t, t.Context(), f, path, "a", "b"); err != nil || !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	var pair Pair
	if err := f.conn.Invoke(denied, "/Raw/Swap", Pair{"l", "r"}, &pair, clientCodec(t, "application/json")); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a handler: %v, want it denied", err)
	}
	// What asks whether a server lives carries no token.
	if _, err := healthpb.NewHealthClient(f.conn).Check(denied, &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("health: %v", err)
	}
}

// seen is what a wrapper was given.
type seen struct {
	mu    sync.Mutex
	lines []string
}

func (s *seen) wrap(next server.HandlerFunc) server.HandlerFunc {
	return func(ctx context.Context, req server.Request, rsp any) error {
		from, _ := metadata.Get(ctx, "X-From")
		err := next(ctx, req, rsp)
		line := fmt.Sprintf("%s %s %s %v %s", req.Service(), req.Endpoint(), req.ContentType(), req.Stream(), from)
		if in, ok := req.Body().(*currentpb.SayRequest); ok {
			line += " asked " + in.Text
		}
		switch out := rsp.(type) {
		case *currentpb.SayReply:
			line += " got " + out.Text
			out.Text += "!"
		case *any:
			if reply, ok := (*out).(*currentpb.SayReply); ok {
				line += " got " + reply.Text
			}
		case server.Stream:
			line += fmt.Sprintf(" stream of %s", out.Request().Endpoint())
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lines = append(s.lines, line)
		return err
	}
}

func TestWhatWrappersSeeOfAService(t *testing.T) {
	var s seen
	f := generated(t, server.WrapHandler(s.wrap))
	ctx := grpcmd.AppendToOutgoingContext(t.Context(), "x-from", "me")
	if got, err := f.say(ctx, "hi"); err != nil || got != "standard hi!" {
		t.Errorf("got %q, %v: what the wrapper changed is not there", got, err)
	}
	if err := f.conn.Invoke(ctx, "/demo.v1.Talker/Do", &currentpb.SayRequest{Text: "x"}, &currentpb.SayReply{}); err != nil {
		t.Error(err)
	}
	if _, err := talk(t, ctx, f, "/demo.v1.Talker/Talk", "x"); err != nil {
		t.Error(err)
	}
	want := []string{
		"go.micro.test Echo.Say application/grpc false me asked hi got standard hi",
		"go.micro.test Talker.Do application/grpc false me asked x got did x",
		"go.micro.test Talker.Talk application/grpc true me stream of Talker.Talk",
	}
	if !slices.Equal(s.lines, want) {
		t.Errorf("wrappers saw\n%q\nwant\n%q", s.lines, want)
	}
}

// shouting is a stream that a wrapper puts around another.
type shouting struct{ server.Stream }

func (s shouting) Send(v any) error {
	v.(*currentpb.SayReply).Text += "!"
	return s.Stream.Send(v)
}

func TestAWrapperMaySurroundAStream(t *testing.T) {
	f := generated(t, server.WrapHandler(func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			return next(ctx, req, shouting{rsp.(server.Stream)})
		}
	}))
	if got, err := talk(t, t.Context(), f, "/demo.v1.Talker/Talk", "a", "b"); err != nil || !slices.Equal(got, []string{"a!", "b!"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWrappersThatAnswerPanicOrReplace(t *testing.T) {
	for name, tc := range map[string]struct {
		wrap server.HandlerWrapper
		code codes.Code
		text string
	}{
		"answers itself": {func(server.HandlerFunc) server.HandlerFunc {
			return func(_ context.Context, _ server.Request, rsp any) error {
				rsp.(*currentpb.SayReply).Text = "cached"
				return nil
			}
		}, codes.OK, "cached"},
		"panics": {func(server.HandlerFunc) server.HandlerFunc {
			return func(context.Context, server.Request, any) error { panic("wrapper") }
		}, codes.Internal, ""},
		"replaces the response": {func(next server.HandlerFunc) server.HandlerFunc {
			return func(ctx context.Context, req server.Request, _ any) error {
				return next(ctx, req, &currentpb.SayRequest{})
			}
		}, codes.Internal, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := generated(t, server.WrapHandler(tc.wrap))
			if got, err := f.say(t.Context(), "hi"); status.Code(err) != tc.code || got != tc.text {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	f := generated(t)
	if _, err := talk(t, t.Context(), f, "/demo.v1.Talker/Talk", "panic"); status.Code(err) != codes.Internal {
		t.Errorf("a stream that panics: %v", err)
	}
}

func TestCallsOfServicesCountInTheGroup(t *testing.T) {
	var wg sync.WaitGroup
	f := generated(t, server.Wait(&wg), server.WrapHandler(func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			wg.Done() // panics if the call does not count
			wg.Add(1)
			return next(ctx, req, rsp)
		}
	}))
	if _, err := f.say(t.Context(), "hi"); err != nil {
		t.Errorf("a unary call: %v", err)
	}
	if _, err := talk(t, t.Context(), f, "/demo.v1.Talker/Talk", "a"); err != nil {
		t.Errorf("a stream: %v", err)
	}
	wg.Wait()
}

// A service written by hand may call itself by any name: what surrounds it goes by
// the path.
func TestWrappersGuardAServiceThatMisnamesItself(t *testing.T) {
	f := &fixture{registry: memory.NewRegistry(), log: captureLog(t)}
	f.server = sgrpc.NewServer(server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0),
		server.WrapHandler(func(server.HandlerFunc) server.HandlerFunc {
			return func(context.Context, server.Request, any) error { return errors.Forbidden("my.id", "denied") }
		}))
	registrar(t, f.server).RegisterService(&grpc.ServiceDesc{ServiceName: "demo.v1.Misnamed", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Do", Handler: func(_ any, ctx context.Context, decode func(any) error, through grpc.UnaryServerInterceptor) (any, error) {
			in := &currentpb.SayRequest{}
			if err := decode(in); err != nil {
				return nil, err
			}
			return through(ctx, in, &grpc.UnaryServerInfo{FullMethod: "Misnamed.Do"}, func(context.Context, any) (any, error) { return &currentpb.SayReply{}, nil })
		},
	}}}, nil)
	f.start(t)
	for _, path := range []string{"/demo.v1.Misnamed/Do", "/go.micro.test.Misnamed/Do"} {
		if err := f.conn.Invoke(t.Context(), path, &currentpb.SayRequest{}, &currentpb.SayReply{}); status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: %v, want it denied", path, err)
		}
	}
}

// v2's deadline holds for every call, streams included.
func TestDeadlineOfAStream(t *testing.T) {
	left := make(chan time.Duration, 1)
	f := generated(t, server.WrapHandler(func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			at, _ := ctx.Deadline()
			left <- time.Until(at)
			return next(ctx, req, rsp)
		}
	}))
	ctx := grpcmd.AppendToOutgoingContext(t.Context(), rpc.TimeoutHeader, fmt.Sprint(int64(time.Hour)))
	if _, err := talk(t, ctx, f, "/demo.v1.Talker/Talk", "a"); err != nil {
		t.Fatal(err)
	}
	if d := <-left; d <= 0 || d > time.Hour {
		t.Errorf("%v are left of an hour", d)
	}
}
