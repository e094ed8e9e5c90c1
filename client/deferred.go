package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/defaults"
)

var errNoImplementation = errors.New(`no client is linked in; add the import _ "github.com/rollcall-go/micro/client/grpc"`)

// newClient makes a client through the hook. While the hook is empty it returns
// one that looks there again at each use.
func newClient(opts ...Option) Client {
	if construct, ok := defaults.Load[func(...Option) Client](&defaults.Client); ok {
		return construct(opts...)
	}
	return &deferred{opts: opts}
}

// deferred is a client that makes the real one on first use.
type deferred struct {
	opts []Option

	mu   sync.Mutex // guards the making of made
	made atomic.Pointer[Client]
}

var (
	_ Client    = (*deferred)(nil)
	_ io.Closer = (*deferred)(nil)
)

// client returns the real client, false while no implementation is linked in.
func (d *deferred) client() (Client, bool) {
	if c := d.made.Load(); c != nil {
		return *c, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.made.Load(); c != nil {
		return *c, true
	}
	construct, ok := defaults.Load[func(...Option) Client](&defaults.Client)
	if !ok {
		return nil, false
	}
	c := construct(d.opts...)
	d.made.Store(&c)
	return c, true
}

// Implementation returns the real client, or d itself while none is linked in.
func (d *deferred) Implementation() Client {
	if c, ok := d.client(); ok {
		return c
	}
	return d
}

func (d *deferred) Init(opts ...Option) error {
	c, ok := d.client()
	if !ok {
		return fmt.Errorf("set up the client: %w", errNoImplementation)
	}
	return c.Init(opts...)
}

func (d *deferred) Options() Options {
	c, ok := d.client()
	if !ok {
		return NewOptions(d.opts...)
	}
	return c.Options()
}

func (d *deferred) NewMessage(topic string, msg any, opts ...MessageOption) Message {
	c, ok := d.client()
	if !ok {
		var o MessageOptions
		for _, opt := range opts {
			opt(&o)
		}
		return missing{service: topic, body: msg, contentType: o.ContentType}
	}
	return c.NewMessage(topic, msg, opts...)
}

func (d *deferred) NewRequest(service, endpoint string, req any, opts ...RequestOption) Request {
	c, ok := d.client()
	if !ok {
		var o RequestOptions
		for _, opt := range opts {
			opt(&o)
		}
		return missing{service: service, endpoint: endpoint, body: req, contentType: o.ContentType, stream: o.Stream}
	}
	return c.NewRequest(service, endpoint, req, opts...)
}

func (d *deferred) Call(ctx context.Context, req Request, rsp any, opts ...CallOption) error {
	c, ok := d.client()
	if !ok {
		return unlinked("call", req)
	}
	return c.Call(ctx, req, rsp, opts...)
}

func (d *deferred) Stream(ctx context.Context, req Request, opts ...CallOption) (Stream, error) {
	c, ok := d.client()
	if !ok {
		return nil, unlinked("open a stream to", req)
	}
	return c.Stream(ctx, req, opts...)
}

func (d *deferred) Publish(ctx context.Context, msg Message, opts ...PublishOption) error {
	c, ok := d.client()
	if !ok {
		return fmt.Errorf("publish: %w", errNoImplementation)
	}
	return c.Publish(ctx, msg, opts...)
}

// Close closes the client, if it was made and can be closed.
func (d *deferred) Close() error {
	if c := d.made.Load(); c != nil {
		if closer, ok := (*c).(io.Closer); ok {
			return closer.Close()
		}
	}
	return nil
}

func (d *deferred) String() string {
	c, ok := d.client()
	if !ok {
		return "none"
	}
	return c.String()
}
