package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/broker"
)

// publisher is a broker that a client publishes by. It connects it before the first
// message, and again where somebody, such as a server that stopped, has disconnected it.
type publisher struct {
	broker    broker.Broker
	connected atomic.Bool // as far as is known

	mu         sync.Mutex
	connecting *connecting // nil if nobody connects
}

// connecting is an attempt to connect, for all who wait for it.
type connecting struct {
	done chan struct{}
	err  error // once done is closed
}

var errNoBroker = stderrors.New("the client has no broker; give it one with client.Broker")

// newPublisher returns a publisher by b, old if that is one.
func newPublisher(b broker.Broker, old *publisher) *publisher {
	if old != nil && sameBroker(old.broker, b) {
		return old
	}
	p := &publisher{broker: b}
	c, ok := b.(broker.Connectionless)
	p.connected.Store(ok && c.PublishesUnconnected())
	return p
}

// sameBroker reports whether a and b are one broker. Of a kind that cannot be compared, a
// program is taken to use one.
func sameBroker(a, b broker.Broker) bool {
	if a == nil || b == nil {
		return a == b
	}
	t := reflect.TypeOf(a)
	return t == reflect.TypeOf(b) && (!t.Comparable() || a == b)
}

// publish publishes the message, connecting first if need be.
func (p *publisher) publish(ctx context.Context, topic string, m *broker.Message) error {
	if p.broker == nil {
		return errNoBroker
	}
	for again := false; ; again = true {
		if err := p.connect(ctx); err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		err := p.broker.Publish(topic, m, broker.PublishContext(ctx))
		if err == nil {
			return nil
		}
		if again || !stderrors.Is(err, broker.ErrNotConnected) {
			return err
		}
		p.connected.Store(false)
	}
}

// connect returns when the broker is connected, or ctx is over: then the attempt goes on
// for those that come later, for as long as the broker takes.
func (p *publisher) connect(ctx context.Context) error {
	if p.connected.Load() {
		return ctx.Err()
	}
	p.mu.Lock()
	c := p.connecting
	if c == nil {
		c = &connecting{done: make(chan struct{})}
		p.connecting = c
		go p.attempt(c) // the broker ends it
	}
	p.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *publisher) attempt(c *connecting) {
	c.err = p.broker.Connect()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.connected.Store(c.err == nil)
	p.connecting = nil
	close(c.done)
}
