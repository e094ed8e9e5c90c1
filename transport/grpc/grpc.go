// Package grpc is the transport whose connections are streams of gRPC. It carries no calls
// between services, which go over gRPC by themselves: a program that gives it to a service, as
// programs of v2 did, changes nothing but what Secure and TLSConfig say.
package grpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/panics"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/transport"
)

// maxMessageSize is the largest message that is received, in bytes.
const maxMessageSize = 64 << 20

// stream is the one method of the service go.micro.transport.grpc.Transport.
var stream = grpc.StreamDesc{StreamName: "Stream", ServerStreams: true, ClientStreams: true}

const (
	service = "go.micro.transport.grpc.Transport"
	path    = "/" + service + "/Stream"
)

// NewTransport returns a transport. With Secure or TLSConfig it speaks TLS: a listener needs a
// certificate in TLSConfig, and who dials verifies it, by what the system trusts where TLSConfig
// says nothing else. A message of more than 64 MiB is refused.
func NewTransport(opts ...transport.Option) transport.Transport {
	t := &grpcTransport{}
	_ = t.Init(opts...) // cannot fail
	return t
}

type grpcTransport struct {
	mu   sync.Mutex // guards opts
	opts transport.Options
}

var _ transport.Transport = (*grpcTransport)(nil)

func (t *grpcTransport) Init(opts ...transport.Option) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range opts {
		o(&t.opts)
	}
	return nil
}

func (t *grpcTransport) Options() transport.Options {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opts
}

func (t *grpcTransport) String() string { return "grpc" }

func (t *grpcTransport) Dial(addr string, opts ...transport.DialOption) (transport.Client, error) {
	d := transport.DialOptions{Timeout: transport.DefaultDialTimeout}
	for _, o := range opts {
		o(&d)
	}
	if d.Timeout <= 0 {
		d.Timeout = transport.DefaultDialTimeout
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	o := t.Options()
	creds := insecure.NewCredentials()
	if o.Secure || o.TLSConfig != nil {
		config := o.TLSConfig
		if config == nil {
			config = &tls.Config{}
		}
		creds = credentials.NewTLS(config)
	}
	cc, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(maxMessageSize)))
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{end: end{timeout: o.Timeout, cancel: cancel, local: "grpc", remote: addr}, cc: cc}
	if err := c.open(ctx, d.Timeout); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	return c, nil
}

// client is the end that dialed.
type client struct {
	end
	cc *grpc.ClientConn
}

// open connects and opens the stream, which lasts until ctx ends.
func (c *client) open(ctx context.Context, timeout time.Duration) error {
	late := time.AfterFunc(timeout, c.cancel)
	defer late.Stop()
	for c.cc.Connect(); ; {
		s := c.cc.GetState()
		if s == connectivity.Ready {
			break
		}
		if s == connectivity.TransientFailure { // the stream says why
			break
		}
		if !c.cc.WaitForStateChange(ctx, s) {
			return os.ErrDeadlineExceeded
		}
	}
	s, err := c.cc.NewStream(ctx, &stream, path)
	if err != nil {
		return err
	}
	if !late.Stop() {
		return os.ErrDeadlineExceeded
	}
	c.stream = s
	return nil
}

func (c *client) Close() error {
	c.cancel()
	return c.cc.Close()
}

func (t *grpcTransport) Listen(addr string, opts ...transport.ListenOption) (transport.Listener, error) {
	var lo transport.ListenOptions
	for _, o := range opts {
		o(&lo)
	}
	o := t.Options()
	if o.Secure && o.TLSConfig == nil {
		return nil, fmt.Errorf("listen on %q: to speak TLS takes a certificate: give one by transport.TLSConfig", addr)
	}
	l, err := netaddr.Listen(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	more := []grpc.ServerOption{grpc.ForceServerCodecV2(codec{}), grpc.MaxRecvMsgSize(maxMessageSize), grpc.WaitForHandlers(true)}
	if o.TLSConfig != nil {
		more = append(more, grpc.Creds(credentials.NewTLS(o.TLSConfig)))
	}
	return &listener{Listener: l, timeout: o.Timeout, server: grpc.NewServer(more...)}, nil
}

type listener struct {
	net.Listener
	timeout time.Duration
	server  *grpc.Server
	panics  panics.Log
	taken   atomic.Bool // by Accept
}

func (l *listener) Addr() string { return l.Listener.Addr().String() }

// Close ends Accept, which ends the connections that it took.
func (l *listener) Close() error {
	if err := l.Listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (l *listener) Accept(fn func(transport.Socket)) error {
	if !l.taken.CompareAndSwap(false, true) {
		return fmt.Errorf("accept on %q: Accept was called before", l.Addr())
	}
	serve := func(_ any, s grpc.ServerStream) (err error) {
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		defer func() {
			if v := recover(); v != nil {
				text, at := l.panics.Describe(v)
				logger.Errorf("panic recovered: %s%s", text, at)
				err = status.Error(codes.Internal, "the connection's function panicked")
			}
		}()
		fn(&socket{end{stream: s, ctx: ctx, timeout: l.timeout, cancel: cancel, local: l.Addr(), remote: remoteOf(s.Context())}})
		return nil
	}
	desc := stream
	desc.Handler = serve
	l.server.RegisterService(&grpc.ServiceDesc{ServiceName: service, Streams: []grpc.StreamDesc{desc}}, nil)
	err := l.server.Serve(l.Listener)
	l.server.Stop() // and wait for the functions
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
