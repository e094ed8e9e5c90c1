package grpc

import (
	"fmt"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// subscriber is a server.Subscriber. It is kept so that Start can refuse it.
type subscriber struct {
	topic string
	value any
	opts  server.SubscriberOptions
}

var _ server.Subscriber = (*subscriber)(nil)

// NewSubscriber makes a subscriber. Brokers are not in this release: a server that
// was given one does not start.
func (s *grpcServer) NewSubscriber(topic string, v any, opts ...server.SubscriberOption) server.Subscriber {
	return &subscriber{topic: topic, value: v, opts: server.NewSubscriberOptions(opts...)}
}

func (s *subscriber) Topic() string                     { return s.topic }
func (s *subscriber) Subscriber() any                   { return s.value }
func (s *subscriber) Options() server.SubscriberOptions { return s.opts }

// Endpoints returns none, as none is served.
func (s *subscriber) Endpoints() []*registry.Endpoint { return nil }

// Subscribe adds a subscriber. Start will return an error that names it; where Start
// has been called already, Subscribe does so itself.
func (s *grpcServer) Subscribe(sub server.Subscriber) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != idle {
		return unsupported(sub)
	}
	s.subscribers = append(s.subscribers, sub)
	return nil
}

// unsupported is the error for a subscriber.
func unsupported(sub server.Subscriber) error {
	return fmt.Errorf("topic %q has a subscriber, and brokers are not in this release", sub.Topic())
}
