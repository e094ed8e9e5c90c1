package delivery

import (
	"bytes"
	"maps"

	"github.com/rollcall-go/micro/broker"
)

// Delivery is one message for one subscription.
type Delivery struct {
	// Topic is where it was published.
	Topic string
	// Message belongs to the handler; see Copy.
	Message *broker.Message
	// Ack acknowledges it. Nil means that there is nothing to acknowledge.
	Ack func() error
	// Done is told how it ended: nil, or the error of the handler, its panic, or that of
	// an automatic acknowledgement. Nil means that nobody wants to know.
	Done func(error)
}

// Copy returns a copy of m that a handler can own.
func Copy(m *broker.Message) *broker.Message {
	return &broker.Message{Header: maps.Clone(m.Header), Body: bytes.Clone(m.Body)}
}

// Size returns how many bytes m takes, about.
func Size(m *broker.Message) int {
	n := len(m.Body)
	for k, v := range m.Header {
		n += len(k) + len(v)
	}
	return n
}

// event is what a handler is given.
type event struct {
	Delivery
	err error
}

var _ broker.Event = (*event)(nil)

func (e *event) Topic() string            { return e.Delivery.Topic }
func (e *event) Message() *broker.Message { return e.Delivery.Message }
func (e *event) Error() error             { return e.err }

func (e *event) Ack() error {
	if e.Delivery.Ack == nil {
		return nil
	}
	return e.Delivery.Ack()
}

// NewError returns the event by which an ErrorHandler is told of err. m is nil if there
// is no message.
func NewError(topic string, m *broker.Message, err error) broker.Event {
	return &event{Delivery: Delivery{Topic: topic, Message: m}, err: err}
}
