package server

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/registry"
)

var errNoImplementation = errors.New(`no server is linked in; add the import _ "github.com/rollcall-go/micro/server/grpc"`)

// newServer makes a server through the hook. While the hook is empty it returns
// one that looks there again at each use.
func newServer(opts ...Option) Server {
	if construct, ok := defaults.Load[func(...Option) Server](&defaults.Server); ok {
		return construct(opts...)
	}
	return &deferred{opts: opts}
}

// deferred is a server that makes the real one on first use.
type deferred struct {
	opts []Option

	mu   sync.Mutex // guards the making of made
	made atomic.Pointer[Server]
}

var _ Server = (*deferred)(nil)

// server returns the real server, false while no implementation is linked in.
func (d *deferred) server() (Server, bool) {
	if s := d.made.Load(); s != nil {
		return *s, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.made.Load(); s != nil {
		return *s, true
	}
	construct, ok := defaults.Load[func(...Option) Server](&defaults.Server)
	if !ok {
		return nil, false
	}
	s := construct(d.opts...)
	d.made.Store(&s)
	return s, true
}

// Implementation returns the real server, or d itself while none is linked in.
func (d *deferred) Implementation() Server {
	if s, ok := d.server(); ok {
		return s
	}
	return d
}

func (d *deferred) Init(opts ...Option) error {
	s, ok := d.server()
	if !ok {
		return fmt.Errorf("set up the server: %w", errNoImplementation)
	}
	return s.Init(opts...)
}

func (d *deferred) Options() Options {
	s, ok := d.server()
	if !ok {
		return NewOptions(d.opts...)
	}
	return s.Options()
}

func (d *deferred) Handle(h Handler) error {
	s, ok := d.server()
	if !ok {
		return fmt.Errorf("add a handler: %w", errNoImplementation)
	}
	return s.Handle(h)
}

func (d *deferred) NewHandler(h any, opts ...HandlerOption) Handler {
	s, ok := d.server()
	if !ok {
		u := missingHandler{value: h}
		for _, o := range opts {
			o(&u.opts)
		}
		return u
	}
	return s.NewHandler(h, opts...)
}

func (d *deferred) NewSubscriber(topic string, h any, opts ...SubscriberOption) Subscriber {
	s, ok := d.server()
	if !ok {
		return missingSubscriber{topic: topic, value: h, opts: NewSubscriberOptions(opts...)}
	}
	return s.NewSubscriber(topic, h, opts...)
}

func (d *deferred) Subscribe(sub Subscriber) error {
	s, ok := d.server()
	if !ok {
		return fmt.Errorf("add a subscriber: %w", errNoImplementation)
	}
	return s.Subscribe(sub)
}

func (d *deferred) Start() error {
	s, ok := d.server()
	if !ok {
		return fmt.Errorf("start the server: %w", errNoImplementation)
	}
	return s.Start()
}

func (d *deferred) Stop() error {
	s, ok := d.server()
	if !ok {
		return fmt.Errorf("stop the server: %w", errNoImplementation)
	}
	return s.Stop()
}

func (d *deferred) String() string {
	s, ok := d.server()
	if !ok {
		return "none"
	}
	return s.String()
}

// missingHandler is the handler of a server that is not linked in. It shows what it
// was made of and has no endpoints; Handle returns errNoImplementation.
type missingHandler struct {
	value any
	opts  HandlerOptions
}

var _ Handler = missingHandler{}

func (u missingHandler) Name() string {
	t := reflect.TypeOf(u.value)
	if t == nil {
		return ""
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

func (u missingHandler) Handler() any                    { return u.value }
func (u missingHandler) Endpoints() []*registry.Endpoint { return nil }
func (u missingHandler) Options() HandlerOptions         { return u.opts }

// missingSubscriber is the same for a subscriber.
type missingSubscriber struct {
	topic string
	value any
	opts  SubscriberOptions
}

var _ Subscriber = missingSubscriber{}

func (u missingSubscriber) Topic() string                   { return u.topic }
func (u missingSubscriber) Subscriber() any                 { return u.value }
func (u missingSubscriber) Endpoints() []*registry.Endpoint { return nil }
func (u missingSubscriber) Options() SubscriberOptions      { return u.opts }
