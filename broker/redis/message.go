package redis

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/logger"
)

// message is one entry of a stream that a subscription has taken.
type message struct {
	id      string
	data    string
	times   int // it was given, the next one included
	settled atomic.Bool
	again   *time.Timer // gives it again; guarded by the subscription's lock
}

// put takes an entry, unless this process has it already.
func (s *subscription) put(entry client.XMessage, times int) {
	data, _ := entry.Values[field].(string)
	m := &message{id: entry.ID, data: data, times: times}
	s.mu.Lock()
	_, twice := s.held[m.id]
	if !twice {
		s.held[m.id] = m
	}
	s.mu.Unlock()
	if !twice {
		s.queue(m)
	}
}

// queue puts a message into the lane. At the end of the subscription it is left to the
// other members of the queue.
func (s *subscription) queue(m *message) {
	if s.lane.Put(context.Background(), m) != nil {
		s.release(m)
	}
}

// release takes a message out of those that are held.
func (s *subscription) release(m *message) {
	s.mu.Lock()
	delete(s.held, m.id)
	s.mu.Unlock()
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

// handle gives a message to the handler.
func (s *subscription) handle(m *message) {
	if m.settled.Load() {
		return // it was acknowledged while it waited to be given again
	}
	if limit := s.c.terms.MaxDeliver; limit > 0 && m.times > limit {
		// Each time before, its process was lost, or nobody acknowledged it.
		s.bury(m, fmt.Errorf("it was given %d times, and nobody said what became of it", m.times-1))
		return
	}
	content := new(broker.Message)
	if err := s.c.codec.Unmarshal([]byte(m.data), content); err != nil {
		err = fmt.Errorf("decode the message: %w", err)
		s.c.handling.Failed(s.topic, &broker.Message{Body: []byte(m.data)}, err)
		s.bury(m, err)
		return
	}
	s.c.handling.Handle(s.handler, delivery.Delivery{
		Topic: s.topic, Message: content,
		Ack:  func() error { return s.settle(m) },
		Done: func(err error) { s.done(m, err) },
	}, s.opts.AutoAck)
}

// settle acknowledges a message.
func (s *subscription) settle(m *message) error {
	if m.settled.Swap(true) {
		return nil
	}
	defer s.release(m)
	if s.opts.Queue == "" {
		return nil
	}
	ctx, cancel := delivery.Publishing(broker.PublishOptions{})
	defer cancel()
	return s.c.explain(s.c.rdb.XAck(ctx, s.key, s.opts.Queue, m.id).Err())
}

// done decides what becomes of a message after its handler.
func (s *subscription) done(m *message, err error) {
	switch {
	case m.settled.Load():
	case err == nil:
		s.later(m, s.c.terms.AckWait) // unless somebody acknowledges it
	case s.c.terms.retry().Last(m.times):
		s.bury(m, err)
	default:
		s.later(m, s.c.terms.retry().Again(m.times))
	}
}

// later gives a message again after d, unless the subscription has ended by then.
func (s *subscription) later(m *message, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.times++
	m.again = time.AfterFunc(d, func() { s.queue(m) })
}

// cancelRetries ends the waits of messages that were to be given again.
func (s *subscription) cancelRetries() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.held {
		if m.again != nil {
			m.again.Stop()
		}
	}
}

// bury puts a message aside for good. One that cannot be put aside comes again.
func (s *subscription) bury(m *message, why error) {
	ctx, cancel := delivery.Publishing(broker.PublishOptions{})
	defer cancel()
	if err := s.c.add(ctx, deadPrefix+s.topic, []byte(m.data)); err != nil {
		logger.Errorf("Broker [redis] Cannot put a message aside yet: %s: %v", deadPrefix+s.topic, err)
		s.later(m, s.c.terms.RetryMaxWait)
		return
	}
	logger.Errorf("Broker [redis] Message is put aside: %s: %v", deadPrefix+s.topic, why)
	_ = s.settle(m) // or else it comes again, and is put aside again
}
