// Package memory is a broker within this process: for tests, and for parts of one
// program that are to know nothing of each other.
//
// Each subscription has a queue of its own and handles its messages one after another,
// in the order of the publications, unless broker.Concurrency says otherwise. Publish
// returns when the message is in all queues; it waits for one that is full until its
// context ends, 5 s without a deadline. Nothing is repeated, and nothing outlives the
// process.
package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/delivery"
)

// address is what Address returns: there is nowhere to go.
const address = "memory"

type memoryBroker struct {
	mu        sync.Mutex // guards what follows
	opts      broker.Options
	connected bool
	topics    map[string]*topic
	queues    *delivery.Set // of this connection
	handling  *delivery.Handling
}

// topic is the subscriptions to one topic.
type topic struct {
	all    []*subscriber            // that get every message
	queues map[string][]*subscriber // of which one does
	turn   uint64                   // whose one it is
}

// NewBroker returns a broker that knows nobody else's topics. It does nothing before
// Connect.
func NewBroker(opts ...broker.Option) broker.Broker {
	b := &memoryBroker{opts: broker.Options{}, topics: map[string]*topic{}}
	_ = b.Init(opts...) // nothing in it can fail
	return b
}

func (b *memoryBroker) Init(opts ...broker.Option) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range opts {
		o(&b.opts)
	}
	if b.handling != nil {
		b.handling.Tell(b.opts.ErrorHandler)
	}
	return nil
}

func (b *memoryBroker) Options() broker.Options {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opts
}

func (b *memoryBroker) Address() string { return address }

func (b *memoryBroker) Connect() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.connected {
		b.connected = true
		b.queues, b.handling = &delivery.Set{}, delivery.NewHandling("memory", b.opts.ErrorHandler)
	}
	return nil
}

func (b *memoryBroker) Disconnect() error {
	b.mu.Lock()
	connected, queues, opts := b.connected, b.queues, b.opts
	b.connected = false
	clear(b.topics)
	b.mu.Unlock()
	if !connected {
		return nil
	}
	ctx, cancel := delivery.Stopping(opts)
	defer cancel()
	return queues.Drain(ctx)
}

func (b *memoryBroker) Publish(topic string, m *broker.Message, opts ...broker.PublishOption) error {
	var o broker.PublishOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := delivery.CheckPublish(topic, m, o); err != nil {
		return fmt.Errorf("publish to %q: %w", topic, err)
	}
	all, queues, err := b.subscribers(topic)
	if err != nil {
		return fmt.Errorf("publish to %q: %w", topic, err)
	}
	if o.Confirmed && len(all)+len(queues) == 0 {
		return fmt.Errorf("publish to %q: %w", topic, broker.ErrNoSubscribers)
	}
	ctx, cancel := delivery.Publishing(o)
	defer cancel()
	// Those who have room get the message before somebody is waited for.
	var full [][]*subscriber // of each of which one is to have it
	for _, s := range all {
		if !s.queue.TryPut(s.delivery(m)) {
			full = append(full, []*subscriber{s})
		}
	}
	for _, members := range queues {
		if !slices.ContainsFunc(members, func(s *subscriber) bool { return s.queue.TryPut(s.delivery(m)) }) {
			full = append(full, members)
		}
	}
	var errs []error
	for _, members := range full {
		if err := b.wait(ctx, members, m); err != nil {
			errs = append(errs, fmt.Errorf("publish to %q: %w", topic, err))
		}
	}
	return errors.Join(errs...)
}

// wait puts the message into the queue of one of the members, waiting for room until ctx
// is done. Members that ended meanwhile are none, unless all ended with the broker.
func (b *memoryBroker) wait(ctx context.Context, members []*subscriber, m *broker.Message) (err error) {
	for _, s := range members {
		switch e := s.queue.Put(ctx, s.delivery(m)); {
		case e == nil:
			return nil
		case !errors.Is(e, broker.ErrNotConnected):
			err = e // and perhaps another one has room
		}
	}
	if err == nil && !b.isConnected() {
		return broker.ErrNotConnected
	}
	return err
}

func (b *memoryBroker) isConnected() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connected
}

// subscribers returns who gets the next message of a topic: all of the first, and one of
// each of the others, of whom the first is to be asked first.
func (b *memoryBroker) subscribers(name string) (all []*subscriber, queues [][]*subscriber, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.connected {
		return nil, nil, broker.ErrNotConnected
	}
	t := b.topics[name]
	if t == nil {
		return nil, nil, nil
	}
	t.turn++
	for _, members := range t.queues {
		first := int(t.turn % uint64(len(members)))
		queues = append(queues, slices.Concat(members[first:], members[:first]))
	}
	return slices.Clone(t.all), queues, nil
}

func (b *memoryBroker) Subscribe(name string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
	o := broker.NewSubscribeOptions(opts...)
	if err := delivery.CheckSubscribe(name, h); err != nil {
		return nil, fmt.Errorf("subscribe to %q: %w", name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.connected {
		return nil, fmt.Errorf("subscribe to %q: %w: call Connect first", name, broker.ErrNotConnected)
	}
	s := &subscriber{broker: b, topic: name, opts: o}
	s.queue = b.queues.Open(delivery.Config{
		Handling: b.handling, Handler: h, AutoAck: o.AutoAck, Limits: delivery.Limits{Workers: o.Concurrency},
	})
	t := b.topics[name]
	if t == nil {
		t = &topic{queues: map[string][]*subscriber{}}
		b.topics[name] = t
	}
	if o.Queue == "" {
		t.all = append(t.all, s)
	} else {
		t.queues[o.Queue] = append(t.queues[o.Queue], s)
	}
	return s, nil
}

func (b *memoryBroker) String() string { return "memory" }

// remove takes a subscription out.
func (b *memoryBroker) remove(s *subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.topics[s.topic]
	if t == nil {
		return
	}
	is := func(other *subscriber) bool { return other == s }
	t.all = slices.DeleteFunc(t.all, is)
	if members := slices.DeleteFunc(t.queues[s.opts.Queue], is); len(members) > 0 {
		t.queues[s.opts.Queue] = members
	} else {
		delete(t.queues, s.opts.Queue)
	}
	if len(t.all)+len(t.queues) == 0 {
		delete(b.topics, s.topic)
	}
}

// subscriber is one subscription.
type subscriber struct {
	broker *memoryBroker
	topic  string
	opts   broker.SubscribeOptions
	queue  *delivery.Queue
}

func (s *subscriber) Options() broker.SubscribeOptions { return s.opts }
func (s *subscriber) Topic() string                    { return s.topic }

func (s *subscriber) Unsubscribe() error {
	s.broker.remove(s)
	s.queue.Close()
	return nil
}

// Done is closed when the subscription has ended and all that it took is handled.
func (s *subscriber) Done() <-chan struct{} { return s.queue.Done() }

func (s *subscriber) delivery(m *broker.Message) delivery.Delivery {
	return delivery.Delivery{Topic: s.topic, Message: delivery.Copy(m)}
}
