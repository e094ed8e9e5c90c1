package nats

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	nats "github.com/nats-io/nats.go"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec/json"
	"github.com/rollcall-go/micro/internal/settings"
)

// ErrAway is returned, wrapped, by Publish and Subscribe while the connection is lost and
// being made again. It wraps broker.ErrNotConnected.
var ErrAway = fmt.Errorf("the server is away: %w", broker.ErrNotConnected)

// natsBroker puts the contract on connections of nats.go.
type natsBroker struct {
	mu   sync.Mutex // of what follows, and of Connect and Disconnect
	opts broker.Options

	conn atomic.Pointer[connection] // nil unless connected
}

var _ broker.Broker = (*natsBroker)(nil)

// NewBroker returns a broker that is not connected yet. Without broker.Addrs the server
// is at nats://127.0.0.1:4222.
func NewBroker(opts ...broker.Option) broker.Broker {
	n := &natsBroker{opts: broker.Options{Codec: json.Marshaler{}}}
	n.apply(opts)
	return n
}

func (n *natsBroker) apply(opts []broker.Option) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range opts {
		o(&n.opts)
	}
	if g, _ := settings.Of[given](n.opts.Context); g.client != nil {
		if len(n.opts.Addrs) == 0 {
			n.opts.Addrs = g.client.Servers
		}
		if len(n.opts.Addrs) == 0 && g.client.Url != "" {
			n.opts.Addrs = []string{g.client.Url}
		}
		n.opts.Secure = n.opts.Secure || g.client.Secure
		if n.opts.TLSConfig == nil {
			n.opts.TLSConfig = g.client.TLSConfig
		}
	}
	if n.opts.Codec == nil {
		n.opts.Codec = json.Marshaler{}
	}
}

// Init applies options. They reach the next Connect.
func (n *natsBroker) Init(opts ...broker.Option) error {
	n.apply(opts)
	if c := n.conn.Load(); c != nil {
		c.handling.Tell(n.Options().ErrorHandler)
	}
	return checkAddresses(addresses(n.Options().Addrs))
}

func (n *natsBroker) Options() broker.Options {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.opts
}

// Address returns the URL of the server that the broker is connected to or, without a
// connection, of the first that it would try, without a user or password in it.
func (n *natsBroker) Address() string {
	if c := n.conn.Load(); c != nil {
		if url := c.nc.ConnectedUrl(); url != "" {
			return shown(url)
		}
	}
	return shown(addresses(n.Options().Addrs)[0])
}

// Connect makes the connection. It takes two seconds at most for each address.
func (n *natsBroker) Connect() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.conn.Load(); c != nil {
		if !c.nc.IsClosed() {
			return nil
		}
		c.end()
	}
	c, err := connect(n.opts)
	if err != nil {
		return err
	}
	n.conn.Store(c)
	return nil
}

// Disconnect ends the subscriptions and waits, for ten seconds at most, until what was
// received is handled and what was published is sent. Its error is that this was not so
// in time.
func (n *natsBroker) Disconnect() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.conn.Swap(nil)
	if c == nil {
		return nil
	}
	return c.end()
}

// connected returns the connection for an operation that is named in the error.
func (n *natsBroker) connected(what, topic string) (*connection, error) {
	c := n.conn.Load()
	if c == nil {
		return nil, fmt.Errorf("%s %q: %w; call Connect first", what, topic, broker.ErrNotConnected)
	}
	return c, nil
}

// Publish sends the message. With JetStream, or if it is broker.Confirmed, it waits until
// the server has the message, for as long as the context says, or five seconds; otherwise
// it does not wait.
func (n *natsBroker) Publish(topic string, m *broker.Message, opts ...broker.PublishOption) error {
	c, err := n.connected("publish to", topic)
	if err != nil {
		return err
	}
	if m == nil {
		return fmt.Errorf("publish to %q: the message is nil", topic)
	}
	var o broker.PublishOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := settings.Ended(o.Context); err != nil {
		return fmt.Errorf("publish to %q: %w", topic, err)
	}
	data, err := c.codec.Marshal(m)
	if err != nil {
		return fmt.Errorf("publish to %q: encode the message: %w", topic, err)
	}
	switch {
	case c.js != nil:
		err = c.store(o.Context, topic, data)
	case o.Confirmed:
		if err = c.nc.Publish(topic, data); err == nil {
			err = c.flush(o.Context)
		}
	default:
		err = c.nc.Publish(topic, data)
	}
	if err != nil {
		return fmt.Errorf("publish to %q: %w", topic, c.explain(err))
	}
	return nil
}

// Subscribe calls h for each message of the topic, which may have the wildcards of
// subjects: * stands for one word between dots, > for all words that follow.
func (n *natsBroker) Subscribe(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
	c, err := n.connected("subscribe to", topic)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, fmt.Errorf("subscribe to %q: the handler is nil", topic)
	}
	o := broker.NewSubscribeOptions(opts...)
	if err := settings.Ended(o.Context); err != nil {
		return nil, fmt.Errorf("subscribe to %q: %w", topic, err)
	}
	var s broker.Subscriber
	if c.js != nil {
		s, err = c.consume(topic, h, o)
	} else {
		s, err = c.listen(topic, h, o)
	}
	if err != nil {
		return nil, fmt.Errorf("subscribe to %q: %w", topic, c.explain(err))
	}
	return s, nil
}

func (n *natsBroker) String() string { return "nats" }

// explain says what an error of nats.go means for the caller.
func (c *connection) explain(err error) error {
	switch {
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrDisconnected), errors.Is(err, nats.ErrConnectionReconnecting):
		return fmt.Errorf("%w: %s does not answer, and the connection is being made again", ErrAway, shownAll(c.urls))
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining):
		return fmt.Errorf("%w: %w", broker.ErrNotConnected, err)
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: the server takes %d bytes with all that is around a message", broker.ErrTooLarge, c.nc.MaxPayload())
	}
	return err
}
