package brokertest

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
)

// bench is where one test works.
type bench struct {
	*testing.T
	suite   Suite
	harness Harness
	only    broker.Broker // of a harness that is Alone
	stuck   bool          // a handler does not return: Disconnect fails
}

func newBench(t *testing.T, s Suite) *bench {
	return &bench{T: t, suite: s, harness: s.New(t)}
}

// open returns a broker that is connected until the test ends.
func (b *bench) open(opts ...broker.Option) broker.Broker {
	b.Helper()
	if b.only != nil {
		return b.only
	}
	made := b.harness.Open(opts...)
	if err := made.Connect(); err != nil {
		b.Fatalf("connect: %v", err)
	}
	b.Cleanup(func() {
		if err := made.Disconnect(); err != nil && !b.stuck {
			b.Errorf("disconnect: %v", err)
		}
	})
	if b.harness.Alone {
		b.only = made
	}
	return made
}

// inbox is what a subscription has been handed.
type inbox struct {
	mu   sync.Mutex
	got  []string
	news chan struct{} // holds a token if something came
}

func newInbox() *inbox { return &inbox{news: make(chan struct{}, 1)} }

// handle is a Handler that keeps the body.
func (in *inbox) handle(e broker.Event) error {
	in.mu.Lock()
	in.got = append(in.got, string(e.Message().Body))
	in.mu.Unlock()
	select {
	case in.news <- struct{}{}:
	default:
	}
	return nil
}

// all returns the bodies in the order in which they came.
func (in *inbox) all() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.got)
}

// has reports whether a body came.
func (in *inbox) has(body string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Contains(in.got, body)
}

// subscribe subscribes and returns what comes.
func (b *bench) subscribe(with broker.Broker, topic string, opts ...broker.SubscribeOption) *inbox {
	b.Helper()
	in := newInbox()
	b.handle(with, topic, in.handle, opts...)
	return in
}

func (b *bench) handle(with broker.Broker, topic string, h broker.Handler, opts ...broker.SubscribeOption) broker.Subscriber {
	b.Helper()
	s, err := with.Subscribe(topic, h, opts...)
	if err != nil {
		b.Fatalf("subscribe to %q: %v", topic, err)
	}
	return s
}

func (b *bench) publish(with broker.Broker, topic, body string, opts ...broker.PublishOption) {
	b.Helper()
	if err := with.Publish(topic, &broker.Message{Header: map[string]string{"Of": topic}, Body: []byte(body)}, opts...); err != nil {
		b.Fatalf("publish %q to %q: %v", body, topic, err)
	}
}

// until waits for what is to become true, for the suite's patience.
func (b *bench) until(what string, true func() bool) {
	b.Helper()
	deadline := time.Now().Add(b.suite.Patience)
	for !true() {
		if time.Now().After(deadline) {
			b.Fatalf("not within %s: %s", b.suite.Patience, what)
		}
		b.pause()
	}
}

// pause lets a moment pass between two looks.
func (b *bench) pause() { b.elapse(2 * time.Millisecond) }

// elapse lets time pass.
func (b *bench) elapse(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.Context().Done():
	}
}

// recv returns what comes, within the suite's patience.
func recv[T any](b *bench, what string, from <-chan T) (v T) {
	b.Helper()
	deadline := time.NewTimer(b.suite.Patience)
	defer deadline.Stop()
	select {
	case v = <-from:
	case <-deadline.C:
		b.Fatalf("not within %s: %s", b.suite.Patience, what)
	}
	return v
}

// complete waits until each of the bodies was received by one of the boxes, and holds the
// broker to once if it does not promise at least once.
func (b *bench) complete(want []string, boxes ...*inbox) {
	b.Helper()
	got := func() map[string]int {
		var all []string
		for _, in := range boxes {
			all = append(all, in.all()...)
		}
		times := count(all)
		maps.DeleteFunc(times, func(body string, _ int) bool { return !slices.Contains(want, body) })
		return times
	}
	b.until(fmt.Sprintf("%d messages are received", len(want)), func() bool { return len(got()) >= len(want) })
	times := got()
	for _, body := range want {
		if n := times[body]; n == 0 || n > 1 && !b.suite.Promises.AtLeastOnce {
			b.Errorf("message %s came %d times", body, n)
		}
	}
}

// reached has a message of its own reach each inbox, publishing it again until it did: from
// then on the publisher knows the subscriptions.
func (b *bench) reached(with broker.Broker, topic string, boxes ...*inbox) {
	b.Helper()
	for i, in := range boxes {
		hello := fmt.Sprintf("hello %d", i)
		b.until(fmt.Sprintf("subscription %d of %q is reached", i, topic), func() bool {
			if slices.Contains(in.all(), hello) {
				return true
			}
			_ = with.Publish(topic, &broker.Message{Body: []byte(hello)})
			return slices.Contains(in.all(), hello)
		})
	}
}

// numbers returns n bodies.
func numbers(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%06d", i)
	}
	return all
}

// count returns how often each number was received.
func count(got []string) map[string]int {
	times := map[string]int{}
	for _, body := range got {
		if len(body) == 6 {
			times[body]++
		}
	}
	return times
}
