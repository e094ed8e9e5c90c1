package grpc_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Echo is the handler that most tests call.
type Echo struct {
	enter chan struct{} // told when Wait begins; nil for nobody
	leave chan struct{} // what Wait waits for
}

// Say answers by what it is asked.
func (e *Echo) Say(ctx context.Context, in *currentpb.SayRequest, out *currentpb.SayReply) error {
	kind, arg, _ := strings.Cut(in.Text, " ")
	switch kind {
	case "micro":
		return errors.NotFound("my.id", "nope %d", 7)
	case "plain":
		return fmt.Errorf("plain 100%% error")
	case "wrapped":
		return fmt.Errorf("around: %w", errors.Conflict("my.id", "inside"))
	case "status":
		return statusNotFound
	case "panic":
		panic("boom")
	case "big":
		out.Text = strings.Repeat("x", int(in.NumberOfTimes))
		return nil
	case "header":
		out.Text, _ = metadata.Get(ctx, arg)
		return nil
	case "headers":
		md, _ := metadata.FromContext(ctx)
		out.Text = fmt.Sprint(md)
		return nil
	case "deadline":
		if d, ok := ctx.Deadline(); ok {
			out.Text = time.Until(d).Round(time.Minute).String()
		}
		return nil
	}
	out.Text, out.Asked = in.Text, in
	return nil
}

// ReadAll has a name that .proto files spell read_all.
func (e *Echo) ReadAll(_ context.Context, in *currentpb.SayRequest, out *currentpb.SayReply) error {
	out.Text = "all"
	return nil
}

// Wait answers when the test says so, or when nobody waits for it any more.
func (e *Echo) Wait(ctx context.Context, _ *currentpb.SayRequest, _ *currentpb.SayReply) error {
	e.enter <- struct{}{}
	select {
	case <-e.leave:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fixture is a server with a handler, and a plain gRPC client of it.
type fixture struct {
	server   server.Server
	registry registry.Registry
	log      *log
	conn     *grpc.ClientConn
}

// newServer returns a server that is not started, with Echo as its handler.
func newServer(t testing.TB, opts ...server.Option) *fixture {
	t.Helper()
	f := &fixture{registry: memory.NewRegistry(), log: captureLog(t)}
	opts = append([]server.Option{
		server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0),
	}, opts...)
	f.server = sgrpc.NewServer(opts...)
	if err := f.server.Handle(f.server.NewHandler(&Echo{})); err != nil {
		t.Fatal(err)
	}
	return f
}

// start starts the server, until the test ends.
func (f *fixture) start(t testing.TB) *fixture {
	t.Helper()
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.server.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	f.conn = dial(t, f.server.Options().Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	return f
}

func start(t testing.TB, opts ...server.Option) *fixture {
	t.Helper()
	return newServer(t, opts...).start(t)
}

func dial(t testing.TB, address string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// say calls Echo.Say and returns the text of the reply.
func (f *fixture) say(ctx context.Context, text string, opts ...grpc.CallOption) (string, error) {
	out := &currentpb.SayReply{}
	err := f.conn.Invoke(ctx, "/go.micro.test.Echo/Say", &currentpb.SayRequest{Text: text}, out, opts...)
	return out.Text, err
}

// log is what the framework logged during a test.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func captureLog(t testing.TB) *log {
	l := &log{}
	if err := logger.Init(logger.WithOutput(l)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = logger.Init(logger.WithOutput(os.Stdout)) })
	return l
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *log) has(text string) bool { return strings.Contains(l.String(), text) }
