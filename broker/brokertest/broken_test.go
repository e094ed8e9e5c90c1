package brokertest_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/brokertest"
	"github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// broken is a broker in memory whose methods a fault may replace.
type broken struct {
	broker.Broker
	deaf       bool // options do not reach it
	connect    func() error
	disconnect func() error
	publish    func(string, *broker.Message, ...broker.PublishOption) error
	subscribe  func(string, broker.Handler, ...broker.SubscribeOption) (broker.Subscriber, error)
}

func (b *broken) Init(opts ...broker.Option) error {
	if b.deaf {
		return nil
	}
	return b.Broker.Init(opts...)
}
func (b *broken) Connect() error    { return b.connect() }
func (b *broken) Disconnect() error { return b.disconnect() }
func (b *broken) Publish(topic string, m *broker.Message, opts ...broker.PublishOption) error {
	return b.publish(topic, m, opts...)
}
func (b *broken) Subscribe(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
	return b.subscribe(topic, h, opts...)
}

// counted reports whether a message is one that tests count.
func counted(m *broker.Message) bool { return m != nil && len(m.Body) == 6 }

// stays is a subscription that does not end.
type stays struct{ broker.Subscriber }

func (stays) Unsubscribe() error { return nil }

// fault is what a broker does against the contract.
type fault struct {
	name     string
	test     string // of the suite, which finds it
	says     string // the text with which it does
	promises brokertest.Promises
	breaks   func(*broken)
	without  bool // the options that the test gives do not reach it, those of Init included
}

var faults = []fault{
	{name: "a-message-is-lost", test: "EverySubscriptionGetsEveryMessage", says: "50 messages are received", breaks: func(b *broken) {
		publish := b.publish
		b.publish = func(topic string, m *broker.Message, opts ...broker.PublishOption) error {
			if counted(m) && string(m.Body) == "000007" {
				return nil
			}
			return publish(topic, m, opts...)
		}
	}},
	{name: "messages-come-twice", test: "ManyPublishAtOnce", says: "came 2 times", breaks: func(b *broken) {
		publish := b.publish
		b.publish = func(topic string, m *broker.Message, opts ...broker.PublishOption) error {
			return errors.Join(publish(topic, m, opts...), publish(topic, m, opts...))
		}
	}},
	{name: "queues-are-not-shared", test: "AQueueSharesMessages", says: "came 2 times", breaks: func(b *broken) { // as v2's in memory
		subscribe := b.subscribe
		b.subscribe = func(topic string, h broker.Handler, _ ...broker.SubscribeOption) (broker.Subscriber, error) {
			return subscribe(topic, h)
		}
	}},
	{name: "headers-are-lost", test: "MessagesArriveWhole", says: "header", breaks: func(b *broken) {
		publish := b.publish
		b.publish = func(topic string, m *broker.Message, opts ...broker.PublishOption) error {
			return publish(topic, &broker.Message{Body: m.Body}, opts...)
		}
	}},
	{name: "a-header-is-added-to-the-publishers-message", test: "MessagesArriveWhole", says: "Publish changed the headers", breaks: func(b *broken) {
		publish := b.publish
		b.publish = func(topic string, m *broker.Message, opts ...broker.PublishOption) error {
			if m.Header != nil {
				m.Header["Micro-Topic"] = topic
			}
			return publish(topic, m, opts...)
		}
	}},
	{name: "a-message-is-another-subscriptions", test: "AMessageIsItsOwners", says: "50 messages are received", breaks: func(b *broken) {
		subscribe := b.subscribe
		b.subscribe = func(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
			return subscribe(topic, func(e broker.Event) error {
				if counted(e.Message()) {
					copy(e.Message().Body, "xxxxxx")
				}
				return h(e)
			}, opts...)
		}
	}},
	{name: "messages-overtake", test: "MessagesComeInOrder", says: "received 000004 in the place of message 3", promises: brokertest.Promises{Ordered: true}, breaks: func(b *broken) {
		publish := b.publish
		var held []byte
		b.publish = func(topic string, m *broker.Message, opts ...broker.PublishOption) error {
			if counted(m) && string(m.Body) == "000003" {
				held = slices.Clone(m.Body)
				return nil
			}
			err := publish(topic, m, opts...)
			if held != nil {
				err = errors.Join(err, publish(topic, &broker.Message{Body: held}))
				held = nil
			}
			return err
		}
	}},
	{name: "without-subscribers-is-an-error", test: "NobodyHasSubscribed", says: "no subscribers", breaks: func(b *broken) {
		publish := b.publish
		b.publish = func(topic string, m *broker.Message, _ ...broker.PublishOption) error {
			return publish(topic, m, broker.Confirmed())
		}
	}},
	{name: "confirms-what-nobody-took", test: "NobodyHasSubscribed", says: "want one that wraps ErrNoSubscribers", promises: brokertest.Promises{Confirms: true}, breaks: func(b *broken) {
		publish := b.publish
		b.publish = func(topic string, m *broker.Message, _ ...broker.PublishOption) error { return publish(topic, m) }
	}},
	{name: "publishes-nothing", test: "WhatCannotBe", says: "no message: no error", breaks: func(b *broken) {
		b.publish = func(string, *broker.Message, ...broker.PublishOption) error { return nil }
	}},
	{name: "topics-are-taken-for-others", test: "TopicsThatLookAlike", says: `of "a-b" is reached`, breaks: func(b *broken) {
		publish, subscribe := b.publish, b.subscribe
		b.publish = func(topic string, m *broker.Message, opts ...broker.PublishOption) error {
			return publish(strings.ReplaceAll(topic, "/", "-"), m, opts...)
		}
		b.subscribe = func(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
			if topic == "a-b" {
				return subscribe("elsewhere", h, opts...)
			}
			return subscribe(strings.ReplaceAll(topic, "/", "-"), h, opts...)
		}
	}},
	{name: "handlers-crowd", test: "HandlersAtOnce", says: "handlers ran at once", breaks: func(b *broken) {
		subscribe := b.subscribe
		b.subscribe = func(topic string, h broker.Handler, _ ...broker.SubscribeOption) (broker.Subscriber, error) {
			return subscribe(topic, h, broker.Concurrency(16))
		}
	}},
	{name: "a-panic-ends-the-subscription", test: "AHandlerPanics", says: "10 messages are received", breaks: func(b *broken) {
		subscribe := b.subscribe
		b.subscribe = func(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
			var ended atomic.Bool
			return subscribe(topic, func(e broker.Event) error {
				if ended.Load() {
					return nil
				}
				ended.Store(true)
				err := h(e)
				ended.Store(false)
				return err
			}, opts...)
		}
	}},
	{name: "errors-are-not-told", test: "AHandlerFails", says: "the error handler is told", breaks: func(*broken) {}, without: true},
	{name: "promises-to-come-again", test: "AHandlerAcknowledges", says: "comes again", promises: brokertest.Promises{AtLeastOnce: true}, breaks: func(*broken) {}},
	{name: "publishing-fails-while-one-is-slow", test: "ASlowSubscriberHarmsNobody", says: "want nil or one that wraps ErrFull", breaks: func(b *broken) {
		publish := b.publish
		b.publish = func(topic string, m *broker.Message, opts ...broker.PublishOption) error {
			if err := publish(topic, m, opts...); err != nil {
				return errors.New("full") // wraps nothing
			}
			return nil
		}
	}},
	{name: "connects-once", test: "ConnectAndDisconnect", says: "connect: connected already", breaks: func(b *broken) {
		connect := b.connect
		var connected bool
		b.connect = func() error {
			if connected {
				return errors.New("connected already")
			}
			connected = true
			return connect()
		}
	}},
	{name: "subscriptions-do-not-end", test: "ASubscriptionEnds", says: "get no more messages", breaks: func(b *broken) {
		subscribe := b.subscribe
		b.subscribe = func(topic string, h broker.Handler, opts ...broker.SubscribeOption) (broker.Subscriber, error) {
			s, err := subscribe(topic, h, opts...)
			return stays{s}, err
		}
	}},
	{name: "disconnect-does-not-wait", test: "DisconnectFinishesWhatWasTaken", says: "it did not wait for the handlers", breaks: func(b *broken) {
		disconnect := b.disconnect
		b.disconnect = func() error {
			go func() { _ = disconnect() }()
			return nil
		}
	}},
	{name: "disconnect-waits-for-ever", test: "DisconnectIsBounded", says: "it is disconnected", breaks: func(*broken) {}, without: true},
}

