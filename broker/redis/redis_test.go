package redis

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/brokertest"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.MainWaiting(m) }

// patience is how long something may take that has to happen.
const patience = 30 * time.Second

// quick makes messages come again soon.
var quick = Delivery{AckWait: 2 * time.Second, RetryWait: 20 * time.Millisecond, RetryMaxWait: 200 * time.Millisecond}

func TestSuite(t *testing.T) {
	t.Parallel()
	brokertest.Run(t, brokertest.Suite{
		Promises: brokertest.Promises{Ordered: true, Heals: true, AtLeastOnce: true},
		New: func(t *testing.T) brokertest.Harness {
			server := testkit.StartRedis(t)
			return brokertest.Harness{
				Open: func(opts ...broker.Option) broker.Broker {
					return NewBroker(append([]broker.Option{broker.Addrs(server.Addr()), Deliver(quick), ReadTimeout(time.Second)}, opts...)...)
				},
				Faults: []brokertest.Fault{
					{Name: "killed", Begin: func(*testing.T) { server.Kill() }, End: func(t *testing.T) { server.Restart(t) }},
					{Name: "frozen", Begin: func(t *testing.T) { server.Freeze(t) }, End: func(t *testing.T) { server.Thaw(t) }},
				},
			}
		},
	})
}

// connected returns a broker that is connected until the test ends.
func connected(t *testing.T, opts ...broker.Option) *redisBroker {
	t.Helper()
	b := NewBroker(append([]broker.Option{Deliver(quick)}, opts...)...).(*redisBroker)
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Disconnect() }) // the suite says what it returns
	return b
}

func publish(t *testing.T, b broker.Broker, topic, body string) {
	t.Helper()
	if err := b.Publish(topic, &broker.Message{Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
}

func subscribed(t *testing.T, b broker.Broker, topic string, answer func(broker.Event) error, opts ...broker.SubscribeOption) <-chan broker.Event {
	t.Helper()
	got := make(chan broker.Event, 1000)
	if _, err := b.Subscribe(topic, func(e broker.Event) error { got <- e; return answer(e) }, opts...); err != nil {
		t.Fatal(err)
	}
	return got
}

func fine(broker.Event) error { return nil }

func next(t *testing.T, got <-chan broker.Event, want string) broker.Event {
	t.Helper()
	select {
	case e := <-got:
		if string(e.Message().Body) != want {
			t.Fatalf("got %q, want %q", e.Message().Body, want)
		}
		return e
	case <-time.After(patience):
		t.Fatalf("%q does not arrive", want)
		return nil
	}
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	locked := testkit.StartRedis(t, "--requirepass", "secret")
	frozen := testkit.StartRedis(t)
	frozen.Freeze(t)
	for address, says := range map[string]string{
		"127.0.0.1:1":                      "nobody listens there",
		locked.Addr():                      "refuses the user or the password",
		"redis://:topsec@" + locked.Addr(): "refuses the user or the password",
		frozen.Addr():                      "no answer in time",
		"redis://u:topsec%ret@h":           "write redis://user:password@host:port",
		"gopher://u:topsecret@h":           "write redis://user:password@host:port",
	} {
		b := NewBroker(broker.Addrs(address), ReadTimeout(time.Second))
		err := b.Connect()
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error()+b.Address(), "topsec") {
			t.Errorf("%q: %v, want %q", b.Address(), err, says)
		}
	}
	b := connected(t, broker.Addrs("redis://:secret@"+locked.Addr()))
	if got := b.Address(); got != "redis://"+locked.Addr() {
		t.Errorf("address %q", got)
	}
}

func TestAway(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	b := connected(t, broker.Addrs(server.Addr()))
	alone, shared := subscribed(t, b, "a", fine), subscribed(t, b, "a", fine, broker.Queue("q"))
	server.Wipe()
	if err := b.Publish("a", &broker.Message{}); !errors.Is(err, broker.ErrNotConnected) {
		t.Errorf("publish while away: %v", err)
	}
	server.Restart(t)
	testkit.Passes(t, patience, "the server is found again", func() error { return b.Publish("a", &broker.Message{Body: []byte("new")}) })
	next(t, alone, "new")
	next(t, shared, "new")
}

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	d := quick
	d.MaxDeliver = 3
	b := connected(t, broker.Addrs(server.Addr()), Deliver(d))
	for _, queue := range []string{"", "q"} {
		topic := "orders" + queue
		dead := subscribed(t, b, "dead."+topic, fine)
		got := subscribed(t, b, topic, func(e broker.Event) error {
			if string(e.Message().Body) == "bad" {
				panic("no")
			}
			return nil
		}, broker.Queue(queue))
		publish(t, b, topic, "bad")
		for range 3 {
			next(t, got, "bad")
		}
		next(t, dead, "bad")
		publish(t, b, topic, "good")
		next(t, got, "good")
	}
}

func TestManualAcks(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	b := connected(t, broker.Addrs(server.Addr()))
	for _, queue := range []string{"", "q"} {
		got := subscribed(t, b, "m"+queue, fine, broker.DisableAutoAck(), broker.Queue(queue))
		publish(t, b, "m"+queue, "1")
		next(t, got, "1")
		if err := next(t, got, "1").Ack(); err != nil { // nobody had acknowledged it
			t.Fatal(err)
		}
		testkit.Elapse(t, quick.AckWait*3/2)
		if len(got) > 0 {
			t.Error("what was acknowledged came again")
		}
	}
}

// TestAnotherMemberTakesOver ends a member in the middle of a message.
func TestAnotherMemberTakesOver(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	lost := connected(t, broker.Addrs(server.Addr()), broker.StopGrace(10*time.Millisecond))
	release := make(chan struct{})
	defer close(release)
	got := subscribed(t, lost, "t", func(broker.Event) error { <-release; return nil }, broker.Queue("q"))
	publish(t, lost, "t", "1")
	next(t, got, "1")
	if err := lost.Disconnect(); err == nil {
		t.Error("the end of a handler that goes on is no error")
	}
	b := connected(t, broker.Addrs(server.Addr()))
	next(t, subscribed(t, b, "t", fine, broker.Queue("q")), "1")
}

func TestFromStart(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	d := quick
	d.FromStart = true
	b := connected(t, broker.Addrs(server.Addr()), Deliver(d))
	publish(t, b, "f", "1")
	next(t, subscribed(t, b, "f", fine), "1")
	next(t, subscribed(t, b, "f", fine, broker.Queue("q")), "1")
}

// A subscription that is made while the connection ends takes nothing, and ends.
func TestSubscribeWhileTheConnectionEnds(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	b := connected(t, broker.Addrs(server.Addr()))
	c := b.conn.Load()
	if err := b.Disconnect(); err != nil {
		t.Fatal(err)
	}
	s := &subscription{c: c}
	s.stopping, s.stop = context.WithCancel(t.Context())
	if err := c.start(s); !errors.Is(err, broker.ErrNotConnected) || s.stopping.Err() == nil {
		t.Errorf("got %v", err)
	}
}
