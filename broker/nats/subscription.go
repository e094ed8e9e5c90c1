package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	nats "github.com/nats-io/nats.go"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/delivery"
)

// subscription is one subscription, of either kind.
type subscription struct {
	c     *connection
	topic string
	opts  broker.SubscribeOptions

	sub      *nats.Subscription        // without JetStream
	lane     *delivery.Lane[*nats.Msg] // the workers, if there are several
	consumer *consumer                 // with JetStream
	ending   sync.Once
	over     chan struct{} // closed when nats.go has given the last message, if it gives them to the handler itself
}

var (
	_ broker.Subscriber = (*subscription)(nil)
	_ broker.Finisher   = (*subscription)(nil)
)

func (s *subscription) Options() broker.SubscribeOptions { return s.opts }
func (s *subscription) Topic() string                    { return s.topic }

// Unsubscribe ends the subscription. What was received is still handled.
func (s *subscription) Unsubscribe() error {
	s.stop()
	return nil
}

// stop makes the subscription take no more. It does not wait.
func (s *subscription) stop() {
	s.ending.Do(func() {
		if s.consumer != nil {
			s.consumer.stop()
			return
		}
		// The only failure is that the connection is closed, and the subscription
		// with it.
		_ = s.sub.Drain()
	})
}

// finish waits until what was received is handled.
func (s *subscription) finish(ctx context.Context) error {
	switch {
	case s.consumer != nil:
		return s.consumer.finish(ctx)
	case s.lane != nil:
		_, err := delivery.Finish(ctx, s.topic, s.lane)
		return err
	}
	return nil
}

// look makes the subscription see whether the server still knows of it, which it may not
// after it was away.
func (s *subscription) look() {
	if s.consumer != nil {
		s.consumer.look()
	}
}

// add puts the subscription among those of the connection, and takes out those that are
// done. It returns an error if the connection has ended.
func (c *connection) add(s *subscription) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return broker.ErrNotConnected
	}
	for old := range c.subs {
		if old.isDone() {
			delete(c.subs, old)
		}
	}
	c.subs[s] = struct{}{}
	return nil
}

// leave notes that nats.go has given the last message to a subscription.
func (c *connection) leave(s *subscription) {
	if s.lane != nil {
		s.lane.Close()
		return
	}
	close(s.over)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.subs, s)
}

// Done is closed when all that was received has been handled since the end.
func (s *subscription) Done() <-chan struct{} {
	switch {
	case s.consumer != nil:
		return s.consumer.lane.Done()
	case s.lane != nil:
		return s.lane.Done()
	default:
		return s.over
	}
}

// isDone reports whether all that was received has been handled since the end.
func (s *subscription) isDone() bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

// listen subscribes to a subject, and returns when the server knows of it.
func (c *connection) listen(topic string, h broker.Handler, o broker.SubscribeOptions) (broker.Subscriber, error) {
	s := &subscription{c: c, topic: topic, opts: o, over: make(chan struct{})}
	take := func(m *nats.Msg) { c.handle(h, m) }
	if o.Concurrency > 1 {
		s.lane = delivery.NewLane(delivery.Limits{Workers: o.Concurrency, Messages: 1, Bytes: c.pending.bytes}, take, func(m *nats.Msg) int { return len(m.Data) })
		take = func(m *nats.Msg) {
			// It waits for a worker. The lane is closed after this has ended.
			_ = s.lane.Put(context.Background(), m)
		}
	}
	var err error
	if o.Queue != "" {
		s.sub, err = c.nc.QueueSubscribe(topic, o.Queue, take)
	} else {
		s.sub, err = c.nc.Subscribe(topic, take)
	}
	if err != nil {
		return nil, err
	}
	s.sub.SetClosedHandler(func(string) { c.leave(s) })
	if err := errors.Join(c.add(s), s.sub.SetPendingLimits(c.pending.messages, c.pending.bytes), c.known(topic)); err != nil {
		_ = s.sub.Unsubscribe() // the error that counts is there already
		return nil, err
	}
	return s, nil
}

// known waits until the server has taken a subscription, and returns its error if it
// refuses it.
func (c *connection) known(topic string) error {
	if err := c.flush(noContext); err != nil {
		return err
	}
	if err := c.nc.LastError(); errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), fmt.Sprintf("%q", topic)) {
		return err
	}
	return nil
}

// handle gives a message to a handler.
func (c *connection) handle(h broker.Handler, m *nats.Msg) {
	message := new(broker.Message)
	if err := c.codec.Unmarshal(m.Data, message); err != nil {
		c.handling.Failed(m.Subject, &broker.Message{Body: m.Data}, fmt.Errorf("decode the message: %w", err))
		return
	}
	c.handling.Handle(h, delivery.Delivery{Topic: m.Subject, Message: message}, false)
}
