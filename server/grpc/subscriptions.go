package grpc

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/logger"
)

// subscriptions keeps the subscribers of a running server subscribed, and tries for as
// long as that takes: a broker that is away keeps the server from nothing but its
// messages.
//
// Its goroutine, run, owns what is held of the broker. It begins with the first
// subscriber. leave and end make it return; a broker that does not answer may hold it
// up for longer, and it ends what came of that by itself.
type subscriptions struct {
	broker broker.Broker
	grace  time.Duration // that the broker takes to disconnect, at most
	calls  *atomic.Pointer[calls]

	ctx context.Context // of the functions; done once the stop waits for them no longer
	cut context.CancelCauseFunc

	asked  chan struct{} // holds a token if a subscriber was added
	tried  chan struct{} // closed when everything was attempted once
	leaveC chan struct{} // closed when the stop begins
	left   chan struct{} // closed when no more messages are taken and all that were are handled
	endC   chan struct{} // closed when the broker is needed no longer
	done   chan struct{} // closed when it was let go

	free   <-chan struct{} // closed when the broker may be connected; nil if it may at once
	flight inFlight        // messages

	mu      sync.Mutex
	began   bool          // run is there
	waiting []*subscriber // not subscribed yet
}

func newSubscriptions(b broker.Broker, c *atomic.Pointer[calls], subs []*subscriber) *subscriptions {
	s := &subscriptions{
		broker: b, calls: c, asked: make(chan struct{}, 1), tried: make(chan struct{}),
		leaveC: make(chan struct{}), left: make(chan struct{}), endC: make(chan struct{}), done: make(chan struct{}),
	}
	if b != nil {
		s.grace = cmp.Or(max(b.Options().StopGrace, 0), defaults.StopGrace)
	}
	// The lifetime of the server, ended by end.
	s.ctx, s.cut = context.WithCancelCause(context.Background())
	s.free = brokers.use(b)
	for _, sub := range subs {
		s.add(sub)
	}
	return s
}

// add has one more subscriber subscribed. The caller sees to it that leave is not
// called meanwhile.
func (s *subscriptions) add(sub *subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, sub)
	if !s.began {
		s.began = true
		go s.run()
		return
	}
	select {
	case s.asked <- struct{}{}:
	default:
	}
}

