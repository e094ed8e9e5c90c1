package broker

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/defaults"
)

// Where the default broker listens and is posted to. They belong to the program; set
// them before the first broker is made.
var (
	// DefaultAddress is where the broker over HTTP listens if Addrs says nothing: on
	// every interface, on a port that the system chooses.
	DefaultAddress = ":0"
	// DefaultPath is the path of its requests.
	DefaultPath = "/"
)

// DefaultBroker is what services and clients use that are given no broker: the one
// over HTTP. It belongs to the program; set it before the first service is made.
var DefaultBroker = NewBroker()

// NewBroker returns the default broker, that of broker/http. It is made at the first
// use and does nothing before.
//
// A program that imports this package alone has not linked it: what it would have to
// do then returns an error that wraps ErrNoBroker and says what to import.
func NewBroker(opts ...Option) Broker { return &deferred{given: opts} }

// Init applies options to DefaultBroker.
func Init(opts ...Option) error { return DefaultBroker.Init(opts...) }

// Connect connects DefaultBroker.
func Connect() error { return DefaultBroker.Connect() }

// Disconnect disconnects DefaultBroker.
func Disconnect() error { return DefaultBroker.Disconnect() }

// Publish sends the message to the topic of DefaultBroker.
func Publish(topic string, msg *Message, opts ...PublishOption) error {
	return DefaultBroker.Publish(topic, msg, opts...)
}

// Subscribe subscribes to the topic of DefaultBroker.
func Subscribe(topic string, handler Handler, opts ...SubscribeOption) (Subscriber, error) {
	return DefaultBroker.Subscribe(topic, handler, opts...)
}

// String names the implementation behind DefaultBroker.
func String() string { return DefaultBroker.String() }

// deferred is a broker that makes the real one at the first use, through the hook
// that broker/http fills.
type deferred struct {
	made atomic.Pointer[Broker]

	mu    sync.Mutex
	given []Option // before the real one is made
}

// broker returns the real broker, nil if none is linked.
func (d *deferred) broker() Broker {
	if b := d.made.Load(); b != nil {
		return *b
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.made.Load(); b != nil {
		return *b
	}
	construct, ok := defaults.Load[func(...Option) Broker](&defaults.Broker)
	if !ok {
		return nil
	}
	b := construct(d.given...)
	d.given = nil
	d.made.Store(&b)
	return b
}

// missing is the error of what only a real broker can do.
func missing(doing string) error {
	return fmt.Errorf(`%s: %w: add the import _ "github.com/rollcall-go/micro/broker/http", or give the service a broker with micro.Broker`, doing, ErrNoBroker)
}

// Implementation returns the real broker, or d itself if none is linked.
func (d *deferred) Implementation() Broker {
	if b := d.broker(); b != nil {
		return b
	}
	return d
}

// Err says why this broker cannot work, nil if it can.
func (d *deferred) Err() error {
	if d.broker() == nil {
		return missing("use the default broker")
	}
	return nil
}

func (d *deferred) Init(opts ...Option) error {
	if b := d.broker(); b != nil {
		return b.Init(opts...)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.given = append(d.given, opts...)
	return nil
}

func (d *deferred) Options() Options {
	if b := d.broker(); b != nil {
		return b.Options()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var o Options
	for _, opt := range d.given {
		opt(&o)
	}
	return o
}

func (d *deferred) Address() string {
	if b := d.broker(); b != nil {
		return b.Address()
	}
	return ""
}

func (d *deferred) Connect() error {
	if b := d.broker(); b != nil {
		return b.Connect()
	}
	return missing("connect")
}

// Disconnect does not make a broker in order to disconnect it.
func (d *deferred) Disconnect() error {
	if b := d.made.Load(); b != nil {
		return (*b).Disconnect()
	}
	return nil
}

func (d *deferred) Publish(topic string, m *Message, opts ...PublishOption) error {
	if b := d.broker(); b != nil {
		return b.Publish(topic, m, opts...)
	}
	return missing(fmt.Sprintf("publish to %q", topic))
}

func (d *deferred) Subscribe(topic string, h Handler, opts ...SubscribeOption) (Subscriber, error) {
	if b := d.broker(); b != nil {
		return b.Subscribe(topic, h, opts...)
	}
	return nil, missing(fmt.Sprintf("subscribe to %q", topic))
}

// PublishesUnconnected reports what the real broker says.
func (d *deferred) PublishesUnconnected() bool {
	c, ok := d.broker().(Connectionless)
	return ok && c.PublishesUnconnected()
}

func (d *deferred) String() string { return "http" }
