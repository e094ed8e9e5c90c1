package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/logger"
)

// subscription takes the messages of a topic out of its stream: as a member of a consumer
// group if it has a queue, and by itself otherwise.
type subscription struct {
	c       *connection
	topic   string
	key     string // of the stream
	opts    broker.SubscribeOptions
	me      string // among the members of the group
	handler broker.Handler
	lane    *delivery.Lane[*message]

	stopping context.Context // is done when no more is taken
	stop     context.CancelFunc
	gone     chan struct{} // closed when no more is taken
	freed    chan struct{} // a message was settled
	work     sync.WaitGroup
	last     string // the id after which to go on, without a group

	mu   sync.Mutex
	held map[string]*message // by id: those that this process has, handled or waiting
}

var _ broker.Subscriber = (*subscription)(nil)

const (
	heldMessages = 128
	heldBytes    = 16 << 20
	// readWait is how long the server holds a request for messages open, and so how long
	// the end of a subscription takes.
	readWait = 300 * time.Millisecond
)

func (s *subscription) Options() broker.SubscribeOptions { return s.opts }
func (s *subscription) Topic() string                    { return s.topic }

// Unsubscribe ends the subscription. What was taken is still handled.
func (s *subscription) Unsubscribe() error {
	s.stop()
	return nil
}

func (c *connection) subscribe(topic string, h broker.Handler, o broker.SubscribeOptions) (*subscription, error) {
	s := &subscription{
		c: c, topic: topic, key: keyPrefix + topic, opts: o, me: rand.Text(), handler: h,
		gone: make(chan struct{}), freed: make(chan struct{}, 1), held: map[string]*message{},
	}
	s.lane = delivery.NewLane(delivery.Limits{Workers: o.Concurrency, Messages: heldMessages, Bytes: heldBytes}, s.handle, func(m *message) int { return len(m.data) })
	ctx, cancel := delivery.Publishing(broker.PublishOptions{})
	defer cancel()
	if err := s.begin(ctx); err != nil {
		return nil, c.explain(err)
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	if err := c.start(s); err != nil {
		return nil, err
	}
	return s, nil
}

// start puts the subscription among those of the connection, takes out those that are
// done, and begins to take messages.
func (c *connection) start(s *subscription) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended { // meanwhile
		s.stop()
		return broker.ErrNotConnected
	}
	for old := range c.subs {
		select {
		case <-old.lane.Done():
			delete(c.subs, old)
		default:
		}
	}
	c.subs[s] = struct{}{}
	s.work.Go(s.run)
	s.work.Go(s.keep)
	if s.opts.Queue != "" {
		s.work.Go(s.inherit)
	}
	return nil
}

// begin says from where on messages are taken.
func (s *subscription) begin(ctx context.Context) error {
	from := "$"
	if s.c.terms.FromStart {
		from = "0"
	}
	if s.opts.Queue != "" {
		return s.join(ctx, from)
	}
	if s.last = "0"; from == "0" {
		return nil
	}
	newest, err := s.c.rdb.XRevRangeN(ctx, s.key, "+", "-", 1).Result()
	if err == nil && len(newest) > 0 {
		s.last = newest[0].ID
	}
	return err
}

// join makes the group, if it is not there.
func (s *subscription) join(ctx context.Context, from string) error {
	err := s.c.rdb.XGroupCreateMkStream(ctx, s.key, s.opts.Queue, from).Err()
	if client.HasErrorPrefix(err, "BUSYGROUP") {
		return nil
	}
	return err
}

// run takes messages until the subscription ends. Whatever goes wrong, it goes on.
func (s *subscription) run() {
	defer close(s.gone)
	defer s.lane.Close()
	waits := backoff.Backoff{Base: 100 * time.Millisecond, Max: 2 * time.Second}
	for failures := 0; s.stopping.Err() == nil; {
		err := s.take()
		if err == nil {
			failures = 0
			continue
		}
		if failures == 0 {
			logger.Warnf("Broker [redis] Subscription waits: %s: %v", s.topic, s.c.explain(err))
		}
		timer := time.NewTimer(waits.Next(failures))
		select {
		case <-timer.C:
		case <-s.stopping.Done():
		}
		timer.Stop()
		failures++
	}
}

// take takes as many messages as there is room for.
func (s *subscription) take() error {
	room, ok := s.room()
	if !ok {
		return nil
	}
	// What the server has sent is not thrown away when the subscription ends.
	ctx, cancel := context.WithTimeout(context.Background(), readWait+s.c.rdb.Options().ReadTimeout)
	defer cancel()
	var streams []client.XStream
	var err error
	if s.opts.Queue != "" {
		streams, err = s.c.rdb.XReadGroup(ctx, &client.XReadGroupArgs{
			Group: s.opts.Queue, Consumer: s.me, Streams: []string{s.key, ">"}, Count: int64(room), Block: readWait,
		}).Result()
	} else {
		streams, err = s.c.rdb.XRead(ctx, &client.XReadArgs{Streams: []string{s.key, s.last}, Count: int64(room), Block: readWait}).Result()
	}
	switch {
	case errors.Is(err, client.Nil):
		return nil
	case client.HasErrorPrefix(err, "NOGROUP"), client.HasErrorPrefix(err, "UNBLOCKED"):
		// The server lost the stream: all that is in it now is new.
		return s.join(ctx, "0")
	case err != nil:
		return err
	}
	for _, stream := range streams {
		for _, entry := range stream.Messages {
			s.last = entry.ID
			s.put(entry, 1)
		}
	}
	return nil
}

// room waits until there is room for messages, and returns for how many; false at the end
// of the subscription.
func (s *subscription) room() (int, bool) {
	for {
		s.mu.Lock()
		n := heldMessages - len(s.held)
		s.mu.Unlock()
		if n >= heldMessages/2 {
			return n, true
		}
		select {
		case <-s.freed:
		case <-s.stopping.Done():
			return 0, false
		}
	}
}

// finish waits until what was taken is handled. What is not comes again, for a queue.
func (s *subscription) finish(ctx context.Context) error {
	var late error
	select {
	case <-s.gone:
	case <-ctx.Done():
		late = errors.New("the server has not answered")
	}
	_, err := delivery.Finish(ctx, s.topic, s.lane)
	s.cancelRetries()
	if err = errors.Join(late, err); err == nil {
		s.work.Wait()
	}
	return err
}
