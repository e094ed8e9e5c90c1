package transport

import (
	"errors"
	"fmt"
	"sync"

	"github.com/rollcall-go/micro/internal/defaults"
)

// ErrNoTransport is returned, wrapped, by what the default transport would have to
// do.
var ErrNoTransport = errors.New("no transport chosen")

// DefaultTransport is what services are given that choose no transport. It belongs
// to the program; set it before the first service is made.
var DefaultTransport = NewTransport()

// DefaultDialTimeout bounds dialing where nothing else is said.
var DefaultDialTimeout = defaults.DialTimeout

// NewTransport returns the default transport: the one over HTTP, which is not part
// of this release. Dial and Listen return an error that says so; the rest works.
func NewTransport(opts ...Option) Transport {
	u := &missing{}
	u.apply(opts)
	return u
}

// missing stands where the transport over HTTP would be.
type missing struct {
	mu   sync.Mutex
	opts Options
}

var _ Transport = (*missing)(nil)

func (u *missing) apply(opts []Option) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, o := range opts {
		o(&u.opts)
	}
}

func (u *missing) Init(opts ...Option) error {
	u.apply(opts)
	return nil
}

func (u *missing) Options() Options {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.opts
}

func (u *missing) err(doing, addr string) error {
	return fmt.Errorf("%s %q: %w: the default, http, is not in this release; calls between services need none, they go over gRPC", doing, addr, ErrNoTransport)
}

// Err says why this transport can never work.
func (u *missing) Err() error { return fmt.Errorf("use the default transport: %w", ErrNoTransport) }

func (u *missing) Dial(addr string, _ ...DialOption) (Client, error) {
	return nil, u.err("dial", addr)
}

func (u *missing) Listen(addr string, _ ...ListenOption) (Listener, error) {
	return nil, u.err("listen on", addr)
}

func (u *missing) String() string { return "http" }
