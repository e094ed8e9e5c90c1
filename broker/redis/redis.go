package redis

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec/json"
	"github.com/rollcall-go/micro/internal/delivery"
)

// redisBroker puts the contract on streams of Redis.
type redisBroker struct {
	mu   sync.Mutex // of what follows, and of Connect and Disconnect
	opts broker.Options

	conn atomic.Pointer[connection] // nil unless connected
}

var _ broker.Broker = (*redisBroker)(nil)

// NewBroker returns a broker that is not connected yet. Its address, the one of
// broker.Addrs, is host:port or redis://user:password@host:port/database, or rediss:// for
// TLS; without one it is redis://127.0.0.1:6379.
func NewBroker(opts ...broker.Option) broker.Broker {
	b := &redisBroker{opts: broker.Options{Codec: json.Marshaler{}}}
	b.apply(opts)
	return b
}

func (b *redisBroker) apply(opts []broker.Option) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range opts {
		o(&b.opts)
	}
	if b.opts.Codec == nil {
		b.opts.Codec = json.Marshaler{}
	}
}

// Init applies options. They reach the next Connect.
func (b *redisBroker) Init(opts ...broker.Option) error {
	b.apply(opts)
	if c := b.conn.Load(); c != nil {
		c.handling.Tell(b.Options().ErrorHandler)
	}
	_, err := clientOptions(b.Options())
	return err
}

func (b *redisBroker) Options() broker.Options {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opts
}

// Address returns the URL of the server, without user and password.
func (b *redisBroker) Address() string { return shown(address(b.Options())) }

func (b *redisBroker) String() string { return "redis" }

// Connect asks the server for an answer.
func (b *redisBroker) Connect() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn.Load() != nil {
		return nil
	}
	c, err := connect(b.opts)
	if err != nil {
		return err
	}
	b.conn.Store(c)
	return nil
}

// Disconnect ends the subscriptions and waits, for Options.StopGrace at most, until what
// they took is handled.
func (b *redisBroker) Disconnect() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.conn.Swap(nil)
	if c == nil {
		return nil
	}
	ctx, cancel := delivery.Stopping(b.opts)
	defer cancel()
	if err := c.end(ctx); err != nil {
		return fmt.Errorf("disconnect from redis: %w", err)
	}
	return nil
}

// Publish adds the message to the stream of its topic, and returns when the server has it.
func (b *redisBroker) Publish(topic string, m *broker.Message, opts ...broker.PublishOption) error {
	c, err := b.connected("publish to", topic)
	if err != nil {
		return err
	}
	var o broker.PublishOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := delivery.CheckPublish(topic, m, o); err != nil {
		return fmt.Errorf("publish to %q: %w", topic, err)
	}
	data, err := c.codec.Marshal(m)
	if err != nil {
		return fmt.Errorf("publish to %q: encode the message: %w", topic, err)
	}
	ctx, cancel := delivery.Publishing(o)
	defer cancel()
	if err := c.add(ctx, topic, data); err != nil {
		return fmt.Errorf("publish to %q: %w", topic, err)
	}
	return nil
}

// Subscribe calls h for each message of the topic.
func (b *redisBroker) Subscribe(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
	c, err := b.connected("subscribe to", topic)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, fmt.Errorf("subscribe to %q: the handler is nil", topic)
	}
	s, err := c.subscribe(topic, h, broker.NewSubscribeOptions(opts...))
	if err != nil {
		return nil, fmt.Errorf("subscribe to %q: %w", topic, err)
	}
	return s, nil
}

// connected returns the connection for an operation that is named in the error.
func (b *redisBroker) connected(what, topic string) (*connection, error) {
	c := b.conn.Load()
	switch {
	case c == nil:
		return nil, fmt.Errorf("%s %q: %w; call Connect first", what, topic, broker.ErrNotConnected)
	case topic == "":
		return nil, fmt.Errorf("%s: the topic is empty", strings.Fields(what)[0])
	}
	return c, nil
}
