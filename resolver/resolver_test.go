package resolver_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/resolver"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// echo answers with its address.
type echo struct {
	currentpb.UnimplementedEchoServer
	address string
}

func (e echo) Say(context.Context, *currentpb.SayRequest) (*currentpb.SayReply, error) {
	return &currentpb.SayReply{Text: e.address}, nil
}

// node starts a server of plain grpc and returns the record of it.
func node(t *testing.T) *registry.Service {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	currentpb.RegisterEchoServer(s, echo{address: l.Addr().String()})
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		s.Stop()
		wg.Wait()
	})
	return record(l.Addr().String())
}

func record(address string) *registry.Service {
	return &registry.Service{Name: "echo", Version: "latest", Nodes: []*registry.Node{{Id: "echo-" + address, Address: address}}}
}

func dial(t *testing.T, r registry.Registry, target string) (*grpc.ClientConn, error) {
	t.Helper()
	cc, err := grpc.NewClient(target,
		grpc.WithResolvers(resolver.NewBuilder(r)),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err == nil {
		t.Cleanup(func() { _ = cc.Close() })
	}
	return cc, err
}

func mustRegister(t *testing.T, r registry.Registry, services ...*registry.Service) {
	t.Helper()
	for _, s := range services {
		if err := r.Register(s); err != nil {
			t.Fatal(err)
		}
	}
}

// answering returns the addresses that answer to ten calls.
func answering(t *testing.T, cc *grpc.ClientConn) map[string]bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	seen := map[string]bool{}
	for range 10 {
		out, err := currentpb.NewEchoClient(cc).Say(ctx, &currentpb.SayRequest{}, grpc.WaitForReady(true))
		if err != nil {
			t.Fatal(err)
		}
		seen[out.Text] = true
	}
	return seen
}

func TestFollowsTheRegistry(t *testing.T) {
	r := memory.NewRegistry()
	a, b := node(t), node(t)
	mustRegister(t, r, a)
	cc, err := dial(t, r, "rollcall:///echo")
	if err != nil {
		t.Fatal(err)
	}
	if seen := answering(t, cc); len(seen) != 1 || !seen[a.Nodes[0].Address] {
		t.Errorf("%v answer, want the one node", seen)
	}
	mustRegister(t, r, b)
	testkit.Eventually(t, 30*time.Second, "both nodes answer", func() bool { return len(answering(t, cc)) == 2 })
	if err := r.Deregister(a); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, "the node that left is not called", func() bool {
		seen := answering(t, cc)
		return len(seen) == 1 && seen[b.Nodes[0].Address]
	})
}

// A call to a name that nobody registered says so, and one that waits is served as
// soon as somebody does.
func TestNobodyRegistered(t *testing.T) {
	r := memory.NewRegistry()
	cc, err := dial(t, r, "rollcall:///echo")
	if err != nil {
		t.Fatal(err)
	}
	_, err = currentpb.NewEchoClient(cc).Say(t.Context(), &currentpb.SayRequest{})
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), `service "echo" in memory: `+registry.ErrNotFound.Error()) {
		t.Errorf("%v: want unavailable, with the name and the registry", err)
	}
	mustRegister(t, r, record("nonsense"))
	testkit.Eventually(t, 30*time.Second, "the error names the node that cannot be called", func() bool {
		_, err := currentpb.NewEchoClient(cc).Say(t.Context(), &currentpb.SayRequest{})
		return err != nil && strings.Contains(err.Error(), `node "echo-nonsense"`)
	})
	a := node(t)
	mustRegister(t, r, a)
	if seen := answering(t, cc); len(seen) != 1 || !seen[a.Nodes[0].Address] {
		t.Errorf("%v answer, want the one node", seen)
	}
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]string{
		"rollcall://echo":      "rollcall:///echo, with three slashes",
		"rollcall://echo/more": "with three slashes",
		"rollcall:///":         "name",
		"rollcall:///a%01b":    "name",
	} {
		cc, err := dial(t, memory.NewRegistry(), target)
		if err == nil { // grpc builds the resolver when it is first needed
			err = cc.Invoke(t.Context(), "/x/y", &currentpb.SayRequest{}, &currentpb.SayReply{})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", target, err, want)
		}
	}
}

// downed is a registry that cannot be reached.
type downed struct{ registry.Registry }

var errDown = errors.New("nobody at home")

func (downed) GetService(string, ...registry.GetOption) ([]*registry.Service, error) {
	return nil, errDown
}
func (downed) Watch(...registry.WatchOption) (registry.Watcher, error) { return nil, errDown }

// Without a registry the calls say what is the matter with it.
func TestRegistryOutOfReach(t *testing.T) {
	cc, err := dial(t, downed{memory.NewRegistry()}, "rollcall:///echo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = currentpb.NewEchoClient(cc).Say(t.Context(), &currentpb.SayRequest{}); err == nil || !strings.Contains(err.Error(), errDown.Error()) {
		t.Errorf("%v: want what the registry says", err)
	}
}
