package grpc

import (
	"crypto/tls"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/internal/conn"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/registry"
)

// plan is what a network is made from.
type plan struct {
	registry    registry.Registry
	snapshot    string      // where the registry's services are kept
	noSuspects  bool        // believe every departure
	maxUnknown  int         // names followed of which no node was seen; 0 for the default
	tls         *tls.Config // nil: as each address has it
	dial        []grpc.DialOption
	dialTimeout time.Duration
}

// equal reports whether a network made from p serves for o as well.
func (p plan) equal(o plan) bool {
	return same(p.registry, o.registry) && p.snapshot == o.snapshot && p.noSuspects == o.noSuspects && p.maxUnknown == o.maxUnknown && p.tls == o.tls && p.dialTimeout == o.dialTimeout &&
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

// network is what calls run over: the services that are known and the connections
// to their nodes. It lives from the options that brought it in to those that
// replace it, and on until the calls that began under it have ended.
type network struct {
	plan
	directory     *discovery.Directory
	hints         *hints
	plain, secure *conn.Set // the same if all connections are secure
	forget        func()    // stops observing the directory

	calls   atomic.Int64  // in flight; far below zero once retired
	drained chan struct{} // closed when retired and without calls
	drain   sync.Once
}

// retired is what calls is lowered by: so far that no number of calls brings it
// above zero again.
const retired = math.MinInt64 / 2

// newNetwork starts nothing: the first lookup and the first connection do.
func newNetwork(p plan) *network {
	n := &network{plan: p, drained: make(chan struct{})}
	n.directory = discovery.New(feed.Of(p.registry), discovery.Options{
		NoSuspects: p.noSuspects,
		MaxUnknown: p.maxUnknown,
		Disk:       discovery.DiskOf(p.registry),
	})
	n.hints = newHints(p.registry)
	n.plain, n.secure = n.sets()
	n.forget = n.directory.Observe(func(*discovery.Snapshot) {
		n.plain.Recheck()
		n.secure.Recheck()
	})
	return n
}

// sets returns two sets of connections, one in plain text and one with TLS, or
// twice the same if TLS was asked for.
func (n *network) sets() (plain, secure *conn.Set) {
	o := conn.Options{
		DialTimeout: n.dialTimeout,
		DialOptions: n.dial,
		Listed:      n.listed,
		Failed:      n.directory.Failed,
	}
	t := n.tls
	if t == nil {
		plain = conn.New(o)
		t = &tls.Config{}
	}
	o.Credentials = credentials.NewTLS(t)
	secure = conn.New(o)
	if plain == nil {
		plain = secure
	}
	return plain, secure
}

// listed yields the addresses of all nodes, as the sets know them.
func (n *network) listed(yield func(string) bool) {
	n.directory.Addresses(func(address string) bool {
		host, _ := target(address)
		return yield(host)
	})
}

// at returns the set that has the connection to the address, and the address as
// that set knows it.
func (n *network) at(address string) (*conn.Set, string) {
	host, secure := target(address)
	if secure {
		return n.secure, host
	}
	return n.plain, host
}

// target returns the host and port of an address and whether it demands TLS.
func target(address string) (host string, secure bool) {
	host, secure = strings.CutPrefix(address, "https://")
	if host == "" { // nowhere, in place of the default port of this host
		return host, secure
	}
	if strings.LastIndexByte(host, ':') <= strings.LastIndexByte(host, ']') { // no port
		return host + ":443", true
	}
	return host, secure || strings.HasSuffix(host, ":443")
}

// state tells the picker how ready a node is.
func (n *network) state(node *registry.Node) pick.State {
	set, host := n.at(node.Address)
	switch set.State(host) {
	case connectivity.Ready:
		return pick.Ready
	case connectivity.Connecting:
		return pick.Connecting
	case connectivity.TransientFailure:
		return pick.Failing
	default:
		return pick.Idle
	}
}

// warm begins to connect to the node. It does not wait.
func (n *network) warm(node *registry.Node) {
	set, host := n.at(node.Address)
	if c, err := set.Node(host); err == nil { // an error will be told to a call
		c.Connect()
	}
}

// enter counts a call in. It reports false, and has not, once n is retired.
func (n *network) enter() bool {
	if n.calls.Add(1) > 0 {
		return true
	}
	n.leave()
	return false
}

// leave counts a call out.
func (n *network) leave() {
	if n.calls.Add(-1) == retired {
		n.drain.Do(func() { close(n.drained) })
	}
}

// retire turns new calls away.
func (n *network) retire() {
	if n.calls.Add(retired) == retired {
		n.drain.Do(func() { close(n.drained) })
	}
}

// close ends all that n started, and the calls over it. It is called once.
func (n *network) close() {
	n.forget()
	n.plain.Close()
	n.secure.Close()
	n.directory.Close()
	n.hints.close()
}