const brokenVariable = "ROLLCALL_BROKEN_BROKERS"

// TestSuiteFindsEachFault runs the suite against brokers with one fault each, in a process
// where tests may fail: each fault is found by the test that is about it, and each test
// finds one.
func TestSuiteFindsEachFault(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBroken$", "-test.parallel=32", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), brokenVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("the suite passes with every fault:\n%s", out)
	}
	reports := map[string]string{}
	for _, report := range strings.Split(string(out), "\n    --- ")[1:] {
		var name string
		if _, err := fmt.Sscanf(report, "FAIL: TestBroken/%s", &name); err == nil {
			reports[name] = report
		}
	}
	tested := map[string]bool{}
	for _, f := range faults {
		tested[f.test] = true
		if report, found := reports[f.name]; !found {
			t.Errorf("test %s passes a broker that has the fault %s", f.test, f.name)
		} else if !strings.Contains(report, f.says) {
			t.Errorf("test %s does not say %q of the fault %s:\n%s", f.test, f.says, f.name, report)
		}
	}
	for _, name := range brokertest.Names() {
		if !tested[name] {
			t.Errorf("there is no fault that test %s finds", name)
		}
	}
	if t.Failed() {
		t.Logf("output:\n%s", out)
	}
}

// TestBroken fails. TestSuiteFindsEachFault runs it.
func TestBroken(t *testing.T) {
	if os.Getenv(brokenVariable) == "" {
		return
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			brokertest.RunOne(t, f.test, brokertest.Suite{Promises: f.promises, Patience: 2 * time.Second, New: func(*testing.T) brokertest.Harness {
				return brokertest.Harness{Alone: true, Open: func(opts ...broker.Option) broker.Broker {
					if f.without {
						opts = nil
					}
					m := memory.NewBroker(opts...)
					b := &broken{Broker: m, deaf: f.without, connect: m.Connect, disconnect: m.Disconnect, publish: m.Publish, subscribe: m.Subscribe}
					f.breaks(b)
					return b
				}}
			}})
		})
	}
}