// awaitFirst waits until everything was attempted once, not longer than
// defaults.SubscribeWait: who finds the server registered may publish.
func (s *subscriptions) awaitFirst(ctx context.Context) {
	s.mu.Lock()
	began := s.began
	s.mu.Unlock()
	if !began {
		return
	}
	timer := time.NewTimer(defaults.SubscribeWait)
	defer timer.Stop()
	select {
	case <-s.tried:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// run subscribes, unsubscribes at the end, and lets the broker go.
func (s *subscriptions) run() {
	defer close(s.done)
	var held []broker.Subscriber
	told, connected, retry := "", false, backoff.Backoff{Base: defaults.BrokerBaseDelay, Max: defaults.BrokerMaxDelay}
	for failures, first := 0, true; s.usable(); first = false {
		more, err := s.attempt(&connected)
		held = append(held, more...)
		if first {
			close(s.tried)
		}
		wait := time.Duration(-1)
		if err == nil {
			failures, told = 0, ""
		} else {
			if text := err.Error(); text != told {
				told = text
				logger.Warnf("Broker [%s] Brings no messages yet; trying again: %v", s.broker, err)
			}
			wait = retry.Next(failures)
			failures++
		}
		if !s.pause(wait) {
			break
		}
	}
	s.unsubscribe(held)
	s.flight.await(s.ctx)
	close(s.left)
	<-s.endC
	s.letGo(connected)
}

// usable waits until the broker may be connected. It returns false when the server stops.
func (s *subscriptions) usable() bool {
	if s.free == nil {
		return true
	}
	select {
	case <-s.leaveC:
		return false
	case <-s.free:
		return true
	}
}

// pause waits until there is something to do: for a while, or if that is negative, until
// a subscriber is added. It returns false when the server stops.
func (s *subscriptions) pause(wait time.Duration) bool {
	var again <-chan time.Time
	if wait >= 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-s.leaveC:
		return false
	case <-s.asked:
	case <-again:
	}
	return true
}

// attempt subscribes who is waiting. What fails waits on.
func (s *subscriptions) attempt(connected *bool) (held []broker.Subscriber, err error) {
	if err := s.broker.Connect(); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if !*connected {
		*connected = true
		logger.Infof("Broker [%s] Connected to %s", s.broker, s.broker.Address())
	}
	s.mu.Lock()
	subs := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, sub := range subs {
		got, failed := s.subscribe(sub)
		if failed != nil {
			err = fmt.Errorf("subscribe to topic %q: %w", sub.topic, failed)
			s.mu.Lock()
			s.waiting = append(s.waiting, sub)
			s.mu.Unlock()
			continue
		}
		logger.Infof("Subscribing to topic: %s", sub.topic)
		held = append(held, got)
	}
	return held, err
}

func (s *subscriptions) subscribe(sub *subscriber) (broker.Subscriber, error) {
	var opts []broker.SubscribeOption
	if sub.opts.Queue != "" {
		opts = append(opts, broker.Queue(sub.opts.Queue))
	}
	if sub.opts.Context != nil {
		opts = append(opts, broker.SubscribeContext(sub.opts.Context))
	}
	if !sub.opts.AutoAck {
		opts = append(opts, broker.DisableAutoAck())
	}
	return s.broker.Subscribe(sub.topic, func(e broker.Event) error { return s.take(sub, e) }, opts...)
}

// take handles one message.
func (s *subscriptions) take(sub *subscriber, e broker.Event) error {
	if s.ctx.Err() != nil {
		return fmt.Errorf("take a message of topic %q: %w", sub.topic, errStopped)
	}
	s.flight.enter()
	defer s.flight.leave()
	c := s.calls.Load()
	defer c.enter()()
	return c.deliver(s.ctx, sub, e)
}

// leave begins to unsubscribe. left is closed once that is done and the messages that
// were taken are handled.
func (s *subscriptions) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.leaveC)
	if !s.began {
		close(s.left)
	}
}

// unsubscribe ends what is held, all at once, and waits until what was taken of it is
// handled, as far as the broker tells. It does not wait for what takes longer than the
// server.
func (s *subscriptions) unsubscribe(held []broker.Subscriber) {
	var all sync.WaitGroup
	for _, sub := range held {
		logger.Infof("Unsubscribing from topic: %s", sub.Topic())
		all.Go(func() {
			if err := sub.Unsubscribe(); err != nil {
				logger.Warnf("Broker [%s] Cannot unsubscribe from topic %q: %v", s.broker, sub.Topic(), err)
				return
			}
			if queue, ok := sub.(broker.Finisher); ok {
				select {
				case <-queue.Done():
				case <-s.ctx.Done():
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		all.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-s.ctx.Done():
	}
}

// end lets the broker go: whatever is still handled has its context cancelled. It comes
// after leave, and returns when ctx is over at the latest.
func (s *subscriptions) end(ctx context.Context) error {
	s.cut(errStopped)
	close(s.endC)
	s.mu.Lock()
	began := s.began
	s.mu.Unlock()
	if !began {
		go func() {
			defer close(s.done)
			s.letGo(false)
		}()
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("disconnect from the broker %s: it has not answered: %w", s.broker, ctx.Err())
	}
}

// letGo disconnects from the broker, unless another server of the process uses it.
func (s *subscriptions) letGo(connected bool) {
	brokers.release(s.broker, func() {
		if s.broker == nil {
			return
		}
		address := s.broker.Address()
		if err := s.broker.Disconnect(); err != nil {
			logger.Warnf("Broker [%s] Cannot disconnect from %s: %v", s.broker, address, err)
		} else if connected {
			logger.Infof("Broker [%s] Disconnected from %s", s.broker, address)
		}
	})
}
