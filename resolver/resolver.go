// Package resolver lets a program of plain grpc-go find services by the name that
// they are registered under, and links nothing of this module but discovery:
//
//	cc, err := grpc.NewClient("rollcall:///greeter",
//		grpc.WithResolvers(resolver.NewBuilder(etcd.NewRegistry())),
//		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
//		grpc.WithTransportCredentials(insecure.NewCredentials()))
//
// The calls are grpc's own: it chooses the node by the policy that the program names,
// and none of the wrappers, retries and headers of a client of this module is there.
// For those, client/grpc.Conn gives generated clients a connection by name.
package resolver

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc/resolver"

	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Scheme is that of the targets: rollcall:///name, with three slashes.
const Scheme = "rollcall"

// NewBuilder returns what grpc.WithResolvers, or resolver.Register of grpc, takes. It
// follows the services of r, which stays the caller's, from when a grpc.ClientConn
// first needs one until that is closed or idle. Nothing is started before.
func NewBuilder(r registry.Registry) resolver.Builder { return builder{r} }

type builder struct{ registry registry.Registry }

func (builder) Scheme() string { return Scheme }

// Build begins to follow the service of the target.
func (b builder) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	name := target.Endpoint()
	if host := target.URL.Host; host != "" {
		return nil, fmt.Errorf("resolve %q: write %s:///%s, with three slashes: the registry is the builder's", target.URL.String(), Scheme, host)
	}
	if err := record.CheckName(name); err != nil {
		return nil, fmt.Errorf("resolve %q: %w", target.URL.String(), err)
	}
	// Ended by Close.
	ctx, cancel := context.WithCancel(context.Background())
	f := &following{name: name, registry: b.registry, cc: cc, cancel: cancel, directory: discovery.New(feed.Of(b.registry), discovery.Options{
		Disk: discovery.DiskOf(b.registry),
	})}
	f.done.Go(func() { f.run(ctx) })
	return f, nil
}

// following tells one grpc.ClientConn the nodes of one service.
type following struct {
	name      string
	registry  registry.Registry
	cc        resolver.ClientConn
	directory *discovery.Directory
	cancel    context.CancelFunc
	done      sync.WaitGroup
	told      bool // the ClientConn was given a list, maybe an empty one; belongs to run
}

// ResolveNow does nothing: what changes is told as it happens.
func (f *following) ResolveNow(resolver.ResolveNowOptions) {}

// Close ends the following and waits for that.
func (f *following) Close() {
	f.cancel()
	f.done.Wait()
	f.directory.Close()
}

func (f *following) run(ctx context.Context) {
	for {
		s := f.directory.Lookup(f.name)
		f.tell(s)
		select {
		case <-s.Changed():
		case <-ctx.Done():
			return
		}
	}
}

// tell passes a snapshot on. What is known stays while the registry is away.
func (f *following) tell(s *discovery.Snapshot) {
	if !s.Known {
		if s.Err != nil {
			f.cc.ReportError(fmt.Errorf("look up %q in %s: %w", f.name, f.registry, s.Err))
		}
		return
	}
	var state resolver.State
	var unusable error
	told := make(map[string]bool)
	for _, nodes := range [][]*registry.Node{s.Nodes, s.Suspects} {
		for _, n := range nodes {
			e, err := endpoint.OfNode(n)
			if err != nil {
				unusable = fmt.Errorf("node %q: %w", n.Id, err)
				continue
			}
			if !told[e.Host] {
				told[e.Host] = true
				state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: e.Host}}})
			}
		}
	}
	if len(state.Endpoints) > 0 || f.told {
		f.told = true
		// It answers with an error if grpc's policy wants no such list. Nothing else can
		// be told then.
		_ = f.cc.UpdateState(state)
	}
	switch {
	case len(state.Endpoints) > 0:
	case unusable != nil:
		f.cc.ReportError(fmt.Errorf("service %q in %s: no node can be called: %w", f.name, f.registry, unusable))
	default:
		f.cc.ReportError(fmt.Errorf("service %q in %s: %w", f.name, f.registry, registry.ErrNotFound))
	}
}
