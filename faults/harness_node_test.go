package faults

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Text is what Echo receives and sends, as JSON.
type Text struct{ Text string }

// Echo answers with the text it gets.
type Echo struct{}

// Say answers with the text it gets.
func (Echo) Say(_ context.Context, req, rsp *Text) error {
	rsp.Text = req.Text
	return nil
}

// node is a running service with parts of its own, as if it were a process.
type node struct {
	micro.Service
	server server.Server
	began  time.Time
	took   time.Duration // from began until it listened
	stop   func() error
}

// startService runs a service of the name until the test ends, and returns when
// it listens. Its registry is closed by whoever opened it. Its id is a generated
// one unless settings say otherwise.
func startService(t *testing.T, name string, r registry.Registry, settings []server.Option, opts ...micro.Option) *node {
	t.Helper()
	n := &node{server: sgrpc.NewServer(append([]server.Option{sgrpc.DeregisterDelay(0)}, settings...)...)}
	c := cgrpc.NewClient()
	started := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	n.Service = micro.NewService(append([]micro.Option{
		micro.Name(name), micro.Address("127.0.0.1:0"), micro.Registry(r), micro.HandleSignal(false),
		micro.Server(n.server), micro.Client(c), micro.Context(ctx),
		micro.AfterStart(func() error { close(started); return nil }),
	}, opts...)...)
	if err := micro.RegisterHandler(n.server, Echo{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	n.began = time.Now()
	go func() { done <- n.Run() }()
	n.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		// What a registry that is away says about leaving is no concern here.
		if err := n.stop(); err != nil {
			t.Logf("stop %s: %v", name, err)
		}
		closePart(t, c)
	})
	select {
	case <-started:
		n.took = time.Since(n.began)
	case err := <-done:
		done <- nil
		t.Fatalf("run %s: %v", name, err)
	}
	return n
}

func (n *node) id() string      { return n.Name() + "-" + n.server.Options().Id }
func (n *node) address() string { return n.server.Options().Address }

// ready returns why the node is not registered, nil if it is.
func (n *node) ready() error { return n.server.(interface{ Ready() error }).Ready() }

// newClient returns the client of a service that is not run.
func newClient(t *testing.T, r registry.Registry, opts ...micro.Option) client.Client {
	t.Helper()
	c := cgrpc.NewClient()
	t.Cleanup(func() { closePart(t, c) })
	return micro.NewService(append([]micro.Option{
		micro.Name("caller"), micro.Registry(r), micro.Client(c), micro.Server(sgrpc.NewServer()),
	}, opts...)...).Client()
}

// say calls Echo.Say of a service with a text of its own.
func say(ctx context.Context, c client.Client, name string, opts ...client.CallOption) error {
	var rsp Text
	return c.Call(ctx, c.NewRequest(name, "Echo.Say", &Text{uuid.NewString()}, client.WithContentType("application/json")), &rsp, opts...)
}

// mustSay is say that fails the test.
func mustSay(t *testing.T, c client.Client, name string, opts ...client.CallOption) {
	t.Helper()
	if err := say(t.Context(), c, name, opts...); err != nil {
		t.Fatalf("call %s: %v", name, err)
	}
}
