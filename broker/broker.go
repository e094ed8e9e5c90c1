// Package broker is the contract of publish and subscribe: messages go to topics,
// and whoever subscribed to a topic receives them. The package has the types
// only; implementations are added in a later release.
package broker

// Broker carries messages. Its methods may be called from any goroutine.
type Broker interface {
	// Init applies options. It is called before Connect.
	Init(...Option) error
	// Options returns the settings in force.
	Options() Options
	// Address is where the broker listens or is connected to; empty before
	// Connect.
	Address() string
	// Connect makes the broker ready. Calling it again does nothing.
	Connect() error
	// Disconnect ends what Connect began. Without that it does nothing.
	Disconnect() error
	// Publish sends the message to the topic. It does not keep the message.
	Publish(topic string, m *Message, opts ...PublishOption) error
	// Subscribe calls h for each message of the topic until Unsubscribe.
	Subscribe(topic string, h Handler, opts ...SubscribeOption) (Subscriber, error)
	// String names the implementation.
	String() string
}

// Handler is called with each message of a subscription, from several goroutines
// at once. With automatic acknowledgement, returning nil acknowledges the message.
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
	// Message is the message. It belongs to the Handler.
	Message() *Message
	// Ack acknowledges the message.
	Ack() error
	// Error is what went wrong in front of the Handler, if it is an ErrorHandler.
	Error() error
}

// Subscriber is a subscription.
type Subscriber interface {
	// Options returns the settings of the subscription.
	Options() SubscribeOptions
	// Topic is what was subscribed to.
	Topic() string
	// Unsubscribe ends the subscription.
	Unsubscribe() error
}
