package delivery

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/defaults"
)

// Config says how the messages of one subscription are handled.
type Config struct {
	Handling *Handling
	Handler  broker.Handler
	// AutoAck acknowledges what is handled without error.
	AutoAck bool
	// Limits of the queue. Zeros mean the defaults: one worker, so that messages are
	// handled in order, and defaults.Subscription….
	Limits Limits
}

// Queue is the queue of one subscription: a Lane whose workers call the handler.
type Queue struct{ *Lane[Delivery] }

// NewQueue returns an empty queue. Close ends it.
func NewQueue(c Config) *Queue {
	l := c.Limits
	l.Workers = max(l.Workers, 1)
	if l.Messages <= 0 {
		l.Messages = defaults.SubscriptionMessages
	}
	if l.Bytes <= 0 {
		l.Bytes = defaults.SubscriptionBytes
	}
	return &Queue{NewLane(l,
		func(d Delivery) { c.Handling.Handle(c.Handler, d, c.AutoAck) },
		func(d Delivery) int { return Size(d.Message) },
	)}
}

// Set is the queues of one broker, also those that are closed and not done yet. The zero
// value is empty; it is safe for concurrent use.
type Set struct {
	mu     sync.Mutex
	queues map[*Queue]struct{}
	sweep  int // how many queues there are when those that are done are taken out
}

// Open returns a new queue of the set.
func (s *Set) Open(c Config) *Queue {
	q := NewQueue(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queues == nil {
		s.queues = map[*Queue]struct{}{}
	}
	if len(s.queues) >= s.sweep {
		maps.DeleteFunc(s.queues, func(old *Queue, _ struct{}) bool { return old.isDone() })
		s.sweep = 2*len(s.queues) + 16 // so that many subscriptions do not look at all others each
	}
	s.queues[q] = struct{}{}
	return q
}

func (q *Queue) isDone() bool {
	select {
	case <-q.Done():
		return true
	default:
		return false
	}
}

// Drain closes all queues and waits until what they took is handled. When ctx is done
// before, what still waits is taken out, and the error says how much that was and how
// many handlers have not returned.
func (s *Set) Drain(ctx context.Context) error {
	s.mu.Lock()
	queues := s.queues
	s.queues = nil
	s.mu.Unlock()
	for q := range queues {
		q.Close()
	}
	waited, left := 0, 0
	for q := range queues {
		select {
		case <-q.Done():
			continue
		case <-ctx.Done():
		}
		for _, d := range q.Discard() {
			waited++
			if d.Done != nil {
				d.Done(ctx.Err())
			}
		}
		_, running := q.Load()
		left += running
	}
	if waited+left > 0 {
		return fmt.Errorf("finish what was taken: %d messages are not handled, %d handlers have not returned: %w", waited, left, ctx.Err())
	}
	return nil
}
