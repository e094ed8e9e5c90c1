package broker

import (
	"errors"
	"fmt"
	"sync"
)

// ErrNoBroker is returned, wrapped, by what the default broker would have to do.
var ErrNoBroker = errors.New("no broker chosen")

// DefaultBroker is what services and clients use that are given no broker. It
// belongs to the program; set it before the first service is made.
var DefaultBroker = NewBroker()

// NewBroker returns the default broker: the one over HTTP, which is not part of
// this release. Until it is, Connect, Publish and Subscribe return an error that
// says what to do instead; the rest works.
func NewBroker(opts ...Option) Broker {
	u := &missing{}
	u.apply(opts)
	return u
}

// Init applies options to DefaultBroker.
func Init(opts ...Option) error {
	return DefaultBroker.Init(opts...)
}

// Connect connects DefaultBroker.
func Connect() error {
	return DefaultBroker.Connect()
}

// Disconnect disconnects DefaultBroker.
func Disconnect() error {
	return DefaultBroker.Disconnect()
}

// Publish sends the message to the topic of DefaultBroker.
func Publish(topic string, msg *Message, opts ...PublishOption) error {
	return DefaultBroker.Publish(topic, msg, opts...)
}

// Subscribe subscribes to the topic of DefaultBroker.
func Subscribe(topic string, handler Handler, opts ...SubscribeOption) (Subscriber, error) {
	return DefaultBroker.Subscribe(topic, handler, opts...)
}

// String names the implementation behind DefaultBroker.
func String() string {
	return DefaultBroker.String()
}

// missing stands where the broker over HTTP will be.
type missing struct {
	mu   sync.Mutex
	opts Options
}

var _ Broker = (*missing)(nil)

func (u *missing) apply(opts []Option) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, o := range opts {
		o(&u.opts)
	}
}

func (u *missing) Init(opts ...Option) error {
	u.apply(opts)
	return nil
}

func (u *missing) Options() Options {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.opts
}

// Err says why this broker can never work.
func (u *missing) Err() error { return u.err("use the default broker") }

func (u *missing) Address() string { return "" }

func (u *missing) err(doing string) error {
	return fmt.Errorf("%s: %w: the default, http, is not in this release; give the service a broker.Broker of your own with micro.Broker", doing, ErrNoBroker)
}

func (u *missing) Connect() error { return u.err("connect") }

func (u *missing) Disconnect() error { return nil }

func (u *missing) Publish(topic string, _ *Message, _ ...PublishOption) error {
	return u.err(fmt.Sprintf("publish to %q", topic))
}

func (u *missing) Subscribe(topic string, _ Handler, _ ...SubscribeOption) (Subscriber, error) {
	return nil, u.err(fmt.Sprintf("subscribe to %q", topic))
}

func (u *missing) String() string { return "http" }
