// Package http is the default broker: it needs no server. Each subscription is a node
// of the service micro.http.broker in the registry, with an address to which publishers
// post each message of its topic. It speaks go-micro v2's protocol, in both directions.
//
//	b := http.NewBroker(broker.Registry(etcd.NewRegistry()))
//	err := b.Connect()
//	...
//	_, err = b.Subscribe("orders", func(e broker.Event) error { ... }, broker.Queue("billing"))
//	err = b.Publish("orders", &broker.Message{Body: order})
//
// A message is delivered at most once: Publish puts it into a queue of the publisher's
// for each subscription, from which it is posted, and again for half a minute while it is
// sure not to have arrived. A subscription that ends before, or a process that dies with
// what it has taken, loses it. With broker.Confirmed, Publish returns when all
// subscriptions have taken it. docs/EVENTS.md has the whole of it.
package http

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec/json"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/registry"
)

var _ = defaults.Broker.Set(NewBroker)

// httpBroker is both sides: receiver takes what is posted to the subscriptions of this
// process, publisher posts.
type httpBroker struct {
	mu        sync.Mutex // guards what follows
	opts      broker.Options
	receiver  *receiver  // nil unless connected
	publisher *publisher // nil until something is published
	ended     bool       // disconnected, and not connected again
	changing  sync.Mutex // held by Connect and Disconnect
}

// NewBroker returns a broker that finds others in the registry of its options, or in
// registry.DefaultRegistry. It does nothing before Connect or Publish; Disconnect ends
// what either began.
func NewBroker(opts ...broker.Option) broker.Broker {
	b := &httpBroker{opts: broker.Options{Codec: json.Marshaler{}, Registry: registry.DefaultRegistry}}
	for _, o := range opts {
		o(&b.opts)
	}
	b.complete()
	return b
}

// complete fills in what options may have emptied.
func (b *httpBroker) complete() {
	if b.opts.Codec == nil {
		b.opts.Codec = json.Marshaler{}
	}
	if b.opts.Registry == nil {
		b.opts.Registry = registry.DefaultRegistry
	}
}

// Init applies options. While the broker is in use, those that would need another
// listener, registry or certificate are refused.
func (b *httpBroker) Init(opts ...broker.Option) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.opts
	for _, o := range opts {
		o(&b.opts)
	}
	b.complete()
	inUse := b.receiver != nil || b.publisher != nil
	now := b.opts
	if inUse && (now.Registry != before.Registry || !slices.Equal(now.Addrs, before.Addrs) || now.Secure != before.Secure || now.TLSConfig != before.TLSConfig) {
		b.opts = before
		return errors.New("cannot init while connected: call Disconnect first, or give the options before Connect")
	}
	if b.receiver != nil {
		b.receiver.handling.Tell(now.ErrorHandler)
	}
	if b.publisher != nil {
		b.publisher.handling.Tell(now.ErrorHandler)
	}
	return nil
}

func (b *httpBroker) Options() broker.Options {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opts
}

// Address returns the address of the listener, host:port; before Connect, the one that
// is to be listened on.
func (b *httpBroker) Address() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.receiver != nil {
		return b.receiver.listener.Addr().String()
	}
	return listenOn(b.opts)
}

func listenOn(o broker.Options) string {
	if len(o.Addrs) > 0 {
		return cmp.Or(o.Addrs[0], broker.DefaultAddress)
	}
	return broker.DefaultAddress
}

func (b *httpBroker) Connect() error {
	b.changing.Lock()
	defer b.changing.Unlock()
	b.mu.Lock()
	opts, connected := b.opts, b.receiver != nil
	b.mu.Unlock()
	if connected {
		return nil
	}
	r, err := newReceiver(opts)
	if err != nil {
		return fmt.Errorf("connect the http broker: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receiver, b.ended = r, false
	return nil
}

// Disconnect ends the subscriptions, so that publishers hear of it, handles what they
// have taken, and sends what was published and waits.
func (b *httpBroker) Disconnect() error {
	b.changing.Lock()
	defer b.changing.Unlock()
	b.mu.Lock()
	opts, r, ended := b.opts, b.receiver, b.ended
	b.mu.Unlock()
	if ended || r == nil && !b.publishes() {
		return nil
	}
	ctx, cancel := delivery.Stopping(opts)
	defer cancel()
	var errs []error
	if r != nil {
		errs = append(errs, r.close(ctx))
	}
	b.mu.Lock()
	// What handlers published is taken up to here.
	p := b.publisher
	b.receiver, b.publisher, b.ended = nil, nil, true
	b.mu.Unlock()
	if p != nil {
		errs = append(errs, p.close(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("disconnect the http broker: %w", err)
	}
	return nil
}

func (b *httpBroker) publishes() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.publisher != nil
}

// publishing returns the publisher, which it makes if there is none.
func (b *httpBroker) publishing() (*publisher, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return nil, fmt.Errorf("%w: the broker was disconnected; call Connect", broker.ErrNotConnected)
	}
	if b.publisher == nil {
		b.publisher = newPublisher(b.opts)
	}
	return b.publisher, nil
}

func (b *httpBroker) Publish(topic string, m *broker.Message, opts ...broker.PublishOption) error {
	var o broker.PublishOptions
	for _, opt := range opts {
		opt(&o)
	}
	err := delivery.CheckPublish(topic, m, o)
	var p *publisher
	if err == nil {
		p, err = b.publishing()
	}
	if err == nil {
		var cancel context.CancelFunc
		o.Context, cancel = delivery.Publishing(o)
		defer cancel()
		err = p.publish(topic, m, o)
	}
	if err != nil {
		return fmt.Errorf("publish to %q: %w", topic, err)
	}
	return nil
}

func (b *httpBroker) Subscribe(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
	b.mu.Lock()
	r, p := b.receiver, b.publisher
	b.mu.Unlock()
	err := fmt.Errorf("%w: call Connect first", broker.ErrNotConnected)
	if r != nil {
		var s *subscriber
		if s, err = r.subscribe(topic, h, broker.NewSubscribeOptions(opts...)); err == nil {
			s.await(p)
			return s, nil
		}
	}
	return nil, fmt.Errorf("subscribe to %q: %w", topic, err)
}

// PublishesUnconnected returns true: Connect opens a listener, which publishers do
// without.
func (b *httpBroker) PublishesUnconnected() bool { return true }

func (b *httpBroker) String() string { return "http" }
