package grpc

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/conn"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/once"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// backendsConfig is what backends are made from.
type backendsConfig struct {
	registry          registry.Registry
	snapshot          string // where the registry's services are kept
	noSuspects        bool   // believe every departure
	maxUnknown        int    // names followed of which no node was seen
	events            *func(Event)
	tls               secure.Client
	dial              []grpc.DialOption
	dialTimeout       time.Duration // zero is the default, as with those below
	maxHeaderListSize uint32
	poolSize          int
	maxStreams        int
	more              []otherTransport // beside gRPC
	policy            balance.Policy
}

// otherTransport is a way to reach nodes beside gRPC. Its name is what the metadata of
// such nodes have as transport.
type otherTransport struct {
	name string
	open func(conn.Options) endpoint.Transport
}

// equal reports whether backends made from p serve for o as well.
func (p backendsConfig) equal(o backendsConfig) bool {
	return same(p.registry, o.registry) && p.snapshot == o.snapshot && p.noSuspects == o.noSuspects && p.maxUnknown == o.maxUnknown && p.events == o.events && p.policy == o.policy && p.tls == o.tls && p.dialTimeout == o.dialTimeout &&
		p.maxHeaderListSize == o.maxHeaderListSize && p.poolSize == o.poolSize && p.maxStreams == o.maxStreams &&
		len(p.more) == len(o.more) &&
		slices.EqualFunc(p.dial, o.dial, func(a, b grpc.DialOption) bool { return same(a, b) })
}

// same reports whether a and b are one. Values that cannot be compared are not.
func same(a, b any) bool {
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	if !va.IsValid() || !vb.IsValid() {
		return va.IsValid() == vb.IsValid()
	}
	return va.Comparable() && vb.Comparable() && a == b
}

// backends are what calls run over: the services that are known and the connections
// to their nodes. They live from the options that brought them in to those that
// replace them, and on until the calls that began under them have ended.
type backends struct {
	backendsConfig
	services   *perServices
	directory  *discovery.Directory
	diagnosis  *diagnosis
	dialer     *secure.Dialer
	places     places
	rules      pick.Rules                    // which nodes are preferred
	odd        once.Set                      // nodes whose metadata are odd
	transports map[string]endpoint.Transport // by name
	forget     func()                        // stops observing the directory

	calls   atomic.Int64  // in flight; far below zero once retired
	drained chan struct{} // closed when retired and without calls
	drain   sync.Once
}

// retired is what calls is lowered by: so far that no number of calls brings it
// above zero again.
const retired = math.MinInt64 / 2

// newBackends starts nothing: the first lookup and the first connection do.
func newBackends(p backendsConfig, services *perServices) *backends {
	b := &backends{backendsConfig: p, services: services, drained: make(chan struct{}), transports: map[string]endpoint.Transport{}}
	b.directory = discovery.New(feed.Of(p.registry), discovery.Options{
		NoSuspects: p.noSuspects,
		MaxUnknown: p.maxUnknown,
		Events:     p.onEvent(),
		Disk:       discovery.DiskOf(p.registry),
	})
	b.dialer = secure.NewDialer(p.tls, func(text string) { logger.Warnf("Client [grpc] TLS files: %s", text) })
	b.diagnosis = newDiagnosis(p.registry)
	b.rules.Policy, b.rules.Seed, b.rules.Odd = p.policy, rand.Uint64(), b.warnOdd
	o := b.connOptions(p.dial)
	b.transports[endpoint.GRPC] = conn.New(o)
	for _, t := range p.more {
		b.transports[t.name] = t.open(o)
	}
	b.forget = b.directory.Observe(func(s *discovery.Snapshot) {
		b.rules.Note(s.Name, s.Nodes, s.Known)
		for _, t := range b.transports {
			t.Recheck()
		}
	})
	return b
}

