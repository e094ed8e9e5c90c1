package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"maps"
	"strings"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/server"
)

// deliver decodes a message and calls the subscriber's functions, all at once, each with
// a message of its own and through the wrappers. It returns when all of them have; its
// error is for the broker, which acknowledges, tells its ErrorHandler or tries again by
// it.
func (c *calls) deliver(ctx context.Context, sub *subscriber, e broker.Event) (err error) {
	defer c.recovery.recoverTo(&err)
	in := e.Message()
	if in == nil {
		return fmt.Errorf("take a message of topic %q: the broker brought none", sub.topic)
	}
	if in.Header == nil {
		in.Header = map[string]string{}
	}
	first := message{topic: sub.topic, contentType: contentTypeOf(in.Header), header: in.Header, body: in.Body}
	if first.codec, err = c.codecs.Find(first.contentType); err != nil {
		return fmt.Errorf("decode a message of topic %q: %w", sub.topic, err)
	}
	if c.router != nil {
		return c.handle(ctx, e, &first, c.router.ProcessMessage)
	}
	messages := make([]*message, len(sub.functions))
	for i, f := range sub.functions {
		m := first
		if i > 0 { // a function may write the headers of its message
			m.header = maps.Clone(in.Header)
		}
		target := f.Target()
		if err := m.decode(target); err != nil {
			return fmt.Errorf("decode a message of topic %q for %s, content type %q: %w", sub.topic, f.Endpoint, m.contentType, err)
		}
		m.payload = f.Message(target)
		messages[i] = &m
	}
	return c.handleAll(ctx, sub, e, messages)
}

// handleAll calls each function with its message.
func (c *calls) handleAll(ctx context.Context, sub *subscriber, e broker.Event, messages []*message) error {
	if len(messages) == 1 {
		f := sub.functions[0]
		if err := c.handle(ctx, e, messages[0], calling(f)); err != nil {
			return subscriberError{err}
		}
		return nil
	}
	results := make(chan error, len(messages))
	for i, m := range messages {
		f := sub.functions[i]
		go func() {
			err := fmt.Errorf("%s ended its goroutine (runtime.Goexit) instead of returning", f.Endpoint)
			defer func() { results <- err }()
			err = c.handle(ctx, e, m, calling(f))
		}()
	}
	var failed []error
	for range messages {
		if err := <-results; err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return subscriberError(failed)
	}
	return nil
}

// calling calls the function with the message's payload, which a wrapper may have
// replaced.
func calling(f *rpc.Function) server.SubscriberFunc {
	return func(ctx context.Context, m server.Message) error { return f.Invoke(ctx, m.Payload()) }
}

// handle calls h through the wrappers, the first outermost.
func (c *calls) handle(ctx context.Context, e broker.Event, m *message, h server.SubscriberFunc) (err error) {
	defer c.recovery.recoverTo(&err)
	for i := len(c.subWrappers) - 1; i >= 0; i-- {
		h = c.subWrappers[i](h)
	}
	return h(m.newContext(ctx, e), m)
}

// subscriberError is what the functions of a subscriber returned. errors.Is and
// errors.As find each.
type subscriberError []error

// Error has v2's words.
func (s subscriberError) Error() string {
	texts := make([]string, len(s))
	for i, err := range s {
		texts[i] = err.Error()
	}
	return "subscriber error: " + strings.Join(texts, "\n")
}

func (s subscriberError) Unwrap() []error { return s }

// errStopped is the cause with which the contexts of functions end.
var errStopped = stderrors.New("the server has been stopped")
