package broker

import "errors"

// What the errors of brokers wrap, whichever broker it is.
var (
	// ErrNoBroker is returned by the default broker of a program that has linked none:
	// one that imports this package alone.
	ErrNoBroker = errors.New("no broker chosen")
	// ErrNotConnected is returned by what needs Connect first, and after Disconnect.
	ErrNotConnected = errors.New("not connected")
	// ErrNoSubscribers is returned by a Publish that is Confirmed, if nobody has
	// subscribed to the topic.
	ErrNoSubscribers = errors.New("no subscribers")
	// ErrFull is returned by a Publish for a subscription that has as many messages
	// waiting as it may, and got no room in time. Other subscriptions have the message.
	ErrFull = errors.New("too many messages wait")
	// ErrTooLarge is returned by a Publish of a message that the broker does not take
	// for its size.
	ErrTooLarge = errors.New("message too large")
)
