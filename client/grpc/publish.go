package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
)

// topicHeader is the header with the topic that a message was made for.
const topicHeader = "Micro-Topic"

// Publish encodes the message by its content type and hands it to the broker, which is
// connected first if need be. A payload that is a *bytes.Frame goes out as it is. The
// metadata of ctx become the headers of the message, beside the content type and the
// topic; what belongs to one connection or call alone is left out.
//
// ctx and the one of client.PublishContext bound the publication; where neither has a
// deadline, the request timeout of the client's options does. Nil says that the broker
// took the message; what more that means is the broker's to say. Otherwise the error
// has code 408 if the time was over, and 500; errors.Is finds what the broker returned.
func (c *grpcClient) Publish(ctx context.Context, msg client.Message, opts ...client.PublishOption) error {
	if msg == nil {
		return failure("msg is nil", nil)
	}
	s, err := c.enter()
	if err != nil {
		return err
	}
	defer s.backends.leave()
	var o client.PublishOptions
	for _, opt := range opts {
		opt(&o)
	}
	topic := o.Exchange
	if topic == "" {
		topic = msg.Topic()
	}
	m, err := s.event(ctx, msg)
	if err != nil {
		return failure(fmt.Sprintf("publish to topic %q: %s", topic, textOf(err)), err)
	}
	ctx, cancel := bounded(ctx, o.Context, s.opts.CallOptions.RequestTimeout)
	defer cancel()
	if err := s.publisher.publish(ctx, topic, m); err != nil {
		return publishError(ctx, topic, s.publisher.broker, err)
	}
	return nil
}

// event returns the message as brokers carry it.
func (s *state) event(ctx context.Context, msg client.Message) (*broker.Message, error) {
	codec, err := s.codecs.Find(msg.ContentType())
	if err != nil {
		return nil, err
	}
	m := &broker.Message{Header: rpc.EventHeader(ctx)}
	m.Header["Content-Type"] = msg.ContentType()
	m.Header[topicHeader] = msg.Topic()
	if f, ok := msg.Payload().(*bytes.Frame); ok {
		m.Body = f.Data
		return m, nil
	}
	data, err := codec.Marshal(msg.Payload())
	if err != nil {
		return nil, fmt.Errorf("encode the message, content type %q: %w", msg.ContentType(), err)
	}
	defer data.Free()
	m.Body = data.Materialize()
	return m, nil
}

// bounded returns a context that ends with ctx and with also, which may be nil and whose
// values go first, and after timeout if neither has a deadline.
func bounded(ctx, also context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	_, has := ctx.Deadline()
	ends := func() {}
	if also != nil {
		_, alsoHas := also.Deadline()
		has = has || alsoHas
		joined, cancel := context.WithCancelCause(also)
		stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
		if deadline, ok := ctx.Deadline(); ok {
			var over context.CancelFunc
			joined, over = context.WithDeadline(joined, deadline)
			ends = func() { over(); stop(); cancel(nil) }
		} else {
			ends = func() { stop(); cancel(nil) }
		}
		ctx = joined
	}
	if has || timeout <= 0 {
		return ctx, ends
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	return ctx, func() { cancel(); ends() }
}

// publishError returns what the caller gets for the error of a publication.
func publishError(ctx context.Context, topic string, b broker.Broker, err error) error {
	name := "none"
	if b != nil {
		name = b.String()
	}
	detail := fmt.Sprintf("publish to topic %q by the broker %s: %s", topic, name, textOf(err))
	if why := expired(ctx); why != nil {
		return errors.Wrap(rpc.ClientID, why.Error()+": "+detail, http.StatusRequestTimeout, stderrors.Join(why, err))
	}
	return failure(detail, err)
}
