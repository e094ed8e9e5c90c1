// Package broker is the contract of publish and subscribe: messages go to topics,
// and whoever subscribed to a topic receives them.
//
// The default is the broker of broker/http, which needs no server: subscriptions
// stand in the registry, and publishers send each message to them. The broker of
// broker/memory stays in the process; that of broker/nats uses a server of NATS. What
// each promises is in docs/EVENTS.md: whether a message may be lost or come twice,
// and in which order messages come.
//
// A subscription has a queue of messages that wait for its [Handler]. It is
// bounded: a subscriber that is slow holds nobody else up, and one that panics
// loses the message it panicked over, no more.
package broker

// Broker carries messages. Its methods may be called from any goroutine.
type Broker interface {
	// Init applies options. It is called before Connect.
	Init(...Option) error
	// Options returns the settings in force.
	Options() Options
	// Address is where the broker listens or is connected to; before Connect it is
	// where it is going to, as far as that is known.
	Address() string
	// Connect makes the broker ready. Calling it again does nothing.
	Connect() error
	// Disconnect ends all subscriptions, waits until what they have taken is
	// handled, for Options.StopGrace at most, and ends what Connect began. Without
	// that it does nothing. It must not be called by a Handler. The broker can be
	// connected again.
	Disconnect() error
	// Publish sends the message to the topic. It does not keep the message. Unless
	// the publication is Confirmed, nil says that the broker has taken the message,
	// not that anybody received it.
	Publish(topic string, m *Message, opts ...PublishOption) error
	// Subscribe calls h for each message of the topic until Unsubscribe. It needs a
	// broker that is connected.
	Subscribe(topic string, h Handler, opts ...SubscribeOption) (Subscriber, error)
	// String names the implementation.
	String() string
}

// Handler is called with each message of a subscription, from as many goroutines at
// once as SubscribeOptions.Concurrency says. With automatic acknowledgement,
// returning nil acknowledges the message. A panic is recovered and counts as an
// error. Errors are handed to Options.ErrorHandler, and logged without one.
type Handler func(Event) error

// Message is what is published.
type Message struct {
	Header map[string]string
	Body   []byte
}

// Event is a message as a Handler receives it.
type Event interface {
	// Topic is where the message was published.
	Topic() string
	// Message is the message. It belongs to the Handler. It is nil for an
	// ErrorHandler that is told of something that could not be decoded.
	Message() *Message
	// Ack acknowledges the message, where the broker has something to acknowledge.
	Ack() error
	// Error is what went wrong, for an ErrorHandler; nil for a Handler.
	Error() error
}

// Connectionless is a Broker whose Publish needs no Connect, which then serves
// subscriptions alone: a client that only publishes does without.
type Connectionless interface {
	// PublishesUnconnected reports whether that is so.
	PublishesUnconnected() bool
}

// Finisher is a Subscriber that tells when it is over: when it was unsubscribed and all
// that it had taken is handled. The brokers of this module return such.
type Finisher interface {
	// Done returns a channel that is closed then.
	Done() <-chan struct{}
}

// Subscriber is a subscription.
type Subscriber interface {
	// Options returns the settings of the subscription.
	Options() SubscribeOptions
	// Topic is what was subscribed to.
	Topic() string
	// Unsubscribe ends the subscription: no more messages are taken. Those taken
	// already are still handled; it does not wait for that, so that a Handler may
	// call it. Disconnect does.
	Unsubscribe() error
}