// connOptions returns how connections are made, with the given dial options.
func (b *backends) connOptions(dial []grpc.DialOption) conn.Options {
	return conn.Options{
		TLS:               b.dialer,
		DialTimeout:       b.dialTimeout,
		MaxHeaderListSize: b.maxHeaderListSize,
		PoolSize:          b.poolSize,
		MaxStreams:        b.maxStreams,
		DialOptions:       dial,
		Listed:            b.listed,
		Failed: func(e endpoint.Endpoint) {
			// A record may have said either.
			b.directory.Failed(e.Host)
			b.directory.Failed(endpoint.Endpoint{Host: e.Host, TLS: true}.String())
		},
	}
}

// listed yields the endpoints of all nodes.
func (b *backends) listed(yield func(endpoint.Endpoint) bool) {
	b.places.renew()
	for service, n := range b.directory.Nodes {
		if e, err := b.endpoint(service, n); err == nil && !yield(e) {
			return
		}
	}
}

// endpoint returns where a node of a service is called, or why it cannot be.
func (b *backends) endpoint(service string, n *registry.Node) (endpoint.Endpoint, error) {
	e, err := b.places.of(n)
	if err != nil {
		return e, err
	}
	return b.adapt(service, e)
}

// adapt applies to e what the client's options say of all endpoints.
func (b *backends) adapt(service string, e endpoint.Endpoint) (endpoint.Endpoint, error) {
	if b.transports[e.Transport] == nil {
		e.Transport = endpoint.GRPC
	}
	secured, err := b.tls.Decide(e.TLS, e.Says)
	if err != nil && (len(b.dial) > 0 || e.Transport != endpoint.GRPC) {
		err = nil // the program may have seen to TLS itself
	}
	if e.TLS = secured; secured {
		e.Service = b.tls.Names(service)
	}
	return e, err
}

// connect returns the connection to a node of a service. It costs little until it is
// used.
func (b *backends) connect(service string, n *registry.Node) (endpoint.Conn, error) {
	e, err := b.endpoint(service, n)
	if err != nil {
		return nil, err
	}
	return b.transports[e.Transport].Node(e)
}

// direct returns the connection to a node that the program named, for calls to a
// service.
func (b *backends) direct(service string, n *registry.Node) (endpoint.Conn, error) {
	e, err := endpoint.OfNode(n)
	if err == nil {
		e, err = b.adapt(service, e)
	}
	if err != nil {
		return nil, &endpoint.ConnectError{Address: n.Address, Err: err}
	}
	return b.transports[e.Transport].Direct(e)
}

// derived is what is made once of each snapshot.
type derived struct {
	targets *pick.Targets
	own     *perService
}

func (b *backends) derived(s *discovery.Snapshot) *derived {
	return s.Derive(func(s *discovery.Snapshot) any {
		return &derived{pick.NewTargets(s, b.connect, &b.rules), b.services.of(s.Name)}
	}).(*derived)
}

// targets returns the nodes of a snapshot with the connections to them.
func (b *backends) targets(s *discovery.Snapshot) *pick.Targets { return b.derived(s).targets }

// warnOdd logs what is odd about a node's metadata, once.
func (b *backends) warnOdd(n *registry.Node, err error) {
	if b.odd.First(n.Id) {
		logger.Warnf("Client [grpc] Take node %q for one like others: %v", n.Id, err)
	}
}

// skipped returns how many nodes cannot be called because of what stands in their
// records.
func (b *backends) skipped() (n int) {
	for service, node := range b.directory.Nodes {
		if _, err := b.endpoint(service, node); err != nil {
			n++
		}
	}
	return n
}

// enter counts a call in. It reports false, and has not, once b is retired.
func (b *backends) enter() bool {
	if b.calls.Add(1) > 0 {
		return true
	}
	b.leave()
	return false
}

// leave counts a call out.
func (b *backends) leave() {
	if b.calls.Add(-1) == retired {
		b.drain.Do(func() { close(b.drained) })
	}
}

// retire turns new calls away.
func (b *backends) retire() {
	if b.calls.Add(retired) == retired {
		b.drain.Do(func() { close(b.drained) })
	}
}

// close ends all that b started, and the calls over it. It is called once.
func (b *backends) close() {
	b.forget()
	for _, t := range b.transports {
		t.Close()
	}
	b.directory.Close()
	b.diagnosis.close()
}
