package fleet

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/rollcall-go/micro"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Node is a running service with parts of its own, as if it were a process. Its
// methods may be called from any goroutine.
type Node struct {
	micro.Service
	server server.Server
	began  time.Time
	stop   func() error

	mu     sync.Mutex
	phases []sgrpc.Phase
}

// Service runs a service of the name until the test ends, and returns when it has
// started. Its registry is closed by whoever opened it. It makes its id itself,
// unless settings say otherwise.
func Service(t testing.TB, name string, r registry.Registry, settings []server.Option, opts ...micro.Option) *Node {
	t.Helper()
	n := &Node{}
	n.server = sgrpc.NewServer(append([]server.Option{sgrpc.DeregisterDelay(0), sgrpc.OnEvent(n.note)}, settings...)...)
	c := cgrpc.NewClient()
	started := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	n.Service = micro.NewService(append([]micro.Option{
		micro.Name(name), micro.Address("127.0.0.1:0"), micro.Registry(r), micro.HandleSignal(false),
		micro.Server(n.server), micro.Client(c), micro.Context(ctx),
		micro.AfterStart(func() error { close(started); return nil }),
	}, opts...)...)
	serve(t, n.server, n.ID())
	done := make(chan error, 1)
	n.began = time.Now()
	go func() { done <- n.Run() }()
	n.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		// What a registry that is away says about leaving is looked at by the tests
		// that are about it.
		if err := n.stop(); err != nil {
			t.Logf("stop %s: %v", name, err)
		}
		Close(t, c)
	})
	select {
	case <-started:
	case err := <-done:
		done <- nil
		t.Fatalf("run %s: %v", name, err)
	}
	return n
}

// serve registers what every node of a fleet serves.
func serve(t testing.TB, s server.Server, id string) {
	t.Helper()
	if err := micro.RegisterHandler(s, &Echo{node: id}); err != nil {
		t.Fatal(err)
	}
	if err := legacypb.RegisterGreeterHandler(s, Greeter{}); err != nil {
		t.Fatal(err)
	}
}

// ID returns the node's id as it is registered.
func (n *Node) ID() string { return n.Name() + "-" + n.server.Options().Id }

// Address returns where the node listens.
func (n *Node) Address() string { return n.server.Options().Address }

// Began returns when the node was told to run.
func (n *Node) Began() time.Time { return n.began }

// Stop ends the node as a program ends its service, and returns what Run did. A
// second call returns the same.
func (n *Node) Stop() error { return n.stop() }

// note remembers the phases that the registration goes through.
func (n *Node) note(e sgrpc.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.phases) == 0 || n.phases[len(n.phases)-1] != e.Phase {
		n.phases = append(n.phases, e.Phase)
	}
}

// Phases returns what has become of the node's registration so far, each phase once
// for every time that it was entered from another.
func (n *Node) Phases() []sgrpc.Phase {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.phases)
}

// Ready returns why the node is not registered, nil if it is.
func (n *Node) Ready() error { return n.server.(interface{ Ready() error }).Ready() }

// Stats returns what the server counts.
func (n *Node) Stats() map[string]uint64 {
	return n.server.(interface{ Stats() map[string]uint64 }).Stats()
}

// Until waits for the node to be registered and returns how long after since that
// was. It fails the test if that was longer than within.
func (n *Node) Until(t testing.TB, since time.Time, within time.Duration) time.Duration {
	t.Helper()
	testkit.Eventually(t, within+5*time.Second, n.ID()+" is registered", func() bool { return n.Ready() == nil })
	took := time.Since(since)
	if took > within {
		t.Errorf("registered after %v, want at most %v", took, within)
	}
	return took
}

// Health returns what the node's gRPC health service says of a service.
func (n *Node) Health(t testing.TB, service string) string {
	t.Helper()
	c, err := grpc.NewClient(n.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
	if err != nil {
		t.Fatalf("ask for the health of %q: %v", service, err)
	}
	return r.Status.String()
}
