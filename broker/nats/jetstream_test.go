package nats

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/testkit"
)

func publish(t *testing.T, b broker.Broker, topic, body string) {
	t.Helper()
	if err := b.Publish(topic, &broker.Message{Header: map[string]string{"Id": body}, Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
}

// subscribed returns what arrives at a new subscription, whose handler returns what
// answer does.
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

func none(t *testing.T, got <-chan broker.Event, within time.Duration) {
	t.Helper()
	testkit.Elapse(t, within)
	select {
	case e := <-got:
		t.Errorf("%q came", e.Message().Body)
	default:
	}
}

func TestJetStreamIsMissing(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t, testkit.NATSConfig("accounts { A { users: [ { user: a, password: a } ] } }\nno_auth_user: a"))
	err := NewBroker(broker.Addrs(server.Addr()), JetStream(Delivery{})).Connect()
	if err == nil || !strings.Contains(err.Error(), "nats-server -js") {
		t.Errorf("%v", err)
	}
}

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	d := quick
	d.MaxDeliver = 3
	b := connected(t, broker.Addrs(server.Addr()), JetStream(d))
	dead := subscribed(t, b, "dead.orders.new", fine)
	got := subscribed(t, b, "orders.new", func(e broker.Event) error {
		if e.Message().Header["Id"] == "bad" {
			return errors.New("no")
		}
		return nil
	}, broker.Queue("q"))
	publish(t, b, "orders.new", "bad")
	for range 3 {
		next(t, got, "bad")
	}
	next(t, dead, "bad")
	publish(t, b, "orders.new", "good")
	next(t, got, "good")
	// What nobody can decode is put aside at once.
	if err := b.conn.Load().nc.Publish("orders.new", []byte("{")); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, "the text is put aside", func() bool {
		stream, err := b.conn.Load().js.Stream(t.Context(), "dead_orders_new")
		return err == nil && stream.CachedInfo().State.Msgs == 2
	})
}

func TestPanicsAndManualAcks(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	b := connected(t, broker.Addrs(server.Addr()), JetStream(quick))
	first := true
	got := subscribed(t, b, "p", func(broker.Event) error {
		if first {
			first = false
			panic("once")
		}
		return nil
	})
	publish(t, b, "p", "1")
	next(t, got, "1")
	next(t, got, "1")

	manual := subscribed(t, b, "m", fine, broker.DisableAutoAck())
	publish(t, b, "m", "2")
	next(t, manual, "2")
	again := next(t, manual, "2") // nobody acknowledged
	if err := again.Ack(); err != nil {
		t.Fatal(err)
	}
	none(t, manual, quick.AckWait*3/2)
}

// TestSlowHandlerKeepsItsMessage shows that a message does not come again while its handler
// works, and neither do those that wait behind it.
func TestSlowHandlerKeepsItsMessage(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	b := connected(t, broker.Addrs(server.Addr()), JetStream(quick))
	release := make(chan struct{})
	got := subscribed(t, b, "s", func(broker.Event) error { <-release; return nil }, broker.Queue("q"))
	other := subscribed(t, connected(t, broker.Addrs(server.Addr()), JetStream(quick)), "s", func(broker.Event) error { <-release; return nil }, broker.Queue("q"))
	publish(t, b, "s", "1")
	publish(t, b, "s", "2")
	testkit.Elapse(t, 2*quick.AckWait)
	close(release)
	testkit.Eventually(t, patience, "both are handled", func() bool { return len(got)+len(other) >= 2 })
	testkit.Elapse(t, quick.AckWait/2)
	if n := len(got) + len(other); n != 2 {
		t.Errorf("2 messages came %d times", n)
	}
}

func TestAQueueGoesOn(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	b := connected(t, broker.Addrs(server.Addr()), JetStream(quick))
	leaving := connected(t, broker.Addrs(server.Addr()), JetStream(quick))
	got := subscribed(t, leaving, "a.b", fine, broker.Queue("my.queue"))
	publish(t, b, "a.b", "1")
	next(t, got, "1")
	if err := leaving.Disconnect(); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "a.b", "2") // nobody is there
	server.Restart(t)         // in good order: one that is killed may forget what was acknowledged
	got = subscribed(t, connected(t, broker.Addrs(server.Addr()), JetStream(quick)), "a.b", fine, broker.Queue("my.queue"))
	next(t, got, "2")
	if _, err := connected(t, broker.Addrs(server.Addr()), JetStream(quick)).conn.Load().js.Consumer(t.Context(), "a_b", "my_queue-a_b"); err != nil {
		t.Errorf("the durable consumer of the queue: %v", err)
	}
}

func TestFromStart(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	b := connected(t, broker.Addrs(server.Addr()), JetStream(Delivery{FromStart: true}))
	publish(t, b, "f", "1")
	next(t, subscribed(t, b, "f", fine), "1")
	late := subscribed(t, connected(t, broker.Addrs(server.Addr()), JetStream(Delivery{})), "f", fine)
	publish(t, b, "f", "2")
	next(t, late, "2")
}

func TestStreams(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	b := connected(t, broker.Addrs(server.Addr()), JetStream(quick))
	all := subscribed(t, b, "w.*", fine)
	publish(t, b, "w.a", "1") // goes into the stream that is there
	next(t, all, "1")
	publish(t, b, "x.a", "1")
	if _, err := b.Subscribe("x.*", fine); err == nil || !strings.Contains(err.Error(), "keeps a part") {
		t.Errorf("streams of parts: %v", err)
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"go.micro.topic": "go_micro_topic", "a_b": "a__b", "a.*.b": "a_any_b", "a.>": "a_all", "q r/s": "q=20r=2Fs",
	} {
		if got := nameOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, tt := range []struct {
		wide, narrow string
		want         bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a.*", "a.b", true}, {"a.*", "a.*", true}, {"a.*", "a.>", false}, {"a.>", "a.*.c", true},
		{"a.>", "a", false}, {">", "a.b", true}, {"a.b", "a.*", false}, {"a.*", "a.b.c", false}, {"a.b.c", "a.b", false},
	} {
		if got := covers(tt.wide, tt.narrow); got != tt.want {
			t.Errorf("covers(%q, %q) = %v", tt.wide, tt.narrow, got)
		}
	}
}

// A subscription that is made while the connection ends is refused.
func TestSubscribeWhileTheConnectionEnds(t *testing.T) {
	t.Parallel()
	server := testkit.StartNATS(t)
	b := NewBroker(broker.Addrs(server.Addr())).(*natsBroker)
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	c := b.conn.Load()
	if err := b.Disconnect(); err != nil {
		t.Fatal(err)
	}
	if err := c.add(&subscription{c: c}); !errors.Is(err, broker.ErrNotConnected) {
		t.Errorf("got %v", err)
	}
}
