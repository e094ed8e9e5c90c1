package grpc_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

func ignore(context.Context, *Order) error { return nil }

// subscribe adds a subscriber that ignores what it gets.
func (f *fixture) subscribe(t *testing.T, topic string, opts ...server.SubscriberOption) {
	t.Helper()
	if err := f.server.Subscribe(f.server.NewSubscriber(topic, ignore, opts...)); err != nil {
		t.Fatal(err)
	}
}

func isSubscriberOf(topic string) func(*registry.Endpoint) bool {
	return func(e *registry.Endpoint) bool { return e.Metadata["topic"] == topic }
}

func (f *fixture) inRegistry() bool {
	all, err := f.registry.GetService("go.micro.test")
	return err == nil && len(all) > 0
}

func TestLinesOfAServerWithSubscribers(t *testing.T) {
	b := &brokerDouble{}
	f := newServer(t, server.Broker(b))
	f.subscribe(t, "a.topic")
	f.start(t)
	if err := f.server.Stop(); err != nil {
		t.Fatal(err)
	}
	log, at := f.log.String(), 0
	for _, line := range []string{
		"Broker [double] Connected to the.double:1", "Subscribing to topic: a.topic", "Registering node: go.micro.test-",
		"Deregistering node: go.micro.test-", "Unsubscribing from topic: a.topic", "Broker [double] Disconnected from the.double:1",
	} {
		i := strings.Index(log[at:], line)
		if i < 0 {
			t.Fatalf("no line %q at its place:\n%s", line, log)
		}
		at += i
	}
}

func TestABrokerThatIsAwayKeepsTheServerFromNothingElse(t *testing.T) {
	for name, b := range map[string]*brokerDouble{
		"refuses":                  {away: errors.New("connection refused")},
		"hangs":                    {hang: make(chan struct{})},
		"refuses to be subscribed": {refuses: errors.New("no such exchange")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newServer(t, server.Broker(b), sgrpc.RegistrationWait(20*time.Second))
			f.subscribe(t, "a.topic")
			f.subscribe(t, "b.topic")
			f.start(t)
			if got, err := f.say(t.Context(), "hi"); got != "hi" || err != nil || !f.inRegistry() {
				t.Errorf("a call: %q, %v; registered: %v", got, err, f.inRegistry())
			}
			if len(b.topics()) > 0 {
				t.Fatalf("subscribed to %q", b.topics())
			}
			b.set(nil, nil)
			if b.hang != nil {
				close(b.hang)
			}
			testkit.Eventually(t, 20*time.Second, "it is subscribed", func() bool {
				got := b.topics()
				slices.Sort(got)
				return slices.Equal(got, []string{"a.topic", "b.topic"})
			})
		})
	}
}

func TestABrokerThatIsAwayIsToldOnce(t *testing.T) {
	b := &brokerDouble{away: errors.New("connection refused")}
	f := newServer(t, server.Broker(b))
	f.subscribe(t, "a.topic")
	f.start(t)
	testkit.Eventually(t, 20*time.Second, "the log says so", func() bool {
		return f.log.has("level=warn Broker [double] Brings no messages yet; trying again: connect: connection refused")
	})
	b.set(errors.New("no route to host"), nil)
	testkit.Eventually(t, 20*time.Second, "the log has the other reason", func() bool { return f.log.has("no route to host") })
	if n := strings.Count(f.log.String(), "connection refused"); n != 1 {
		t.Errorf("told %d times:\n%s", n, f.log)
	}
}

// A broker that does not answer must not keep the server from ending.
func TestStopWithABrokerThatDoesNotAnswer(t *testing.T) {
	b := &brokerDouble{hang: make(chan struct{}), opts: broker.Options{StopGrace: 10 * time.Millisecond}}
	f := newServer(t, server.Broker(b), sgrpc.StopGrace(10*time.Millisecond))
	f.subscribe(t, "a.topic")
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err := f.server.Stop()
	if err == nil || !strings.Contains(err.Error(), "disconnect from the broker double: it has not answered") {
		t.Errorf("Stop: %v", err)
	}
	if d := time.Since(began); d > defaults.DisconnectTimeout+10*time.Second {
		t.Errorf("it took %v", d)
	}
	close(b.hang)
	testkit.Eventually(t, 20*time.Second, "what came late is let go", func() bool {
		_, disconnects := b.state()
		return disconnects == 1 && len(b.topics()) == 0
	})
}

func TestSubscribeWhileTheServerRuns(t *testing.T) {
	b := &brokerDouble{}
	f := start(t, server.Broker(b))
	for _, topic := range []string{"a.topic", "b.topic"} {
		f.subscribe(t, topic)
		testkit.Eventually(t, 20*time.Second, topic+" is subscribed to, and in the record", func() bool {
			all, err := f.registry.GetService("go.micro.test")
			return slices.Contains(b.topics(), topic) && err == nil && len(all) > 0 &&
				slices.ContainsFunc(all[0].Endpoints, isSubscriberOf(topic))
		})
	}
}

