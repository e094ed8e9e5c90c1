// Package memory is a transport within the process.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/panics"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/transport"
)

// NewTransport returns a transport whose listeners can be dialed by itself alone. A message is
// sent when the other end receives it: nothing is kept in between. Addresses without a host and
// those of this host by any name are one host; port 0 is one that is free. Secure and TLSConfig
// have no meaning here. When Options.Context is over, everything that waits ends.
func NewTransport(opts ...transport.Option) transport.Transport {
	t := &memory{listeners: map[string]*listener{}}
	_ = t.Init(opts...) // cannot fail
	return t
}

type memory struct {
	mu        sync.Mutex // guards what follows
	opts      transport.Options
	listeners map[string]*listener // by address
}

var _ transport.Transport = (*memory)(nil)

func (t *memory) Init(opts ...transport.Option) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range opts {
		o(&t.opts)
	}
	return nil
}

func (t *memory) Options() transport.Options {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opts
}

func (t *memory) String() string { return "memory" }

// normal returns the host and the port of an address, in the one form that they have here.
func normal(addr string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(addr)
	if err != nil {
		return "", "", err
	}
	if ip := net.ParseIP(host); host == "" || host == "localhost" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "127.0.0.1"
	}
	return host, port, nil
}

// firstPort is the first that is given for port 0.
const firstPort = 10000

func (t *memory) Listen(addr string, opts ...transport.ListenOption) (transport.Listener, error) {
	var lo transport.ListenOptions
	for _, o := range opts {
		o(&lo)
	}
	host, port, err := normal(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at := net.JoinHostPort(host, port)
	if port == "0" || port == "" {
		for n := firstPort; ; n++ {
			at = net.JoinHostPort(host, strconv.Itoa(n))
			if t.listeners[at] == nil {
				break
			}
		}
	}
	if t.listeners[at] != nil {
		return nil, fmt.Errorf("listen on %q: somebody listens there already", at)
	}
	l := &listener{of: t, addr: at, dialed: make(chan *socket), done: make(chan struct{})}
	t.listeners[at] = l
	return l, nil
}

func (t *memory) Dial(addr string, opts ...transport.DialOption) (transport.Client, error) {
	d := transport.DialOptions{Timeout: transport.DefaultDialTimeout}
	for _, o := range opts {
		o(&d)
	}
	if d.Timeout <= 0 {
		d.Timeout = transport.DefaultDialTimeout
	}
	host, port, err := normal(addr)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	t.mu.Lock()
	l, o := t.listeners[net.JoinHostPort(host, port)], t.opts
	t.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("dial %q: nobody listens there", addr)
	}
	here, there := l.connect(o)
	timer := time.NewTimer(d.Timeout)
	defer timer.Stop()
	select {
	case l.dialed <- there:
		return here, nil
	case <-l.done:
		return nil, fmt.Errorf("dial %q: nobody listens there any more", addr)
	case <-over(o.Context):
		return nil, fmt.Errorf("dial %q: %w", addr, o.Context.Err())
	case <-timer.C:
		return nil, fmt.Errorf("dial %q: not accepted: %w", addr, os.ErrDeadlineExceeded)
	}
}

// over returns what is closed when ctx, which may be nil, is over.
func over(ctx context.Context) <-chan struct{} {
	if ctx == nil {
		return nil
	}
	return ctx.Done()
}

type listener struct {
	of     *memory
	addr   string
	dialed chan *socket
	done   chan struct{}
	once   sync.Once
	panics panics.Log
}

func (l *listener) Addr() string { return l.addr }

// Close ends Accept and the connections that it took.
func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.of.mu.Lock()
		defer l.of.mu.Unlock()
		delete(l.of.listeners, l.addr)
	})
	return nil
}

func (l *listener) Accept(fn func(transport.Socket)) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		select {
		case s := <-l.dialed:
			serving.Go(func() {
				defer s.Close()
				defer func() {
					if v := recover(); v != nil {
						text, at := l.panics.Describe(v)
						logger.Errorf("panic recovered: %s%s", text, at)
					}
				}()
				fn(s)
			})
		case <-l.done:
			return nil
		}
	}
}

// connect returns the two ends of a connection.
func (l *listener) connect(o transport.Options) (here, there *socket) {
	a, b := make(chan *transport.Message), make(chan *transport.Message)
	shared := &shared{done: make(chan struct{})}
	here = &socket{shared: shared, listener: l, opts: o, out: a, in: b, local: "memory", remote: l.addr}
	there = &socket{shared: shared, listener: l, opts: o, out: b, in: a, local: l.addr, remote: "memory"}
	return here, there
}

// shared is what both ends close.
type shared struct {
	done chan struct{}
	once sync.Once
}

type socket struct {
	*shared
	listener      *listener
	opts          transport.Options
	out, in       chan *transport.Message
	local, remote string
}

func (s *socket) Local() string  { return s.local }
func (s *socket) Remote() string { return s.remote }

func (s *socket) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

// timer returns what bounds one message, nil for nothing, and how to end it.
func (s *socket) timer() (<-chan time.Time, func()) {
	if s.opts.Timeout <= 0 {
		return nil, func() {}
	}
	t := time.NewTimer(s.opts.Timeout)
	return t.C, func() { t.Stop() }
}

func (s *socket) Send(m *transport.Message) error {
	if m == nil {
		return fmt.Errorf("send: the message is nil")
	}
	late, stop := s.timer()
	defer stop()
	select {
	case <-s.done: // before anybody who happens to wait
		return io.ErrClosedPipe
	default:
	}
	select {
	case s.out <- &transport.Message{Header: maps.Clone(m.Header), Body: bytes.Clone(m.Body)}:
		return nil
	case <-s.done:
	case <-s.listener.done:
	case <-over(s.opts.Context):
		return s.opts.Context.Err()
	case <-late:
		return os.ErrDeadlineExceeded
	}
	return io.ErrClosedPipe
}

func (s *socket) Recv(m *transport.Message) error {
	if m == nil {
		return fmt.Errorf("receive: the message is nil")
	}
	late, stop := s.timer()
	defer stop()
	select {
	case got := <-s.in:
		*m = *got
		return nil
	case <-s.done:
	case <-s.listener.done:
	case <-over(s.opts.Context):
		return s.opts.Context.Err()
	case <-late:
		return os.ErrDeadlineExceeded
	}
	return io.EOF
}
