package grpc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// subscriber is a server.Subscriber.
type subscriber struct {
	topic string
	value any
	opts  server.SubscriberOptions
	// functions is nil, and err set, if the value makes no subscriber.
	functions []*rpc.Function
	err       error
}

var _ server.Subscriber = (*subscriber)(nil)

// NewSubscriber makes a subscriber of a function of the form func(context.Context, *T)
// error, or of a value whose exported methods all have it: each of them gets each
// message. T itself, in place of a pointer to it, will do as well. What is wrong with v
// is reported by Subscribe.
func (s *grpcServer) NewSubscriber(topic string, v any, opts ...server.SubscriberOption) server.Subscriber {
	return newSubscriber(topic, v, server.NewSubscriberOptions(opts...))
}

func newSubscriber(topic string, v any, opts server.SubscriberOptions) *subscriber {
	sub := &subscriber{topic: topic, value: v, opts: opts}
	sub.functions, sub.err = rpc.NewFunctions(v)
	if sub.err == nil && topic == "" {
		sub.err = errors.New("the topic is empty")
	}
	return sub
}

func (s *subscriber) Topic() string                     { return s.topic }
func (s *subscriber) Subscriber() any                   { return s.value }
func (s *subscriber) Options() server.SubscriberOptions { return s.opts }

// Endpoints describes the functions in the order of their names.
func (s *subscriber) Endpoints() []*registry.Endpoint {
	var out []*registry.Endpoint
	for _, f := range s.functions {
		out = append(out, f.Describe(s.topic))
	}
	return out
}

// Subscribe adds a subscriber: messages come from Start on or, where the server runs
// already, from now on. It returns an error for what is no subscriber, for one that was
// added before, and once the server has been stopped.
func (s *grpcServer) Subscribe(sub server.Subscriber) error {
	own, ok := sub.(*subscriber)
	if !ok { // another package made it
		own = newSubscriber(sub.Topic(), sub.Subscriber(), sub.Options())
	}
	if own.err != nil {
		return fmt.Errorf("subscribe to topic %q: %w", own.topic, own.err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case slices.Contains(s.subscribers, own):
		return fmt.Errorf("subscribe to topic %q: this subscriber is there already; make another one with NewSubscriber", own.topic)
	case s.phase == stopped:
		return fmt.Errorf("subscribe to topic %q: the server has been stopped", own.topic)
	case s.phase == running:
		if err := subscribable(s.opts.Broker); err != nil {
			return fmt.Errorf("subscribe to topic %q: %w", own.topic, err)
		}
		s.run.events.add(own)
		s.publish()
	}
	s.subscribers = append(s.subscribers, own)
	return nil
}

// advertised returns the endpoints of the subscribers that anybody may hear of, in v2's
// order: by topic, the last one first.
func advertised(subs []*subscriber) []*registry.Endpoint {
	subs = slices.DeleteFunc(slices.Clone(subs), func(s *subscriber) bool { return s.opts.Internal })
	slices.SortStableFunc(subs, func(a, b *subscriber) int { return strings.Compare(b.topic, a.topic) })
	var out []*registry.Endpoint
	for _, sub := range subs {
		out = append(out, sub.Endpoints()...)
	}
	return out
}
