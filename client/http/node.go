package http

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/secure"
)

// node is one place that requests go to, with the connections to it and what is known of
// it. It is the endpoint.Conn that package pick chooses by.
type node struct {
	endpoint endpoint.Endpoint
	http     *http.Transport
	all      *nodes
	load     endpoint.Load
	state    atomic.Int32 // an endpoint.State
	answered atomic.Int64 // when it last gave a sign of life, by the clock of all
	left     atomic.Bool  // nobody lists it any more

	mu      sync.Mutex    // guards what follows
	asking  chan struct{} // closed when the question under way has its answer; nil if there is none
	revived bool          // a goroutine looks whether the node has come back
}

var _ endpoint.Conn = (*node)(nil)

// State returns how ready the node is. What failed is tried again after a while.
func (n *node) State() endpoint.State { return endpoint.State(n.state.Load()) }

// Load returns how busy the node is.
func (n *node) Load() *endpoint.Load { return &n.load }

// Connect finds out whether the node answers. It does not wait.
func (n *node) Connect() {
	if n.state.CompareAndSwap(int32(endpoint.Idle), int32(endpoint.Connecting)) {
		n.all.goes(func() { n.asked() })
	}
}

// Invoke and NewStream are not for HTTP.
func (n *node) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return status.Error(codes.Unimplemented, "the node speaks HTTP, not gRPC")
}

func (n *node) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "the node speaks HTTP, not gRPC")
}

// reached says that there is a connection, new or not.
func (n *node) reached() {
	switch n.State() {
	case endpoint.Idle, endpoint.Connecting, endpoint.Failing:
		n.ready()
	}
}

// heard says that the node answered.
func (n *node) heard() {
	n.answered.Store(int64(n.all.clock.Last()))
	if n.State() != endpoint.Ready {
		n.answered.Store(int64(n.all.clock.Read()))
		n.ready()
	}
}

func (n *node) ready() { n.state.Store(int32(endpoint.Ready)) }

// refused says that no connection could be made.
func (n *node) refused() {
	n.state.Store(int32(endpoint.Failing))
	n.all.failed(n.endpoint.Host)
	n.http.CloseIdleConnections()
	n.revive()
}

// asked reports whether the node gives a sign of life: whether it did of late, or answers
// OPTIONS * now. Several that ask at a time share one question.
func (n *node) asked() bool {
	if n.State() == endpoint.Ready && n.all.clock.Read()-time.Duration(n.answered.Load()) < defaults.NodeSilence {
		return true
	}
	n.mu.Lock()
	if asking := n.asking; asking != nil {
		n.mu.Unlock()
		<-asking
		return n.State() == endpoint.Ready
	}
	asking := make(chan struct{})
	n.asking = asking
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.asking = nil
		n.mu.Unlock()
		close(asking)
	}()
	connected, alive := n.ask()
	switch {
	case n.all.context().Err() != nil:
		return true // nobody wants to know any more
	case alive:
		n.answered.Store(int64(n.all.clock.Read()))
		n.ready()
	case connected:
		n.state.Store(int32(endpoint.Silent))
		n.http.CloseIdleConnections()
		n.revive()
	default:
		n.refused()
	}
	return alive
}

// ask sends OPTIONS * on a new connection. Any answer will do.
func (n *node) ask() (connected, alive bool) {
	ctx, cancel := context.WithCancel(n.all.context())
	defer cancel()
	var timer atomic.Pointer[time.Timer]
	arrived := func() { timer.Store(time.AfterFunc(defaults.NodeSilence, cancel)) } // what a sign of life may take
	scheme := "http"
	if n.endpoint.TLS {
		scheme = "https"
	}
	once := &http.Transport{
		DisableKeepAlives: true, ForceAttemptHTTP2: true,
		DialContext:    func(ctx context.Context, _, _ string) (net.Conn, error) { return n.connect(ctx, arrived) },
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return n.connectTLS(ctx, arrived) },
	}
	req := &http.Request{Method: http.MethodOptions, URL: &url.URL{Scheme: scheme, Host: n.endpoint.Host, Opaque: "*"}, Host: n.endpoint.Host, Header: http.Header{}}
	rsp, err := once.RoundTrip(req.WithContext(ctx))
	if err == nil {
		_ = rsp.Body.Close() // that there was an answer is all
	}
	once.CloseIdleConnections()
	if t := timer.Load(); t != nil {
		t.Stop()
		connected = true
	}
	return connected, err == nil
}

// revive looks, beside, whether a node that fails or is silent answers again, until it
// does or nobody lists it any more.
func (n *node) revive() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.revived || n.left.Load() {
		return
	}
	n.revived = n.all.goes(func() {
		defer func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.revived = false
		}()
		pause := backoff.Backoff{Base: defaults.NodeBaseDelay, Max: defaults.NodeMaxDelay}
		for i := 1; !n.left.Load(); i++ {
			timer := time.NewTimer(pause.Next(i))
			select {
			case <-timer.C:
			case <-n.all.context().Done():
				timer.Stop()
				return
			}
			if n.asked() {
				return
			}
		}
	})
}

// done says that an attempt is over. The last one of a node that left takes the
// connections with it.
func (n *node) done() {
	if n.left.Load() && n.load.InFlight() == 0 {
		n.http.CloseIdleConnections()
	}
}

// leave says that nobody lists the node any more.
func (n *node) leave() {
	n.left.Store(true)
	n.http.CloseIdleConnections()
}

// dial and dialTLS are what http.Transport takes.
func (n *node) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return n.connect(ctx, func() {})
}

func (n *node) dialTLS(ctx context.Context, _, _ string) (net.Conn, error) {
	return n.connectTLS(ctx, func() {})
}

// connect makes a connection. arrived is called once somebody has taken it.
func (n *node) connect(ctx context.Context, arrived func()) (net.Conn, error) {
	d := net.Dialer{Timeout: defaults.NodeConnectTimeout}
	c, err := d.DialContext(ctx, "tcp", n.endpoint.Host)
	if err == nil {
		arrived()
	}
	return c, err
}

func (n *node) connectTLS(ctx context.Context, arrived func()) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, defaults.NodeConnectTimeout)
	defer cancel()
	at := secure.Node{Host: n.endpoint.Host, Service: n.endpoint.Service, TLS: true}
	config, err := n.all.dialer.Config(at)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(config.NextProtos, "http/1.1") {
		config.NextProtos = append(slices.Clip(config.NextProtos), "http/1.1")
	}
	raw, err := n.connect(ctx, arrived)
	if err != nil {
		return nil, err
	}
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // the error of the handshake tells more
		return nil, n.all.dialer.Explain(at, err)
	}
	return c, nil
}
