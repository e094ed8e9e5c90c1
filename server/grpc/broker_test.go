package grpc_test

import (
	"errors"
	"sync"

	"github.com/rollcall-go/micro/broker"
)

// brokerDouble is a broker whose messages are brought by the test, and which fails when
// it is told to.
type brokerDouble struct {
	opts broker.Options
	hang chan struct{} // Connect waits until it is closed; nil: it does not wait

	mu            sync.Mutex
	away          error // what Connect returns
	refuses       error // what Subscribe returns
	connected     bool
	disconnects   int
	subscriptions []*subscriptionDouble
}

var _ broker.Broker = (*brokerDouble)(nil)

func (b *brokerDouble) Init(opts ...broker.Option) error {
	for _, o := range opts {
		o(&b.opts)
	}
	return nil
}

func (b *brokerDouble) Options() broker.Options { return b.opts }
func (b *brokerDouble) Address() string         { return "the.double:1" }
func (b *brokerDouble) String() string          { return "double" }

func (b *brokerDouble) Connect() error {
	if b.hang != nil {
		<-b.hang
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connected = b.away == nil
	return b.away
}

func (b *brokerDouble) Disconnect() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connected = false
	b.disconnects++
	return nil
}

func (b *brokerDouble) Publish(string, *broker.Message, ...broker.PublishOption) error {
	return errors.New("the test brings the messages")
}

func (b *brokerDouble) Subscribe(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuses != nil {
		return nil, b.refuses
	}
	s := &subscriptionDouble{broker: b, topic: topic, handler: h, opts: broker.NewSubscribeOptions(opts...), done: make(chan struct{})}
	b.subscriptions = append(b.subscriptions, s)
	return s, nil
}

// set changes what the broker answers.
func (b *brokerDouble) set(away, refuses error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away, b.refuses = away, refuses
}

// topics returns what is subscribed to, in the order in which it was.
func (b *brokerDouble) topics() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.subscriptions {
		if !s.over {
			all = append(all, s.topic)
		}
	}
	return all
}

func (b *brokerDouble) on(topic string) *subscriptionDouble {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.subscriptions {
		if s.topic == topic {
			return s
		}
	}
	return nil
}

func (b *brokerDouble) state() (connected bool, disconnects int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connected, b.disconnects
}

// subscriptionDouble is one subscription of a brokerDouble.
type subscriptionDouble struct {
	broker  *brokerDouble
	topic   string
	handler broker.Handler
	opts    broker.SubscribeOptions
	over    bool          // under the broker's mu
	done    chan struct{} // closed by finish
}

var (
	_ broker.Subscriber = (*subscriptionDouble)(nil)
	_ broker.Finisher   = (*subscriptionDouble)(nil)
)

func (s *subscriptionDouble) Options() broker.SubscribeOptions { return s.opts }
func (s *subscriptionDouble) Topic() string                    { return s.topic }
func (s *subscriptionDouble) Done() <-chan struct{}            { return s.done }

func (s *subscriptionDouble) Unsubscribe() error {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	s.over = true
	select {
	case <-s.done:
	default:
		if !s.opts.AutoAck && s.opts.Queue == "keeps" { // messages, until finish
			return nil
		}
		close(s.done)
	}
	return nil
}

// bring brings a message, and returns what the server says of it.
func (s *subscriptionDouble) bring(body string, header ...string) error {
	return s.bringEvent(&eventDouble{topic: s.topic, message: message(body, header...)})
}

func (s *subscriptionDouble) bringEvent(e *eventDouble) error { return s.handler(e) }

// message returns a message with headers, of which names and values alternate.
func message(body string, header ...string) *broker.Message {
	m := &broker.Message{Body: []byte(body)}
	for i := 0; i < len(header); i += 2 {
		if m.Header == nil {
			m.Header = map[string]string{}
		}
		m.Header[header[i]] = header[i+1]
	}
	return m
}

// eventDouble is a message as a broker brings it.
type eventDouble struct {
	topic   string
	message *broker.Message
	mu      sync.Mutex
	acks    int
}

func (e *eventDouble) Topic() string            { return e.topic }
func (e *eventDouble) Message() *broker.Message { return e.message }
func (e *eventDouble) Error() error             { return nil }

func (e *eventDouble) Ack() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.acks++
	return nil
}