func TestABrokerCannotBeChangedWhileTheServerRuns(t *testing.T) {
	f := start(t, server.Broker(&brokerDouble{}))
	if err := f.server.Init(server.Broker(&brokerDouble{})); err == nil || !strings.Contains(err.Error(), "set option Broker: the server is running") {
		t.Errorf("got %v", err)
	}
}

func TestAServerWithoutABrokerTakesNoSubscribers(t *testing.T) {
	f := newServer(t, server.Broker(nil))
	f.subscribe(t, "a.topic")
	if err := f.server.Start(); err == nil || !strings.Contains(err.Error(), `subscribe to topic "a.topic": the server has no broker`) {
		t.Errorf("Start: %v", err)
	}
	f = start(t, server.Broker(nil))
	if err := f.server.Subscribe(f.server.NewSubscriber("a.topic", ignore)); err == nil {
		t.Error("it was taken while the server runs")
	}
}

func TestStopFinishesWhatWasTaken(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	b := &brokerDouble{}
	f := newServer(t, server.Broker(b))
	if err := f.server.Subscribe(f.server.NewSubscriber("a.topic", func(ctx context.Context, _ *Order) error {
		close(entered)
		<-leave
		return ctx.Err()
	})); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	handled, stopped := make(chan error, 1), make(chan error, 1)
	go func() { handled <- b.on("a.topic").bring("{}", order...) }()
	<-entered
	go func() { stopped <- f.server.Stop() }()
	testkit.Eventually(t, 20*time.Second, "it is unsubscribed", func() bool { return len(b.topics()) == 0 })
	if connected, _ := b.state(); !connected {
		t.Error("it was disconnected under a message")
	}
	close(leave)
	if err := <-handled; err != nil {
		t.Errorf("the message: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
	if connected, _ := b.state(); connected {
		t.Error("it is still connected")
	}
}

// What the broker has taken and not brought yet counts as well, where it tells.
func TestStopWaitsForWhatTheBrokerHasTaken(t *testing.T) {
	b := &brokerDouble{}
	f := newServer(t, server.Broker(b))
	f.subscribe(t, "a.topic", server.SubscriberQueue("keeps"), server.DisableAutoAck())
	f.start(t)
	stopped := make(chan error, 1)
	go func() { stopped <- f.server.Stop() }()
	testkit.Eventually(t, 20*time.Second, "it is unsubscribed", func() bool { return len(b.topics()) == 0 })
	s := b.on("a.topic")
	if err := s.bring("{}", order...); err != nil {
		t.Errorf("the message: %v", err)
	}
	select {
	case err := <-stopped:
		t.Errorf("it stopped before: %v", err)
	default:
	}
	close(s.done)
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
	if err := s.bring("{}", order...); err == nil || !strings.Contains(err.Error(), "the server has been stopped") {
		t.Errorf("a message after the stop: %v", err)
	}
}

func TestStopCutsOffMessagesWhenItsGraceIsOver(t *testing.T) {
	entered := make(chan struct{})
	b := &brokerDouble{}
	f := newServer(t, server.Broker(b), sgrpc.StopGrace(10*time.Millisecond))
	if err := f.server.Subscribe(f.server.NewSubscriber("a.topic", func(ctx context.Context, _ *Order) error {
		close(entered)
		<-ctx.Done()
		return context.Cause(ctx)
	})); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	handled := make(chan error, 1)
	go func() { handled <- b.on("a.topic").bring("{}", order...) }()
	<-entered
	if err := f.server.Stop(); err == nil || !strings.Contains(err.Error(), "grace of 10ms") {
		t.Errorf("Stop: %v", err)
	}
	if err := <-handled; err == nil || !strings.Contains(err.Error(), "the server has been stopped") {
		t.Errorf("the message: %v", err)
	}
}

func TestServersThatShareABrokerDoNotDisturbEachOther(t *testing.T) {
	b := &brokerDouble{}
	first, second := newServer(t, server.Broker(b)), newServer(t, server.Broker(b), server.Name("go.micro.second"))
	first.subscribe(t, "a.topic")
	second.subscribe(t, "b.topic")
	first.start(t)
	second.start(t)
	if err := first.server.Stop(); err != nil {
		t.Fatal(err)
	}
	if connected, _ := b.state(); !connected || !slices.Equal(b.topics(), []string{"b.topic"}) {
		t.Errorf("connected: %v, subscribed to %q", connected, b.topics())
	}
	if err := second.server.Stop(); err != nil {
		t.Fatal(err)
	}
	if connected, disconnects := b.state(); connected || disconnects != 1 {
		t.Errorf("connected: %v, disconnected %d times", connected, disconnects)
	}
	third := start(t, server.Broker(b), server.Name("go.micro.third"))
	third.subscribe(t, "c.topic")
	testkit.Eventually(t, 20*time.Second, "a later server is subscribed", func() bool { return slices.Equal(b.topics(), []string{"c.topic"}) })
}
