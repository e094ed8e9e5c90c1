// Package http calls HTTP services by their names: any HTTP client by [NewRoundTripper],
// and programs that were written for go-micro's client by [NewClient].
//
//	rt := http.NewRoundTripper(client.Registry(r))
//	defer rt.Close()
//	c := &nethttp.Client{Transport: rt}
//	rsp, err := c.Get("http://go.micro.web.greeter/hello?name=Jo")
//
// The host of an address is the name of a service, without a port. Its nodes are found
// in the registry and followed, so that requests go on while the registry is away; each
// request goes to a node that is ready. Hosts with a port, and IP addresses, are called
// as they are.
package http

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/budget"
	"github.com/rollcall-go/micro/internal/calling"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// RoundTripper is an http.RoundTripper that finds services by name. It is safe for
// concurrent use, and starts nothing before its first request.
//
// A request is made again, on another node where there is one, if nothing of it was
// written, or if its method is idempotent (GET, HEAD, OPTIONS, TRACE, PUT, DELETE, or a
// header Idempotency-Key) and the connection broke or the node fell silent; and then
// only if its body can be had again by GetBody, and as often as the options Retries and
// RetryBudget allow. Answers are never reasons, whatever their status.
//
// A node is silent if it answers neither a request for half a second nor then, on a
// connection of its own, the request OPTIONS *, to which every HTTP server has an answer.
// It is called after all others until it answers. A request that may not be made again
// fails when its node has been silent for five seconds. Other than that a request takes
// as long as its context, or the Timeout of the http.Client, allows.
type RoundTripper struct {
	opts      client.Options
	chosen    calling.Selection
	tls       secure.Client
	dialer    *secure.Dialer
	rules     pick.Rules
	picker    pick.Picker
	nodes     nodes
	direct    *http.Transport // to hosts that are no names
	percent   atomic.Int64
	budgetsMu sync.Mutex
	budgets   map[string]*budget.Budget

	begin     sync.Once
	mu        sync.Mutex // guards what follows
	closed    bool
	directory *discovery.Directory // from the first request on
	forget    func()               // stops observing it
}

// NewRoundTripper returns a RoundTripper. It goes by these options of a client:
// Registry, Selector and how that balances, Retries, RetryBudget, and those of package
// client/grpc that say how calls are secured. Close it to end what its requests have
// started.
func NewRoundTripper(opts ...client.Option) *RoundTripper {
	rt := &RoundTripper{opts: client.NewOptions(opts...), direct: http.DefaultTransport.(*http.Transport).Clone(), budgets: map[string]*budget.Budget{}}
	rt.percent.Store(int64(rt.opts.RetryBudget))
	rt.chosen = calling.SelectionOf(rt.opts)
	rt.tls, _ = settings.Of[secure.Client](rt.opts.Context)
	rt.dialer = secure.NewDialer(rt.tls, func(text string) { logger.Warnf("Client [http] TLS files: %s", text) })
	rt.rules.Policy, rt.rules.Seed = rt.chosen.Policy, rand.Uint64()
	rt.nodes.dialer = rt.dialer
	rt.nodes.clock = endpoint.NewClock()
	rt.nodes.failed = func(address string) { rt.directory.Failed(address) }
	rt.picker = pick.Picker{
		Balancer: rt.chosen.Balancer, Strategy: rt.chosen.Strategy, Rules: &rt.rules,
		Targets:  rt.targets,
		Connect:  rt.connect,
		Names:    func() []string { return slices.Collect(maps.Keys(rt.names())) },
		Registry: func() string { return calling.Describe(rt.chosen.Registry) },
	}
	return rt
}

// start begins to follow services. It reports false once rt is closed.
func (rt *RoundTripper) start() bool {
	rt.begin.Do(func() {
		rt.mu.Lock()
		defer rt.mu.Unlock()
		if rt.closed {
			return
		}
		d := discovery.New(feed.Of(rt.chosen.Registry), discovery.Options{Disk: discovery.DiskOf(rt.chosen.Registry)})
		rt.directory = d
		rt.forget = d.Observe(func(s *discovery.Snapshot) {
			rt.rules.Note(s.Name, s.Nodes, s.Known)
			rt.sweep()
		})
	})
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return !rt.closed
}

// Close ends what requests have started. Those in flight go on; others fail. It may be
// called more than once.
func (rt *RoundTripper) Close() error {
	rt.mu.Lock()
	closed, d := rt.closed, rt.directory
	rt.closed = true
	rt.mu.Unlock()
	if closed {
		return nil
	}
	if d != nil {
		rt.forget()
		d.Close()
	}
	rt.nodes.close()
	rt.direct.CloseIdleConnections()
	return nil
}

// names returns the names of the services that are known.
func (rt *RoundTripper) names() map[string]bool {
	names := map[string]bool{}
	for _, name := range rt.directory.Names() {
		names[name] = true
	}
	return names
}

// targets returns the nodes of a snapshot, made once.
func (rt *RoundTripper) targets(s *discovery.Snapshot) *pick.Targets {
	return s.Derive(func(s *discovery.Snapshot) any { return pick.NewTargets(s, rt.connect, &rt.rules) }).(*pick.Targets)
}

// connect returns the node behind a record, or why it cannot be called.
func (rt *RoundTripper) connect(service string, n *registry.Node) (endpoint.Conn, error) {
	e, err := rt.endpoint(service, n)
	if err != nil {
		return nil, err
	}
	return rt.nodes.of(e), nil
}

// endpoint returns where a node is called. Nodes that say that they speak something else
// than HTTP are left out; those of go-micro v2's web package say nothing.
func (rt *RoundTripper) endpoint(service string, n *registry.Node) (endpoint.Endpoint, error) {
	if p := n.Metadata["protocol"]; p != "" && p != "http" {
		return endpoint.Endpoint{}, fmt.Errorf("node %q speaks %s by its metadata, not http", n.Id, p)
	}
	e, err := endpoint.OfNode(n)
	if err != nil {
		return e, err
	}
	e.TLS, err = rt.tls.Decide(e.TLS, e.Says)
	e.Service = rt.tls.Names(service)
	return e, err
}

// sweep lets go of the nodes that left.
func (rt *RoundTripper) sweep() {
	listed := map[endpoint.Endpoint]bool{}
	for service, n := range rt.directory.Nodes {
		if e, err := rt.endpoint(service, n); err == nil {
			listed[e] = true
		}
	}
	rt.nodes.keep(listed)
}

// budget returns the budget of a service.
func (rt *RoundTripper) budget(service string) *budget.Budget {
	const most = 10_000 // names may come from outside
	rt.budgetsMu.Lock()
	defer rt.budgetsMu.Unlock()
	b := rt.budgets[service]
	if b == nil {
		if len(rt.budgets) >= most {
			clear(rt.budgets)
		}
		b = budget.New(&rt.percent, time.Now())
		rt.budgets[service] = b
	}
	return b
}

// choices begins the succession of nodes for one request.
func (rt *RoundTripper) choices(ctx context.Context, service string, so selector.SelectOptions) (pick.Call, error) {
	s, err := calling.Known(ctx, rt.directory, rt.chosen.Registry, service)
	if err != nil {
		if s != nil && !s.Fatal && s.Err != nil && ctx.Err() == nil {
			err = rt.picker.Missing(s, s.Err)
		}
		return pick.Call{}, err
	}
	call, err := rt.picker.Start(s, so)
	if err != nil {
		return call, calling.NotFound(err)
	}
	return call, nil
}

// named reports whether the host of a request is the name of a service.
func named(host, port string) bool { return port == "" && net.ParseIP(host) == nil }
