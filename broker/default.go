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
	u := &unset{}
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

// unset stands where the broker over HTTP will be.
type unset struct {
	mu   sync.Mutex
	opts Options
}

var _ Broker = (*unset)(nil)

func (u *unset) apply(opts []Option) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, o := range opts {
		o(&u.opts)
	}
}

func (u *unset) Init(opts ...Option) error {
	u.apply(opts)
	return nil
}

func (u *unset) Options() Options {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.opts
}

// Err says why this broker can never work.
func (u *unset) Err() error { return u.err("use the default broker") }

func (u *unset) Address() string { return "" }

func (u *unset) err(doing string) error {
	return fmt.Errorf("%s: %w: the default, http, is not in this release; give the service a broker.Broker of your own with micro.Broker", doing, ErrNoBroker)
}

func (u *unset) Connect() error { return u.err("connect") }

func (u *unset) Disconnect() error { return nil }

func (u *unset) Publish(topic string, _ *Message, _ ...PublishOption) error {
	return u.err(fmt.Sprintf("publish to %q", topic))
}

func (u *unset) Subscribe(topic string, _ Handler, _ ...SubscribeOption) (Subscriber, error) {
	return nil, u.err(fmt.Sprintf("subscribe to %q", topic))
}

func (u *unset) String() string { return "http" }
